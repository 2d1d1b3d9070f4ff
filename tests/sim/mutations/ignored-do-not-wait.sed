# src/control/job_pods.c
# Failures that a policy ignores lead to no back-off.
s/if \(!f->n && !f->ignored\)/if (!f->n)/
