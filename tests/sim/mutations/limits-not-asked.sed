# src/control/admit.c
# What a LimitRange forbids is made.
s/^\twhy = limits\(p, pod\);/\twhy = limits(p, pod) ? NULL : NULL;/
