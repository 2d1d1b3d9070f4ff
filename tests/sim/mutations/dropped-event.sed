# a service map that changed is not programmed
# src/plan/action.c
s/^\t\tif \(c \|\| !same_entry\(x, y\)\)$/\t\tif (c)/
