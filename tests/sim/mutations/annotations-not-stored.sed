# annotations of a ReplicaSet that changed are not written down
# src/plan/action.c
s/^\t\treturn "annotations changed";/\t\treturn NULL;/
