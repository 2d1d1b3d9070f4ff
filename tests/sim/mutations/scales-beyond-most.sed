# src/control/hpa_rate.c
# One more than maxReplicas.
s/most = MIN\(h->max, limit\)/most = MIN(h->max + 1, limit)/
