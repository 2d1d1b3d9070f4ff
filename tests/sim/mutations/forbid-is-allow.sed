# concurrencyPolicy Forbid starts a second Job
# src/control/cronjob.c
s/if \(c->spec->concurrency_policy == CONCURRENCY_FORBID\)/if (c->spec->concurrency_policy == CONCURRENCY_FORBID \&\& !t)/
