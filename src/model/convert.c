/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversions: one row for each removed version of a kind, and the function that rewrites its tree.
 * Trees are shared (aliases), so nothing is changed in place: enter() copies the mapping or list
 * that it goes into. A value of the wrong shape is left as it is, for the decoder to complain of.
 */
#include "model/convert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "schema/scalar.h"

struct convert {
	struct arena *a;
	const char *file;
	struct msgs *m;
	int r;
};

/* Changes a copy of the document's root. */
typedef void (*conversion)(struct convert *c, struct ynode *root);

static struct ynode *new_node(struct convert *c, enum ynode_kind kind, const struct ynode *at)
{
	struct ynode *n = arena_new(c->a, struct ynode);

	n->kind = kind;
	n->line = at->line;
	n->col = at->col;
	return n;
}

/* at: whose position it takes. Numbers are plain, words are not. */
static struct ynode *new_scalar(struct convert *c, const struct ynode *at, const char *text,
				bool plain)
{
	struct ynode *n = new_node(c, Y_SCALAR, at);

	n->text = arena_strdup(c->a, text);
	n->len = (uint32_t)strlen(text);
	n->plain = plain;
	return n;
}

static struct ynode *word(struct convert *c, const struct ynode *at, const char *text)
{
	return new_scalar(c, at, text, false);
}

static struct ynode *number(struct convert *c, const struct ynode *at, const char *text)
{
	return new_scalar(c, at, text, true);
}

static struct ynode **copy_array(struct convert *c, struct ynode *const *v, uint32_t n)
{
	struct ynode **copy = arena_array(c->a, struct ynode *, n + 1);

	if (n)
		memcpy(copy, v, n * sizeof(*copy));
	return copy;
}

/* A mapping or list of its own, with the same children. */
static struct ynode *copy_node(struct convert *c, const struct ynode *n)
{
	struct ynode *copy = new_node(c, n->kind, n);

	*copy = *n;
	copy->values = copy_array(c, n->values, n->n);
	if (n->kind == Y_MAP)
		copy->keys = copy_array(c, n->keys, n->n);
	return copy;
}

static int64_t place(const struct ynode *map, const char *key)
{
	for (uint32_t i = 0; i < map->n; i++) {
		if (streq(map->keys[i]->text, key))
			return i;
	}
	return -1;
}

/* The child under key of a copied mapping, copied; NULL when there is none of that kind. */
static struct ynode *enter(struct convert *c, struct ynode *map, const char *key,
			   enum ynode_kind kind)
{
	int64_t i = map ? place(map, key) : -1;

	if (i < 0 || map->values[i]->kind != kind)
		return NULL;
	return map->values[i] = copy_node(c, map->values[i]);
}

/* Element i of a copied list, copied; NULL when it is no mapping. */
static struct ynode *element(struct convert *c, struct ynode *list, uint32_t i)
{
	if (list->values[i]->kind != Y_MAP)
		return NULL;
	return list->values[i] = copy_node(c, list->values[i]);
}

static bool has(const struct ynode *map, const char *key)
{
	return !ynode_is_null(ynode_get(map, key));
}

/* Adds or replaces an entry of a copied mapping; the key takes the position of its value. */
static void put(struct convert *c, struct ynode *map, const char *key, struct ynode *value)
{
	int64_t i = place(map, key);

	if (i >= 0) {
		map->values[i] = value;
		return;
	}
	map->keys = copy_array(c, map->keys, map->n);
	map->values = copy_array(c, map->values, map->n);
	map->keys[map->n] = word(c, value, key);
	map->values[map->n++] = value;
}

/* Removes an entry of a copied mapping; NULL when it is absent, or null. */
static struct ynode *take(struct ynode *map, const char *key)
{
	int64_t i = place(map, key);

	if (i < 0)
		return NULL;
	struct ynode *value = map->values[i];
	map->n--;
	memmove(&map->keys[i], &map->keys[i + 1], (map->n - (size_t)i) * sizeof(*map->keys));
	memmove(&map->values[i], &map->values[i + 1], (map->n - (size_t)i) * sizeof(*map->values));
	return ynode_is_null(value) ? NULL : value;
}

static void rename_key(struct convert *c, struct ynode *map, const char *from, const char *to)
{
	struct ynode *value = take(map, from);

	if (value)
		put(c, map, to, value);
}

