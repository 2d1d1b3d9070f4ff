# which pods were counted is forgotten
# src/control/job_count.c
s/^\tfor \(const char \*s = list; s && /\tfor (const char *s = NULL; s \&\& list \&\& /
