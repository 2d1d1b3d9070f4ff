/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What objects say of each other, over all files: what pods need, pods that Services select, where
 * Ingresses lead. Warnings only: what is missing may come with the next file, and what waits for it
 * goes on then. Every look-up is one in a sorted array.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/build.h"
#include "model/endpoints.h"
#include "model/label_index.h"
#include "schema/schema.h"

struct references {
	struct set *set;
	struct label_index pods;	/* what has or makes pods, by their labels */
	struct label_index slices;	/* declared EndpointSlices */
	struct arena scratch;
};

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

static void check_config(struct references *r, const struct object *o)
{
	struct set *s = r->set;
	const char *prefix;
	const struct pod_spec *spec = object_pod_spec(o, &prefix);
	struct config_uses l;

	if (!spec)
		return;
	config_uses(&r->scratch, spec, &l);
	for (uint32_t i = 0; i < l.n; i++)
		check_use(s, o, prefix, &l.v[i]);
}

static bool declared(const struct set *s, enum kind_id kind, const char *ns, const char *name)
{
	return set_find(s, kind, ns, name);
}

/* Warns unless there is such an object. */
static void need(struct references *r, const struct object *o, enum kind_id kind,
		 const char *name, const struct node *at, const char *path)
{
	struct arena *a = &r->set->arena;

	if (!name || !*name || declared(r->set, kind, o->meta->namespace, name))
		return;
	warn(r->set, o, at, path,
	     kinds[kind].namespaced ?
		     arena_printf(a, "no file declares %s \"%s\" in namespace %s",
				  kinds[kind].name, name, o->meta->namespace) :
		     arena_printf(a, "no file declares %s \"%s\"", kinds[kind].name, name));
}

/* ---- pods ---- */

static bool builtin_priority(const char *name)
{
	return name && (streq(name, "system-node-critical") ||
			streq(name, "system-cluster-critical"));
}

static void check_claims(struct references *r, const struct object *o, const struct pod_spec *s,
			 const char *prefix)
{
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const struct pvc_volume *v = s->volumes.v[i].persistent_volume_claim;

		if (v)
			need(r, o, KIND_PVC, v->claim_name, &v->node,
			     arena_printf(&r->set->arena,
					  "%s.volumes[%u].persistentVolumeClaim.claimName", prefix,
					  i));
	}
}

static void check_pull_secrets(struct references *r, const struct object *o,
			       const struct local_reference_list *l, const char *prefix)
{
	for (uint32_t i = 0; i < l->n; i++)
		need(r, o, KIND_SECRET, l->v[i].name, &l->v[i].node,
		     arena_printf(&r->set->arena, "%simagePullSecrets[%u].name", prefix, i));
}

static void check_pods(struct references *r, const struct object *o)
{
	const char *prefix;
	const struct pod_spec *s = object_pod_spec(o, &prefix);
	struct arena *a = &r->set->arena;

	if (!s)
		return;
	check_config(r, o);
	check_claims(r, o, s, prefix);
	if (s->priority_class_name && !builtin_priority(s->priority_class_name))
		need(r, o, KIND_PRIORITYCLASS, s->priority_class_name, &s->node,
		     arena_printf(a, "%s.priorityClassName", prefix));
	if (s->runtime_class_name)
		need(r, o, KIND_RUNTIMECLASS, s->runtime_class_name, &s->node,
		     arena_printf(a, "%s.runtimeClassName", prefix));
	if (s->service_account_name && !streq(s->service_account_name, "default"))
		need(r, o, KIND_SERVICEACCOUNT, s->service_account_name, &s->node,
		     arena_printf(a, "%s.serviceAccountName", prefix));
	if (s->image_pull_secrets.n)
		check_pull_secrets(r, o, &s->image_pull_secrets, arena_printf(a, "%s.", prefix));
}

static void check_account(struct references *r, const struct object *o)
{
	check_pull_secrets(r, o, &o->service_account->image_pull_secrets, "");
}

/* ---- services ---- */

static struct label_index candidates(const struct references *r, const struct object *service)
{
	return label_index_select(&r->pods, service->meta->namespace,
				  &service->service->spec.selector);
}

