# what is kept does not wake up
# src/control/memo.c
s/u->wake <= p->in->now/u->wake < 0/