static void put_if_absent(struct convert *c, struct ynode *map, const char *key, const char *text)
{
	if (!has(map, key))
		put(c, map, key, number(c, map, text));
}

static void drop(struct convert *c, struct ynode *map, const char *path, const char *key)
{
	const struct ynode *value = take(map, key);

	if (value)
		msgs_add(c->m, true, c->file, value->line, value->col, path,
			 "Kubernetes has this no more; it is left out");
}

/* The mapping under key, made when there is none; NULL when something else is there. */
static struct ynode *enter_or_make(struct convert *c, struct ynode *map, const char *key)
{
	if (!has(map, key))
		put(c, map, key, new_node(c, Y_MAP, map));
	return enter(c, map, key, Y_MAP);
}

/* Workloads: the selector and the object's labels were those of the template. */
static void default_labels(struct convert *c, struct ynode *root, struct ynode *spec)
{
	const struct ynode *template = ynode_get(spec, "template");
	const struct ynode *meta = template && template->kind == Y_MAP ?
				   ynode_get(template, "metadata") : NULL;
	struct ynode *labels = meta && meta->kind == Y_MAP ? ynode_get(meta, "labels") : NULL;
	struct ynode *own = enter(c, root, "metadata", Y_MAP);

	if (!labels || labels->kind != Y_MAP || !labels->n)
		return;
	if (!has(spec, "selector")) {
		struct ynode *selector = new_node(c, Y_MAP, labels);
		put(c, selector, "matchLabels", labels);
		put(c, spec, "selector", selector);
	}
	if (own && !has(own, "labels"))
		put(c, own, "labels", labels);
}

static void workload_labels(struct convert *c, struct ynode *root)
{
	struct ynode *spec = enter(c, root, "spec", Y_MAP);

	if (spec)
		default_labels(c, root, spec);
}

/* One pod at a time, and nothing was given up or forgotten. */
static void deployment_extensions(struct convert *c, struct ynode *root)
{
	struct ynode *spec = enter(c, root, "spec", Y_MAP);

	if (!spec)
		return;
	default_labels(c, root, spec);
	drop(c, spec, "spec.rollbackTo", "rollbackTo");
	put_if_absent(c, spec, "progressDeadlineSeconds", "2147483647");
	put_if_absent(c, spec, "revisionHistoryLimit", "2147483647");
	struct ynode *strategy = enter_or_make(c, spec, "strategy");
	const struct ynode *type = strategy ? ynode_get(strategy, "type") : NULL;
	if (!strategy || (!ynode_is_null(type) &&
			  (type->kind != Y_SCALAR || !streq(type->text, "RollingUpdate"))))
		return;
	struct ynode *rolling = enter_or_make(c, strategy, "rollingUpdate");
	if (!rolling)
		return;
	put_if_absent(c, rolling, "maxSurge", "1");
	put_if_absent(c, rolling, "maxUnavailable", "1");
}

static void deployment_beta1(struct convert *c, struct ynode *root)
{
	struct ynode *spec = enter(c, root, "spec", Y_MAP);

	if (!spec)
		return;
	default_labels(c, root, spec);
	drop(c, spec, "spec.rollbackTo", "rollbackTo");
	put_if_absent(c, spec, "revisionHistoryLimit", "2");
}

/* Pods were replaced when somebody deleted them. */
static void update_on_delete(struct convert *c, struct ynode *root)
{
	struct ynode *spec = enter(c, root, "spec", Y_MAP);

	if (!spec)
		return;
	default_labels(c, root, spec);
	drop(c, spec, "spec.templateGeneration", "templateGeneration");
	struct ynode *strategy = enter_or_make(c, spec, "updateStrategy");
	if (strategy && !has(strategy, "type"))
		put(c, strategy, "type", word(c, strategy, "OnDelete"));
}

/* Metrics: targets had a key for each of their types. */
static void take_target(struct convert *c, struct ynode *metric, struct ynode **target,
			const char *old, const char *type, const char *key)
{
	struct ynode *value = take(metric, old);

	if (!value)
		return;
	if (!*target) {
		*target = new_node(c, Y_MAP, value);
		put(c, *target, "type", word(c, value, type));
	}
	put(c, *target, key, value);
}

static void take_metric(struct convert *c, struct ynode *source, const char *name,
			const char *selector)
{
	struct ynode *text = take(source, name), *labels = take(source, selector);

	if (!text)
		return;
	struct ynode *metric = new_node(c, Y_MAP, text);
	put(c, metric, "name", text);
	if (labels)
		put(c, metric, "selector", labels);
	put(c, source, "metric", metric);
}

