# pods that nobody claims are kept
# src/control/control.c
s/if \(!p->members\.v\[i\]->claimed\)/if (!p->members.v[i]->claimed \&\& !p->members.n)/
