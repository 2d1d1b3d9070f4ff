/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.k8s.io/v1beta1: what pods and the node use, from the counters of the control groups. A
 * rate takes two looks at a counter: nobody counts between requests, so an answer comes a second
 * after the question. https://github.com/kubernetes/metrics
 */
#include <inttypes.h>

#include "base/macro.h"
#include "daemon/query.h"
#include "sys/node.h"

#define WINDOW (1 * NSEC)

/* The first look. */
struct counted { const char *name; uint64_t cpu_ns; int64_t at; };
struct counted_list { struct counted *v; uint32_t n; };

struct metered {
	const char *ns, *name;
	struct counted_list containers;
};
struct metered_list { struct metered *v; uint32_t n; };

struct measurement {
	struct stream stream;
	struct daemon *d;
	struct arena arena;
	struct loop_timer due;
	bool ready, one;		/* one: an object, else a list */
	bool node;
	struct counted node_before;
	struct metered_list pods;
};

/* ---- writing ---- */

static void put_usage(struct json *j, const struct counted *before, uint64_t cpu_ns, uint64_t memory)
{
	int64_t elapsed = time_mono() - before->at;
	uint64_t used = cpu_ns > before->cpu_ns ? cpu_ns - before->cpu_ns : 0;
	uint64_t rate = elapsed > 0 ? (uint64_t)((double)used * NSEC / (double)elapsed) : 0;
	BUF_AUTO text = { 0 };

	json_key(j, "usage");
	json_begin_object(j);
	buf_printf(&text, "%" PRIu64 "n", rate);
	json_kstr(j, "cpu", buf_str(&text));
	buf_reset(&text);
	buf_printf(&text, "%" PRIu64 "Ki", memory >> 10);
	json_kstr(j, "memory", buf_str(&text));
	json_end_object(j);
}

static void put_labels(struct json *j, const struct strmap *labels)
{
	if (!labels->n)
		return;
	json_key(j, "labels");
	json_begin_object(j);
	for (uint32_t i = 0; i < labels->n; i++)
		json_kstr(j, labels->v[i].k, labels->v[i].v);
	json_end_object(j);
}

static void begin_item(struct json *j, const char *kind, bool one)
{
	json_begin_object(j);
	if (!one)
		return;
	json_kstr(j, "kind", kind);
	json_kstr(j, "apiVersion", METRICS_VERSION);
}

static void put_head(struct json *j, const char *ns, const char *name, const struct strmap *labels)
{
	char now[32];

	time_format(time_now(), now);
	json_key(j, "metadata");
	json_begin_object(j);
	json_kstr(j, "name", name);
	if (ns)
		json_kstr(j, "namespace", ns);
	json_kstr(j, "creationTimestamp", now);
	if (labels)
		put_labels(j, labels);
	json_end_object(j);
	json_kstr(j, "timestamp", now);
	json_kstr(j, "window", "1s");
}

