# an edit does not make its object's unit work
# src/control/memo.c
s/^\t\tlose_object\(p, o\);$/\t\tconfigs->n += 0;/
