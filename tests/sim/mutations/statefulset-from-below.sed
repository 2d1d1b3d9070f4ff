# pods beyond replicas go from the lowest up
# src/control/statefulset.c
s/return strcmp\(b->want\.object\.meta->name, a->want\.object\.meta->name\);/return strcmp(a->want.object.meta->name, b->want.object.meta->name);/
