# one available pod fewer than maxUnavailable allows
# src/control/rollout.c
s/(int32_t floor_ = r->spec->replicas - r->unavailable);/\1 - 1;/
