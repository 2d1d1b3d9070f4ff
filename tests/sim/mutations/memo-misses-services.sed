# pods that are not kept any more do not make services look again
# src/control/wishes.c
s/^\t\t\tto->open = true;$/\t\t\tto->open |= false;/
