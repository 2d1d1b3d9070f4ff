# maxSurge as a percentage is rounded down
# src/control/rollout.c
s/(r->surge = intstr_scale\(.*), true\);/\1, false);/
