/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Admission: what is asked before a pod is made, of a manifest or by a controller. Its class says
 * how important it is, its RuntimeClass what it costs, LimitRanges complete its requests and limits,
 * then bound them, and ResourceQuotas have room for it or have not. Who is refused is not made; the
 * next pass asks again. What was admitted is never looked at again, but for changes
 * of its resources.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
#include "control/admit.h"

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

static const char *forbidden(struct pass *p, const struct object *pod, const char *why)
{
	return arena_printf(p->a, "pods \"%s\" is forbidden: %s", said_name(pod->meta), why);
}

static const char *invalid(struct pass *p, const struct object *pod, const struct limit_fault *f)
{
	return arena_printf(p->a, "Pod \"%s\" is invalid: spec.%s.requests: %s",
			    said_name(pod->meta), f->path, f->text);
}

const char *admit_limits(struct pass *p, const struct object *pod)
{
	const char *ns = pod->meta->namespace;
	struct limit_faults faults, bounds = { 0 };

	limits_check(p->a, p->in->set, ns, &pod->pod->spec, &faults);
	for (uint32_t i = 0; i < faults.n; i++)
		if (!faults.v[i].invalid)
			*arena_push(p->a, &bounds) = faults.v[i];
	if (bounds.n)
		return forbidden(p, pod, limit_faults_text(p->a, &bounds));
	return faults.n ? invalid(p, pod, &faults.v[0]) : NULL;
}

const char *admit_complete(struct pass *p, const char *ns, struct pod_spec *s)
{
	const char *why = priority_admit(p, s);

	if (!why)
		why = runtime_class_admit(p, s);
	if (!why)
		limits_complete(p->a, p->in->set, ns, s);
	return why;
}

const char *admit_pod(struct pass *p, struct object *pod)
{
	const char *why = admit_complete(p, pod->meta->namespace, &pod->pod->spec);

	if (why)
		return forbidden(p, pod, why);
	why = admit_limits(p, pod);
	if (why)
		return why;
	why = quotas_admit(p, pod);
	return why ? forbidden(p, pod, why) : NULL;
}
