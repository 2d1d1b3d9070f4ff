/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scale of workloads, in the way of Kubernetes' subresource: one number, wherever a kind keeps it.
 */
#include "control/scale.h"

static const enum kind_id scaled[] = {
	KIND_DEPLOYMENT, KIND_REPLICASET, KIND_STATEFULSET, KIND_REPLICATIONCONTROLLER,
};

const struct object *scale_target(struct pass *p, const char *ns, const char *kind, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(scaled); i++)
		if (streq(kinds[scaled[i]].name, kind))
			return set_find(p->in->set, scaled[i], ns, name);
	return NULL;
}

int32_t scale_declared(const struct object *o)
{
	switch (o->kind->id) {
	case KIND_DEPLOYMENT: return o->deployment->spec.replicas;
	case KIND_REPLICASET: return o->replicaset->spec.replicas;
	case KIND_STATEFULSET: return o->statefulset->spec.replicas;
	case KIND_REPLICATIONCONTROLLER: return o->replication_controller->spec.replicas;
	default: return 0;
	}
}

int32_t scale_replicas(struct pass *p, const struct object *o)
{
	for (uint32_t i = 0; i < p->scales.n; i++)
		if (object_cmp(p->scales.v[i].target, o) == 0)
			return p->scales.v[i].replicas;
	return scale_declared(o);
}

void scale_status(struct pass *p, const struct object *o, const void *status)
{
	int32_t replicas = scale_replicas(p, o);

	*arena_push(p->a, &p->out->statuses) = (struct wanted_status){
		.key = object_key(o), .status = status, .scaled = replicas != scale_declared(o),
		.replicas = replicas,
	};
}

/* A Deployment's name is that of its ReplicaSet without the hash. */
static const struct object *deployment_of(struct pass *p, const char *ns, const char *replicaset)
{
	const char *dash = strrchr(replicaset, '-');

	return dash ? set_find(p->in->set, KIND_DEPLOYMENT, ns,
			       arena_strndup(p->a, replicaset, (size_t)(dash - replicaset))) : NULL;
}

bool scale_of_owner(struct pass *p, const char *ns, const struct owner_reference *r, int32_t *ret)
{
	const struct object *o = scale_target(p, ns, r->kind, r->name);

	if (!o && streq(r->kind, "ReplicaSet"))
		o = deployment_of(p, ns, r->name);
	if (o)
		*ret = scale_replicas(p, o);
	return o;
}
