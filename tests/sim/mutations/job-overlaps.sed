# src/control/job_pods.c
# A pod that is still to be told to stop has its successor already.
s/: count_running_on\(r\);/: count_running_on(r) * 0;/
