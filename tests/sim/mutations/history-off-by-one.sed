# one old ReplicaSet more than revisionHistoryLimit
# src/control/deployment.c
s/i < idle\.n - limit; i\+\+/i + 1 < idle.n - limit; i++/
