# src/control/deployment.c
# No quota is asked for a ReplicaSet.
s/const char \*why = quotas_admit_object\(r->p, &o\);/const char *why = NULL;/