static void metric_resource(struct convert *c, struct ynode *source)
{
	struct ynode *target = NULL;

	take_target(c, source, &target, "targetAverageUtilization", "Utilization",
		    "averageUtilization");
	take_target(c, source, &target, "targetAverageValue", "AverageValue", "averageValue");
	if (target)
		put(c, source, "target", target);
}

static void metric_pods(struct convert *c, struct ynode *source)
{
	struct ynode *target = NULL;

	take_metric(c, source, "metricName", "selector");
	take_target(c, source, &target, "targetAverageValue", "AverageValue", "averageValue");
	if (target)
		put(c, source, "target", target);
}

static void metric_object(struct convert *c, struct ynode *source)
{
	struct ynode *target = NULL;

	take_metric(c, source, "metricName", "selector");
	rename_key(c, source, "target", "describedObject");
	take_target(c, source, &target, "averageValue", "AverageValue", "averageValue");
	take_target(c, source, &target, "targetValue", "Value", "value");
	if (target && place(target, "averageValue") >= 0)
		take(target, "value");
	if (target)
		put(c, source, "target", target);
}

static void metric_external(struct convert *c, struct ynode *source)
{
	struct ynode *target = NULL;

	take_metric(c, source, "metricName", "metricSelector");
	take_target(c, source, &target, "targetAverageValue", "AverageValue", "averageValue");
	take_target(c, source, &target, "targetValue", "Value", "value");
	if (target)
		put(c, source, "target", target);
}

static void convert_metrics(struct convert *c, struct ynode *list)
{
	static const struct { const char *key; conversion convert; } sources[] = {
		{ "resource", metric_resource }, { "containerResource", metric_resource },
		{ "pods", metric_pods }, { "object", metric_object },
		{ "external", metric_external },
	};

	for (uint32_t i = 0; i < list->n; i++) {
		struct ynode *metric = element(c, list, i);

		for (size_t k = 0; metric && k < ARRAY_SIZE(sources); k++) {
			struct ynode *source = enter(c, metric, sources[k].key, Y_MAP);
			if (source)
				sources[k].convert(c, source);
		}
	}
}

static void hpa_beta1(struct convert *c, struct ynode *root)
{
	struct ynode *metrics = enter(c, enter(c, root, "spec", Y_MAP), "metrics", Y_SEQ);

	if (metrics)
		convert_metrics(c, metrics);
}

static void place_all(struct ynode *n, const struct ynode *at)
{
	n->line = at->line;
	n->col = at->col;
	for (uint32_t i = 0; i < n->n; i++) {
		if (n->kind == Y_MAP)
			place_all(n->keys[i], at);
		place_all(n->values[i], at);
	}
}

/* JSON in an annotation, which is taken out; NULL when there is none. */
static struct ynode *take_json(struct convert *c, struct ynode *annotations, const char *key,
			       enum ynode_kind kind)
{
	struct ynode *text = annotations ? take(annotations, key) : NULL;
	struct msgs ignored = { .arena = c->a };
	struct yaml_docs docs = { 0 };

	if (!text)
		return NULL;
	if (text->kind != Y_SCALAR ||
	    yaml_parse(c->a, c->file, text->text, text->len, &docs, &ignored) < 0 || docs.n != 1 ||
	    docs.v[0].root->kind != kind) {
		BUF_AUTO path = { 0 };
		buf_printf(&path, "metadata.annotations[%s]", key);
		msgs_add(c->m, false, c->file, text->line, text->col, buf_str(&path),
			 "expected %s as JSON", kind == Y_SEQ ? "a list" : "an object");
		c->r = -EINVAL;
		return NULL;
	}
	place_all(docs.v[0].root, text);
	return docs.v[0].root;
}

static void put_cpu(struct convert *c, struct ynode *metrics, struct ynode *percent)
{
	struct ynode *metric = new_node(c, Y_MAP, percent), *cpu = new_node(c, Y_MAP, percent);
	struct ynode *target = new_node(c, Y_MAP, percent);

	put(c, target, "type", word(c, percent, "Utilization"));
	put(c, target, "averageUtilization", percent);
	put(c, cpu, "name", word(c, percent, "cpu"));
	put(c, cpu, "target", target);
	put(c, metric, "type", word(c, percent, "Resource"));
	put(c, metric, "resource", cpu);
	metrics->values = copy_array(c, metrics->values, metrics->n);
	metrics->values[metrics->n++] = metric;
}

