/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Admission: what is asked before a pod is made, of a manifest or by a controller. LimitRanges
 * complete its requests and limits, then bound them; ResourceQuotas have room for it or have not.
 * Who is refused is not made; the next pass asks again. What was admitted is never looked at again.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
#include "control/quota.h"

#include "model/limits.h"

static bool numbered(const struct meta *m)
{
	const struct owner_reference_list *l = &m->owner_references;

	return l->n && streq(l->v[0].kind, "StatefulSet");
}

/* Of a generated name what its controller chose: the same words in every pass. */
static const char *said_name(const struct meta *m)
{
	return m->generate_name && !numbered(m) ? m->generate_name : m->name;
}

const char *admit_forbidden(struct pass *p, const struct object *pod, const char *why)
{
	return arena_printf(p->a, "pods \"%s\" is forbidden: %s", said_name(pod->meta), why);
}

static const char *invalid(struct pass *p, const struct object *pod, const struct limit_fault *f)
{
	return arena_printf(p->a, "Pod \"%s\" is invalid: spec.%s.requests: %s",
			    said_name(pod->meta), f->path, f->text);
}

static const char *limits(struct pass *p, struct object *pod)
{
	const char *ns = pod->meta->namespace;
	struct limit_faults faults, bounds = { 0 };

	limits_complete(p->a, p->in->set, ns, &pod->pod->spec);
	limits_check(p->a, p->in->set, ns, &pod->pod->spec, &faults);
	for (uint32_t i = 0; i < faults.n; i++)
		if (!faults.v[i].invalid)
			*arena_push(p->a, &bounds) = faults.v[i];
	if (bounds.n)
		return admit_forbidden(p, pod, limit_faults_text(p->a, &bounds));
	return faults.n ? invalid(p, pod, &faults.v[0]) : NULL;
}

const char *admit_pod(struct pass *p, struct object *pod)
{
	const char *why = limits(p, pod);

	if (why)
		return why;
	why = quotas_admit(p, pod);
	return why ? admit_forbidden(p, pod, why) : NULL;
}
