/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LimitRanges: what they give to the containers of a new pod, and what they forbid. As in
 * Kubernetes they concern what is made while they are there; what runs is left alone.
 * https://kubernetes.io/docs/concepts/policy/limit-range/
 */
#pragma once

#include "model/set.h"

struct limit_fault {
	const struct node *at;
	const char *path;	/* below the specification; "": all of it */
	const char *text;	/* Kubernetes' words */
	bool invalid;		/* no bound of a LimitRange: what it gave makes no sense */
};
struct limit_faults { struct limit_fault *v; uint32_t n; };

/* Requests and limits for containers that have none; what changes becomes a private copy. */
void limits_complete(struct arena *a, const struct set *s, const char *ns, struct pod_spec *spec);
/* What is forbidden of a specification that was completed. */
void limits_check(struct arena *a, const struct set *s, const char *ns,
		  const struct pod_spec *spec, struct limit_faults *ret);
/* Why a claim is not allowed; NULL: it is. */
const char *limits_check_claim(struct arena *a, const struct set *s, const char *ns,
			       const struct pvc_spec *spec);
/* The faults in one line, as Kubernetes puts several errors. */
const char *limit_faults_text(struct arena *a, const struct limit_faults *l);