/* autoscaling/v1 has one metric; what came later is in annotations. */
static void hpa_v1(struct convert *c, struct ynode *root)
{
	static const char prefix[] = "autoscaling.alpha.kubernetes.io/";
	struct ynode *meta = enter(c, root, "metadata", Y_MAP);
	struct ynode *notes = enter(c, meta, "annotations", Y_MAP);
	struct ynode *spec = enter(c, root, "spec", Y_MAP);
	char key[80];

	if (!spec)
		return;
	snprintf(key, sizeof(key), "%smetrics", prefix);
	struct ynode *metrics = take_json(c, notes, key, Y_SEQ);
	snprintf(key, sizeof(key), "%sbehavior", prefix);
	struct ynode *behavior = take_json(c, notes, key, Y_MAP);
	struct ynode *percent = take(spec, "targetCPUUtilizationPercentage");
	if (metrics)
		convert_metrics(c, metrics);
	if (percent) {
		metrics = metrics ? metrics : new_node(c, Y_SEQ, percent);
		put_cpu(c, metrics, percent);
	}
	if (metrics)
		put(c, spec, "metrics", metrics);
	if (behavior)
		put(c, spec, "behavior", behavior);
	if (notes && !notes->n)
		take(meta, "annotations");
}

/* An empty selector was none; today it is everything. */
static void pdb_beta1(struct convert *c, struct ynode *root)
{
	struct ynode *spec = enter(c, root, "spec", Y_MAP);
	const struct ynode *selector = spec ? ynode_get(spec, "selector") : NULL;

	if (selector && selector->kind == Y_MAP && !selector->n)
		take(spec, "selector");
}

static void convert_backend(struct convert *c, struct ynode *backend)
{
	struct ynode *name = take(backend, "serviceName"), *port = take(backend, "servicePort");

	if (!name && !port)
		return;
	const struct ynode *at = name ? name : port;
	struct ynode *service = new_node(c, Y_MAP, at);
	if (name)
		put(c, service, "name", name);
	if (port) {
		bool num = port->kind == Y_SCALAR && port->plain &&
			   scalar_resolve(port).type == SCALAR_INT;
		struct ynode *under = new_node(c, Y_MAP, port);
		put(c, under, num ? "number" : "name", port);
		put(c, service, "port", under);
	}
	put(c, backend, "service", service);
}

static void convert_path(struct convert *c, struct ynode *path)
{
	struct ynode *backend = enter(c, path, "backend", Y_MAP);

	if (backend)
		convert_backend(c, backend);
	if (!has(path, "pathType"))
		put(c, path, "pathType", word(c, path, "ImplementationSpecific"));
}

static void ingress_beta1(struct convert *c, struct ynode *root)
{
	struct ynode *spec = enter(c, root, "spec", Y_MAP);
	struct ynode *rules = enter(c, spec, "rules", Y_SEQ);

	if (!spec)
		return;
	rename_key(c, spec, "backend", "defaultBackend");
	struct ynode *backend = enter(c, spec, "defaultBackend", Y_MAP);
	if (backend)
		convert_backend(c, backend);
	for (uint32_t i = 0; rules && i < rules->n; i++) {
		struct ynode *http = enter(c, element(c, rules, i), "http", Y_MAP);
		struct ynode *paths = enter(c, http, "paths", Y_SEQ);

		for (uint32_t k = 0; paths && k < paths->n; k++) {
			struct ynode *path = element(c, paths, k);
			if (path)
				convert_path(c, path);
		}
	}
}

static void slice_beta1(struct convert *c, struct ynode *root)
{
	struct ynode *list = enter(c, root, "endpoints", Y_SEQ);

	for (uint32_t i = 0; list && i < list->n; i++) {
		struct ynode *endpoint = element(c, list, i);
		struct ynode *topology = enter(c, endpoint, "topology", Y_MAP);

		if (!topology)
			continue;
		struct ynode *node = take(topology, "kubernetes.io/hostname");
		struct ynode *zone = take(topology, "topology.kubernetes.io/zone");
		if (node && !has(endpoint, "nodeName"))
			put(c, endpoint, "nodeName", node);
		if (zone)
			put(c, endpoint, "zone", zone);
		rename_key(c, endpoint, "topology", "deprecatedTopology");
		if (!topology->n)
			take(endpoint, "deprecatedTopology");
	}
}

