# services lead to pods that are being stopped
# src/control/service.c
s/ \|\| m->want\.stop \|\|/ ||/
