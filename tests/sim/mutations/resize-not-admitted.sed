# quotas and LimitRanges are not asked about resources that change in place
# src/control/resize.c
s/&& is_admitted\(p, m\)/|| is_admitted(p, m)/
