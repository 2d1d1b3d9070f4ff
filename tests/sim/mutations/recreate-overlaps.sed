# Recreate does not wait for the old pods
# src/control/rollout.c
s/^\tif \(old_pods_exist\(r\)\)$/\tif (old_pods_exist(r) \&\& !r->sets.n)/
