# src/control/quota.c
# A pod that was just made does not count for the next one.
s/^\t\tcharge\(p, &p->quotas\.v\[i\], &more\[i\]\);/\t\t(void)more;/
