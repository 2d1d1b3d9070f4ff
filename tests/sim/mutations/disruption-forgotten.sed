# src/control/disruption.c
# Why a pod has to go is not written into it.
s/^\tstrmap_set\(p->a, &m->want\.object\.meta->annotations, DISRUPTION_ANNOTATION,/\tstrmap_set(p->a, \&(struct strmap){ 0 }, DISRUPTION_ANNOTATION,/
