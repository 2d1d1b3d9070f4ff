# src/control/preempt.c
# A pod takes the place of another one that is as important.
s/else if \(priority\(o\) < priority\(m\)\)/else if (priority(o) <= priority(m))/