static void put_pod(struct json *j, const struct measurement *m, const struct metered *p)
{
	const struct view_entry *e = view_get(m->d->view, KIND_POD, p->ns, p->name);
	struct cgroup_usage u;

	begin_item(j, "PodMetrics", m->one);
	put_head(j, p->ns, p->name, e ? &e->object.meta->labels : NULL);
	json_key(j, "containers");
	json_begin_array(j);
	for (uint32_t i = 0; i < p->containers.n; i++) {
		const struct counted *c = &p->containers.v[i];

		if (runtime_usage(m->d->runtime, p->ns, p->name, c->name, &u, NULL) < 0)
			continue;
		json_begin_object(j);
		json_kstr(j, "name", c->name);
		put_usage(j, c, u.cpu_ns, u.memory - MIN(u.memory_inactive_file, u.memory));
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void put_node(struct json *j, const struct measurement *m)
{
	struct node_usage u = { 0 };

	node_usage(&u, NULL);
	begin_item(j, "NodeMetrics", m->one);
	put_head(j, NULL, m->d->node_name, NULL);
	put_usage(j, &m->node_before, u.cpu_ns, u.memory);
	json_end_object(j);
}

static void put_items(struct json *j, const struct measurement *m)
{
	if (m->node)
		put_node(j, m);
	for (uint32_t i = 0; i < m->pods.n; i++)
		put_pod(j, m, &m->pods.v[i]);
}

static void put_list(struct json *j, const struct measurement *m)
{
	json_begin_object(j);
	json_kstr(j, "kind", m->node ? "NodeMetricsList" : "PodMetricsList");
	json_kstr(j, "apiVersion", METRICS_VERSION);
	json_key(j, "metadata");
	json_raw(j, "{}");
	json_key(j, "items");
	json_begin_array(j);
	put_items(j, m);
	json_end_array(j);
	json_end_object(j);
}

/* ---- the stream ---- */

static bool metrics_more(struct stream *s, struct buf *out)
{
	struct measurement *m = container_of(s, struct measurement, stream);
	struct json j;

	if (!m->ready)
		return true;
	json_init(&j, out, false);
	if (m->one)
		put_items(&j, m);
	else
		put_list(&j, m);
	return false;
}

static void metrics_free(struct stream *s)
{
	struct measurement *m = container_of(s, struct measurement, stream);

	loop_timer_cancel(m->d->loop, &m->due);
	arena_release(&m->arena);
	free(m);
}

static void on_due(struct loop_timer *t)
{
	struct measurement *m = container_of(t, struct measurement, due);

	m->ready = true;
	http_wake(&m->stream);
}

static struct measurement *measurement_new(struct daemon *d, bool one, bool node)
{
	struct measurement *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	*m = (struct measurement){
		.stream = { metrics_more, metrics_free, NULL }, .d = d, .one = one, .node = node,
	};
	return m;
}

static void measurement_start(struct measurement *m, struct reply *r)
{
	loop_timer_at(m->d->loop, &m->due, time_mono() + WINDOW, on_due);
	r->stream = &m->stream;
}

/* ---- pods ---- */

/* The containers that run; a pod without any is none of ours. */
static void look_at(struct measurement *m, const struct object *o)
{
	struct counted_list l = { 0 };
	struct cgroup_usage u;

	for (uint32_t i = 0; i < pod_container_count(&o->pod->spec); i++) {
		const char *name = pod_container(&o->pod->spec, i)->name;

		if (runtime_usage(m->d->runtime, o->meta->namespace, o->meta->name, name, &u,
				  NULL) == 0)
			*arena_push(&m->arena, &l) = (struct counted){
				arena_strdup(&m->arena, name), u.cpu_ns, time_mono(),
			};
	}
	if (l.n)
		*arena_push(&m->arena, &m->pods) = (struct metered){
			arena_strdup(&m->arena, o->meta->namespace),
			arena_strdup(&m->arena, o->meta->name), l,
		};
}

/* args: [namespace] */
void api_pod_metrics_list(struct request *q, struct reply *r)
{
	struct query y = { 0 };
	uint32_t n;
	struct view_entry **v = view_list(q->d->view, KIND_POD, &n);

	if (query_init_kind(q, &y, &kinds[KIND_POD], q->args[0], r) == 0) {
		struct measurement *m = measurement_new(q->d, false, false);

		for (uint32_t i = 0; i < n; i++)
			if (query_matches(&y, &v[i]->object))
				look_at(m, &v[i]->object);
		measurement_start(m, r);
	}
	query_release(&y);
}

/* args: namespace, pod */
void api_pod_metrics(struct request *q, struct reply *r)
{
	const struct view_entry *e = view_get(q->d->view, KIND_POD, q->args[0], q->args[1]);
	struct measurement *m = measurement_new(q->d, true, false);

	if (e)
		look_at(m, &e->object);
	if (m->pods.n) {
		measurement_start(m, r);
		return;
	}
	metrics_free(&m->stream);
	reply_status(r, 404, "NotFound", "podmetrics.metrics.k8s.io \"%s/%s\" not found", q->args[0],
		     q->args[1]);
}

/* ---- the node; args: [name] ---- */

void api_node_metrics(struct request *q, struct reply *r)
{
	struct node_usage u;
	struct err err = { 0 };

	if (q->args[0] && !streq(q->args[0], q->d->node_name)) {
		reply_status(r, 404, "NotFound", "nodemetrics.metrics.k8s.io \"%s\" not found",
			     q->args[0]);
		return;
	}
	if (node_usage(&u, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	struct measurement *m = measurement_new(q->d, q->args[0] != NULL, true);
	m->node_before = (struct counted){ q->d->node_name, u.cpu_ns, time_mono() };
	measurement_start(m, r);
}