static void runtime_class_alpha1(struct convert *c, struct ynode *root)
{
	struct ynode *spec = take(root, "spec");

	if (!spec || spec->kind != Y_MAP)
		return;
	spec = copy_node(c, spec);
	rename_key(c, spec, "runtimeHandler", "handler");
	for (uint32_t i = 0; i < spec->n; i++)
		put(c, root, spec->keys[i]->text, spec->values[i]);
}

static const struct conversion_row {
	const char *api, *kind, *now;
	conversion convert;		/* NULL: nothing but the version has changed */
	bool served;			/* no reason to warn */
} rows[] = {
	{ "extensions/v1beta1", "Deployment", "apps/v1", deployment_extensions, false },
	{ "extensions/v1beta1", "ReplicaSet", "apps/v1", workload_labels, false },
	{ "extensions/v1beta1", "DaemonSet", "apps/v1", update_on_delete, false },
	{ "extensions/v1beta1", "Ingress", "networking.k8s.io/v1", ingress_beta1, false },
	{ "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1", NULL, false },
	{ "apps/v1beta1", "Deployment", "apps/v1", deployment_beta1, false },
	{ "apps/v1beta1", "StatefulSet", "apps/v1", update_on_delete, false },
	{ "apps/v1beta2", "Deployment", "apps/v1", NULL, false },
	{ "apps/v1beta2", "ReplicaSet", "apps/v1", NULL, false },
	{ "apps/v1beta2", "StatefulSet", "apps/v1", NULL, false },
	{ "apps/v1beta2", "DaemonSet", "apps/v1", NULL, false },
	{ "batch/v1beta1", "CronJob", "batch/v1", NULL, false },
	{ "batch/v2alpha1", "CronJob", "batch/v1", NULL, false },
	{ "autoscaling/v1", "HorizontalPodAutoscaler", "autoscaling/v2", hpa_v1, true },
	{ "autoscaling/v2alpha1", "HorizontalPodAutoscaler", "autoscaling/v2", hpa_beta1, false },
	{ "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2", hpa_beta1, false },
	{ "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2", NULL, false },
	{ "policy/v1beta1", "PodDisruptionBudget", "policy/v1", pdb_beta1, false },
	{ "networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1", ingress_beta1, false },
	{ "networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1", NULL, false },
	{ "discovery.k8s.io/v1alpha1", "EndpointSlice", "discovery.k8s.io/v1", slice_beta1,
	  false },
	{ "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1", slice_beta1, false },
	{ "scheduling.k8s.io/v1alpha1", "PriorityClass", "scheduling.k8s.io/v1", NULL, false },
	{ "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1", NULL, false },
	{ "storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1", NULL, false },
	{ "node.k8s.io/v1alpha1", "RuntimeClass", "node.k8s.io/v1", runtime_class_alpha1, false },
	{ "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1", NULL, false },
};

static const struct conversion_row *find_row(const char *api, const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (streq(rows[i].api, api) && streq(rows[i].kind, kind))
			return &rows[i];
	}
	return NULL;
}

bool version_is_converted(const char *api, const char *kind)
{
	return find_row(api, kind);
}

const char *version_converted(const char *kind, unsigned i)
{
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		if (streq(rows[k].kind, kind) && i-- == 0)
			return rows[k].api;
	}
	return NULL;
}

static const char *text_of(const struct ynode *n)
{
	return n && n->kind == Y_SCALAR ? n->text : "";
}

int document_convert(struct arena *a, const char *file, const struct ynode *doc,
		     const struct ynode **ret, struct msgs *m)
{
	struct convert c = { .a = a, .file = file, .m = m };

	*ret = doc;
	if (doc->kind != Y_MAP)
		return 0;
	const struct ynode *api = ynode_get(doc, "apiVersion");
	const struct conversion_row *row = find_row(text_of(api), text_of(ynode_get(doc, "kind")));
	if (!row)
		return 0;
	if (!row->served)
		msgs_add(m, true, file, api->line, api->col, "apiVersion",
			 "Kubernetes has %s of %s no more; read as %s", row->kind, row->api,
			 row->now);
	struct ynode *root = copy_node(&c, doc);
	put(&c, root, "apiVersion", word(&c, api, row->now));
	if (row->convert)
		row->convert(&c, root);
	*ret = root;
	return c.r;
}
