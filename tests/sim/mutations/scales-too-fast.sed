# src/control/hpa_rate.c
# A policy begins where the last step ended, not where its period began.
s/int64_t start = h->current - changed\(h, l\[i\]\.period_seconds, &wake\);/int64_t start = h->current + 0 * changed(h, l[i].period_seconds, \&wake);/
