# OrderedReady does not wait
# src/control/statefulset.c
s/if \(s->ordered && !whole\)/if (s->ordered \&\& !whole \&\& s->n == 0)/
