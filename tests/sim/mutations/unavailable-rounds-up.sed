# maxUnavailable as a percentage is rounded up
# src/control/rollout.c
s/(r->unavailable = intstr_scale\(.*), false\);/\1, true);/
