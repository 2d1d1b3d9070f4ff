# what a pod has is in its own way when it asks for more
# src/control/resize.c
s/rows\[i\]\.used - rows\[i\]\.had/rows[i].used/
