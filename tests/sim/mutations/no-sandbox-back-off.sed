# a pod without a sandbox is replaced at once
# src/control/member.c
s/^\treturn born \+ backoff_delay\(m->attempt, BACKOFF_MAX\);/\treturn born;/
