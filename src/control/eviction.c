/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of local storage. kubelet looks at emptyDirs first, then at the pod as a whole, then at
 * its containers; the first that is above its limit is what the message names:
 * https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
#include "control/eviction.h"

#include "base/macro.h"
#include "schema/schema.h"

static const char *empty_dir_over(struct arena *a, const struct observed_pod *p)
{
	const struct volume_list *l = &p->object->pod->spec.volumes;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct empty_dir_volume *v = l->v[i].empty_dir;
		int64_t limit = v ? quantity_value(&v->size_limit) : 0;

		if (limit > 0 && p->usage->volumes[i] > limit)
			return arena_printf(a, "Usage of EmptyDir volume \"%s\" exceeds the limit "
					    "\"%s\". ", l->v[i].name, v->size_limit.text);
	}
	return NULL;
}

const char *eviction_bytes_text(struct arena *a, int64_t n)
{
	struct quantity q = quantity_from_milli(a, n * 1000);

	if (n % 1024 == 0)
		quantity_parse(a, arena_printf(a, "%lldKi", (long long)n / 1024), &q);
	return q.text;
}

/* The sum of what has a limit. Init containers run beside the sidecars before them only. */
static int64_t pod_limit(const struct pod_spec *s)
{
	int64_t sum = 0, peak = 0;

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		int64_t limit = container_resources(pod_container(s, i)).storage_limit;

		peak = MAX(peak, sum + limit);
		if (pod_container_role(s, i) != ROLE_INIT)
			sum += limit;
	}
	return peak;
}

int64_t eviction_pod_bytes(const struct observed_pod *p)
{
	const struct pod_spec *s = &p->object->pod->spec;
	int64_t n = 0;

	for (uint32_t i = 0; i < s->volumes.n; i++)
		n += p->usage->volumes[i];
	for (uint32_t i = 0; i < pod_container_count(s); i++)
		n += p->usage->containers[i];
	return n;
}

static const char *pod_over(struct arena *a, const struct observed_pod *p)
{
	int64_t limit = pod_limit(&p->object->pod->spec);

	if (!limit || eviction_pod_bytes(p) <= limit)
		return NULL;
	return arena_printf(a, "Pod ephemeral local storage usage exceeds the total limit of "
			    "containers %s. ", eviction_bytes_text(a, limit));
}

static const char *container_over(struct arena *a, const struct observed_pod *p)
{
	const struct pod_spec *s = &p->object->pod->spec;

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct container *c = pod_container(s, i);

		if (!container_resources(c).storage_limit ||
		    p->usage->containers[i] <= container_resources(c).storage_limit)
			continue;
		return arena_printf(a, "Container %s exceeded its local ephemeral storage limit "
				    "\"%s\". ", c->name,
				    qtymap_get(&c->resources->limits, "ephemeral-storage")->text);
	}
	return NULL;
}

const char *eviction_over_limit(struct arena *a, const struct observed_pod *p)
{
	const char *over = p->usage ? empty_dir_over(a, p) : NULL;

	if (p->usage && !over)
		over = pod_over(a, p);
	return p->usage && !over ? container_over(a, p) : over;
}
