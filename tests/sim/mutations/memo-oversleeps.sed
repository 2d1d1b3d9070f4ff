# what is kept does not wake up
# src/control/memo_lose.c
s/u->wake <= p->in->now/u->wake < 0/
