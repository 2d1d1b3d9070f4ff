# src/control/quota.c
# A pod without a sandbox takes nothing while it waits.
s/if \(!is_gone\(m\)\)/if (!m->lost)/
