# a pod that changed is taken for what it was while it is in the same stage
# src/control/memo_lose.c
s/observed_pod_same\(&was->seen, &o->pods\[i\]\)/was->seen.stage == o->pods[i].stage/
