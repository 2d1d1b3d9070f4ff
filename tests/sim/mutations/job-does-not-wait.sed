# no back-off between the pods of a Job
# src/control/job_pods.c
s/^\treturn r->p->in->now >= at;/\treturn true;/
