# pods that nobody claims are kept
# src/control/control.c
s/if \(!p->fresh\.v\[i\]->claimed\)/if (!p->fresh.v[i]->claimed \&\& !p->fresh.n)/
