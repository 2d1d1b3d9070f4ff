# the last moment counts, not the first
# src/control/control.c
s/MIN\(p->out->wake, at\)/MAX(p->out->wake, at)/
