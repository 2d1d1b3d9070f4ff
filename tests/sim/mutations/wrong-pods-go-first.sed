# ready pods are stopped before those that are not
# src/control/replicaset.c
s/FIRST\(a->ready, b->ready\);/FIRST(b->ready, a->ready);/