static bool selects(const struct object *service, const struct object *o)
{
	return strmap_contains(object_pod_labels(o), &service->service->spec.selector);
}

/* A port by name that none of the selected pods has. */
static void check_target(struct references *r, const struct object *service, uint32_t i,
			 const struct label_index *among)
{
	const struct service_port *p = &service->service->spec.ports.v[i];
	struct arena *a = &r->set->arena;
	const char *path;

	if (!p->target_port.str)
		return;
	for (uint32_t k = 0; k < among->n; k++) {
		const struct object *o = among->v[k].object;

		if (selects(service, o) &&
		    pod_port(object_pod_spec(o, &path), &p->target_port, p->protocol))
			return;
	}
	warn(r->set, service, &p->node, arena_printf(a, "spec.ports[%u].targetPort", i),
	     arena_printf(a, "no selected pod has a port named \"%s\"", p->target_port.str));
}

/* Without a selector somebody must say where the traffic goes. */
static void check_unselective(struct references *r, const struct object *service)
{
	const struct service_spec *spec = &service->service->spec;
	const struct meta *m = service->meta;

	if (spec->type == SERVICE_EXTERNAL_NAME ||
	    declared(r->set, KIND_ENDPOINTS, m->namespace, m->name) ||
	    label_index_find(&r->slices, m->namespace, SERVICE_NAME_LABEL, m->name).n)
		return;
	warn(r->set, service, &spec->node, "spec.selector",
	     "missing, and no file declares Endpoints for it: the Service leads nowhere");
}

static void check_service(struct references *r, const struct object *service)
{
	const struct service_spec *spec = &service->service->spec;
	struct label_index among;
	bool found = false;

	if (!spec->selector.n) {
		check_unselective(r, service);
		return;
	}
	if (spec->type == SERVICE_EXTERNAL_NAME)
		return;
	among = candidates(r, service);
	for (uint32_t i = 0; i < among.n && !found; i++)
		found = selects(service, among.v[i].object);
	if (!found)
		warn(r->set, service, &spec->node, "spec.selector", "selects no pod of any file");
	for (uint32_t i = 0; found && i < spec->ports.n; i++)
		check_target(r, service, i, &among);
}

static void check_for_service(struct references *r, const struct object *o, const char *name,
			      const char *path)
{
	const struct object *to = set_find(r->set, KIND_SERVICE, o->meta->namespace, name);
	struct arena *a = &r->set->arena;

	if (!to)
		warn(r->set, o, &o->meta->node, path,
		     arena_printf(a, "no file declares Service \"%s\" in namespace %s", name,
				  o->meta->namespace));
	else if (to->service->spec.selector.n)
		warn(r->set, o, &o->meta->node, path,
		     arena_printf(a, "Service \"%s\" has a selector: this %s is not used", name,
				  o->kind->name));
}

static void check_endpoints(struct references *r, const struct object *o)
{
	check_for_service(r, o, o->meta->name, "metadata.name");
}

static void check_slice(struct references *r, const struct object *o)
{
	const char *service = strmap_get(&o->meta->labels, SERVICE_NAME_LABEL);

	if (service)
		check_for_service(r, o, service, "metadata.labels");
	else
		warn(r->set, o, &o->meta->node, "metadata.labels",
		     "the label " SERVICE_NAME_LABEL " is missing: it belongs to no Service");
}

/* ---- what leads to other objects ---- */

static bool has_port(const struct service_spec *s, const struct service_backend_port *p)
{
	for (uint32_t i = 0; i < s->ports.n; i++) {
		const char *name = s->ports.v[i].name;

		if (p->name ? name && streq(name, p->name) : s->ports.v[i].port == p->number)
			return true;
	}
	return false;
}

