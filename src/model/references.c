/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What objects say of each other, over all files: ConfigMaps and Secrets that pods need, pods that
 * Services select. Warnings only: what is missing may come with the next file, and containers
 * wait for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/build.h"
#include "schema/schema.h"

static void warn(struct set *s, const struct object *o, const struct node *at, const char *path,
		 const char *text)
{
	bool known = at && at->line;

	msgs_add(&s->msgs, true, o->file, known ? at->line : o->line, known ? at->col : o->col,
		 path, "%s", text);
}

static bool has_bytes(const struct bytemap *m, const char *key)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (streq(m->v[i].k, key))
			return true;
	}
	return false;
}

static bool has_key(const struct object *o, const char *key)
{
	if (o->kind->id == KIND_SECRET)
		return has_bytes(&o->secret->data, key);
	return strmap_get(&o->configmap->data, key) || has_bytes(&o->configmap->binary_data, key);
}

static void check_use(struct set *s, const struct object *o, const char *prefix,
		      const struct config_use *use)
{
	struct arena *a = &s->arena;
	const struct object *to = set_find(s, use->kind, o->meta->namespace, use->name);
	const char *kind = kinds[use->kind].name, *text;

	if (use->optional || (to && (!use->key || has_key(to, use->key))))
		return;
	if (!to && use->item)
		return;
	if (to)
		text = arena_printf(a, "%s \"%s\" has no key \"%s\"", kind, use->name, use->key);
	else
		text = arena_printf(a, "no file declares %s \"%s\" in namespace %s", kind,
				    use->name, o->meta->namespace);
	BUF_AUTO path = { 0 };
	buf_printf(&path, "%s.", prefix);
	buf_printf(&path, use->format, use->i, use->k);
	warn(s, o, use->at, buf_str(&path), text);
}

static void check_config(struct set *s, const struct object *o)
{
	const char *prefix;
	const struct pod_spec *spec = object_pod_spec(o, &prefix);
	struct config_uses l;

	if (!spec)
		return;
	config_uses(&s->arena, spec, &l);
	for (uint32_t i = 0; i < l.n; i++)
		check_use(s, o, prefix, &l.v[i]);
}

static bool selects(const struct object *service, const struct object *o)
{
	const struct strmap *labels = object_pod_labels(o);

	return labels && streq(o->meta->namespace, service->meta->namespace) &&
	       strmap_contains(labels, &service->service->spec.selector);
}

/* A port by name that none of the selected pods has. */
static void check_target(struct set *s, const struct object *service, uint32_t i)
{
	const struct service_port *p = &service->service->spec.ports.v[i];
	struct arena *a = &s->arena;
	const char *path;

	if (!p->target_port.str)
		return;
	for (uint32_t k = 0; k < s->objects.n; k++) {
		const struct object *o = &s->objects.v[k];

		if (selects(service, o) &&
		    pod_port(object_pod_spec(o, &path), &p->target_port, p->protocol))
			return;
	}
	warn(s, service, &p->node, arena_printf(a, "spec.ports[%u].targetPort", i),
	     arena_printf(a, "no selected pod has a port named \"%s\"", p->target_port.str));
}

static void check_service(struct set *s, const struct object *service)
{
	const struct service_spec *spec = &service->service->spec;
	bool found = false;

	if (!spec->selector.n) {
		warn(s, service, &spec->node, "spec.selector",
		     "missing: the Service never has pods");
		return;
	}
	for (uint32_t i = 0; i < s->objects.n && !found; i++)
		found = selects(service, &s->objects.v[i]);
	if (!found)
		warn(s, service, &spec->node, "spec.selector", "selects no pod of any file");
	for (uint32_t i = 0; found && i < spec->ports.n; i++)
		check_target(s, service, i);
}

static bool is_quiet(const char *file, struct manifest *const *quiet, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (streq(quiet[i]->path, file))
			return true;
	}
	return false;
}

void set_check_references(struct set *s, struct manifest *const *quiet, uint32_t nquiet)
{
	for (uint32_t i = 0; i < s->objects.n; i++) {
		const struct object *o = &s->objects.v[i];

		if (is_quiet(o->file, quiet, nquiet))
			continue;
		check_config(s, o);
		if (o->kind->id == KIND_SERVICE)
			check_service(s, o);
	}
}
