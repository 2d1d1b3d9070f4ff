# a service map that changed is not programmed
# src/plan/action.c
s/^\t\tif \(c \|\| !service_entry_same\(x, y\)\)$/\t\tif (c)/
