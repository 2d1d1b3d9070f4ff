# the old pod of a surge goes before the new one is available
# src/control/daemonset.c
s/else if \(d->current && available\(d, d->current\)\)/else if (d->current)/
