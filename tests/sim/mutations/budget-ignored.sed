# src/control/preempt.c
# Pods that a PodDisruptionBudget can't spare go like any other.
s/budgets_spend\(&left, l->v\[i\]\) \? &rest : &first/budgets_spend(\&left, l->v[i]) ? \&rest : \&rest/
