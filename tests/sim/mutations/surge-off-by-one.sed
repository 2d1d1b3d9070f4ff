# one pod more than maxSurge allows
# src/control/rollout.c
s/(int32_t room = r->spec->replicas \+ r->surge - total\(r\));/\1 + 1;/