static void check_backend(struct references *r, const struct object *o,
			  const struct ingress_backend *b, const char *path)
{
	const struct ingress_service_backend *to = b ? b->service : NULL;
	struct arena *a = &r->set->arena;

	if (!to)
		return;
	const struct object *service = set_find(r->set, KIND_SERVICE, o->meta->namespace, to->name);
	if (!service)
		need(r, o, KIND_SERVICE, to->name, &to->node,
		     arena_printf(a, "%s.service.name", path));
	else if (to->port && !has_port(&service->service->spec, to->port))
		warn(r->set, o, &to->port->node, arena_printf(a, "%s.service.port", path),
		     to->port->name ?
			     arena_printf(a, "Service \"%s\" has no port named \"%s\"", to->name,
					  to->port->name) :
			     arena_printf(a, "Service \"%s\" has no port %d", to->name,
					  to->port->number));
}

static void check_ingress_rules(struct references *r, const struct object *o)
{
	const struct ingress_spec *s = &o->ingress->spec;
	struct arena *a = &r->set->arena;

	check_backend(r, o, s->default_backend, "spec.defaultBackend");
	for (uint32_t i = 0; i < s->rules.n; i++) {
		const struct http_ingress_rule_value *http = s->rules.v[i].http;

		for (uint32_t k = 0; http && k < http->paths.n; k++)
			check_backend(r, o, http->paths.v[k].backend,
				      arena_printf(a, "spec.rules[%u].http.paths[%u].backend", i,
						   k));
	}
	for (uint32_t i = 0; i < s->tls.n; i++)
		need(r, o, KIND_SECRET, s->tls.v[i].secret_name, &s->tls.v[i].node,
		     arena_printf(a, "spec.tls[%u].secretName", i));
}

static void check_scale_target(struct references *r, const struct object *o)
{
	static const enum kind_id scaled[] = {
		KIND_DEPLOYMENT, KIND_REPLICASET, KIND_STATEFULSET, KIND_REPLICATIONCONTROLLER,
	};
	const struct cross_version_object_reference *to = o->hpa->spec.scale_target_ref;

	for (size_t i = 0; to && i < ARRAY_SIZE(scaled); i++) {
		if (streq(kinds[scaled[i]].name, to->kind))
			need(r, o, scaled[i], to->name, &to->node, "spec.scaleTargetRef.name");
	}
}

/* A class that only names volumes need not be declared. */
static void check_claim_class(struct references *r, const struct object *o)
{
	const char *class = o->pvc->spec.storage_class_name;
	struct object_list volumes = set_kind(r->set, KIND_PV);

	if (!class || streq(class, STORAGE_CLASS_BUILTIN) || declared(r->set, KIND_STORAGECLASS, "", class))
		return;
	for (uint32_t i = 0; i < volumes.n; i++) {
		const char *of = volumes.v[i].pv->spec.storage_class_name;

		if (of && streq(of, class))
			return;
	}
	need(r, o, KIND_STORAGECLASS, class, &o->pvc->spec.node, "spec.storageClassName");
}

static const struct strmap *slice_labels(const struct object *o)
{
	return o->kind->id == KIND_ENDPOINTSLICE ? &o->meta->labels : NULL;
}

static void check_object(struct references *r, const struct object *o)
{
	static void (*const by_kind[KIND_COUNT])(struct references *, const struct object *) = {
		[KIND_SERVICE] = check_service, [KIND_ENDPOINTS] = check_endpoints,
		[KIND_ENDPOINTSLICE] = check_slice, [KIND_INGRESS] = check_ingress_rules,
		[KIND_HPA] = check_scale_target, [KIND_PVC] = check_claim_class,
		[KIND_SERVICEACCOUNT] = check_account,
	};

	check_pods(r, o);
	if (by_kind[o->kind->id])
		by_kind[o->kind->id](r, o);
}

void set_check_references(struct set *s, struct manifest *const *quiet, uint32_t nquiet)
{
	struct references r = { .set = s };

	label_index_make(&r.scratch, &s->objects, object_pod_labels, &r.pods);
	label_index_make(&r.scratch, &s->objects, slice_labels, &r.slices);
	for (uint32_t i = 0; i < s->objects.n; i++) {
		const struct object *o = &s->objects.v[i];

		if (!manifests_have(quiet, nquiet, o->file))
			check_object(&r, o);
	}
	arena_release(&r.scratch);
}
