# the prune guard lets half of a stack go
# src/plan/guard.c
s/if \(all > FEW && gone \* 2 > all\)/if (all > FEW \&\& gone > all)/
