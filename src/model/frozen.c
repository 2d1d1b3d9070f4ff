/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be changed in an object that is there. A field's row says so (IMMUTABLE, where it
 * stands); the table has what no row can say, because it depends on the values.
 */
#include <string.h>

#include "base/macro.h"
#include "model/object.h"
#include "schema/schema.h"

/* Is this change refused? */
typedef bool (*verdict)(const struct object *was, const struct object *is);

static bool never(const struct object *was, const struct object *is)
{
	(void)was;
	(void)is;
	return false;
}

static bool configmap_is_immutable(const struct object *was, const struct object *is)
{
	(void)is;
	return was->configmap->immutable;
}

static bool secret_is_immutable(const struct object *was, const struct object *is)
{
	(void)is;
	return was->secret->immutable;
}

/* An address that orch chose is no business of the file; one that it names is. */
static bool cluster_ip(const struct object *was, const struct object *is)
{
	const struct service_spec *x = &was->service->spec, *y = &is->service->spec;

	return HAS(x, service_spec, cluster_ip) && HAS(y, service_spec, cluster_ip) &&
	       x->type != SERVICE_EXTERNAL_NAME && y->type != SERVICE_EXTERNAL_NAME;
}

/* An indexed Job may grow and shrink when both figures do. */
static bool completions(const struct object *was, const struct object *is)
{
	const struct job_spec *s = &is->job->spec;

	return was->job->spec.completion_mode != COMPLETION_INDEXED ||
	       s->completion_mode != COMPLETION_INDEXED || s->completions != s->parallelism;
}

static bool job_has_started(const struct object *was, const struct object *is)
{
	(void)is;
	return !was->job->spec.suspend;
}

static int64_t storage_of(const struct object *o)
{
	const struct volume_resources *r = o->pvc->spec.resources;
	const struct quantity *q = r ? qtymap_get(&r->requests, "storage") : NULL;

	return q ? q->milli : 0;
}

static bool claim_shrinks(const struct object *was, const struct object *is)
{
	return storage_of(is) < storage_of(was);
}

static bool claim_has_volume(const struct object *was, const struct object *is)
{
	(void)is;
	return was->pvc->spec.volume_name && *was->pvc->spec.volume_name;
}

static bool volume_has_affinity(const struct object *was, const struct object *is)
{
	(void)is;
	return was->pv->spec.node_affinity != NULL;
}

static const struct rule {
	enum kind_id kind;
	const char *path;
	verdict refused;
} rules[] = {
	{ KIND_CONFIGMAP, "data", configmap_is_immutable },
	{ KIND_CONFIGMAP, "binaryData", configmap_is_immutable },
	{ KIND_CONFIGMAP, "immutable", configmap_is_immutable },
	{ KIND_SECRET, "data", secret_is_immutable },
	{ KIND_SECRET, "immutable", secret_is_immutable },
	{ KIND_SERVICE, "spec.clusterIP", cluster_ip },
	{ KIND_JOB, "spec.completions", completions },
	{ KIND_JOB, "spec.template.metadata.labels", job_has_started },
	{ KIND_JOB, "spec.template.metadata.annotations", job_has_started },
	{ KIND_JOB, "spec.template.spec.nodeSelector", job_has_started },
	{ KIND_JOB, "spec.template.spec.affinity", job_has_started },
	{ KIND_JOB, "spec.template.spec.tolerations", job_has_started },
	{ KIND_JOB, "spec.template.spec.schedulingGates", job_has_started },
	{ KIND_PVC, "spec.resources.requests", claim_shrinks },
	{ KIND_PVC, "spec.volumeName", claim_has_volume },
	{ KIND_PVC, "spec.volumeAttributesClassName", never },
	{ KIND_PV, "spec.nodeAffinity", volume_has_affinity },
};

static bool below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) == 0 && strchr(".[", path[n]);
}

static const struct rule *find_rule(const struct object *o, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].kind == o->kind->id && below(path, rules[i].path))
			return &rules[i];
	}
	return NULL;
}

/* The length of the path up to the first row that is IMMUTABLE; a whole specification tells less
 * than the field in it. */
static size_t up_to_row(const struct type *t, const char *path)
{
	const char *p = path;

	while (t) {
		size_t n = strcspn(p, ".[");
		const struct field *f = NULL;

		for (unsigned i = 0; i < t->nfields && !f; i++) {
			if (strncmp(t->fields[i].key, p, n) == 0 && !t->fields[i].key[n])
				f = &t->fields[i];
		}
		p += n;
		if (!f || (f->effect == E_IMMUTABLE && f->kind != K_INLINE))
			return (size_t)(p - path);
		p += *p == '[' ? strcspn(p, "]") + 1 : 0;
		p += *p == '.';
		t = *p ? f->sub : NULL;
	}
	return strlen(path);
}

const char *object_frozen(struct arena *a, const struct object *was, const struct object *is,
			  const struct diff_entry *e)
{
	const struct rule *r = find_rule(is, e->path);

	if (r)
		return r->refused(was, is) ? r->path : NULL;
	if (e->effect != E_IMMUTABLE)
		return NULL;
	return arena_strndup(a, e->path, up_to_row(is->kind->type, e->path));
}
