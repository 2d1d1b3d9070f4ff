# maxUnavailable of a StatefulSet is not looked at
# src/control/statefulset.c
s/^\t\tmissing \+= available\(s, m\);//
