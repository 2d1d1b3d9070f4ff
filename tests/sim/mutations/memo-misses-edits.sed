# an edit does not make its object's unit work
# src/control/memo_lose.c
s/^\t\tlose_object\(p, o\);$/\t\tconfigs->n += 0;/
