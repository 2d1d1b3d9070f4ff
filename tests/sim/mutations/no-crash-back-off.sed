# a container that ended is started again at once
# src/control/container.c
s/^\treturn MIN\(d, max\);/\treturn MIN(d, max) * 0;/
