/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one metric of an autoscaler asks for: the use of cpu or memory by the pods, or by one container
 * of each, against what they request or an amount. Pods that are not ready yet, and those that nothing
 * is known of, are counted so that they hold back whatever they would otherwise drive.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
#include "control/hpa.h"

#include <math.h>

#define CPU_INITIALIZATION (300 * NSEC)
#define TOLERANCE 0.1

/* One resource; container NULL: of all containers. */
struct gauge {
	const char *resource, *container;
	bool cpu;
	const struct metric_target *target;
};

/* A pod in it: what it uses, requests, and whether that counts as it is. */
struct reading { const struct member *pod; double use, request; bool missing, unready; };
struct readings { struct reading *v; uint32_t n; };

static bool is_metered(const struct gauge *g, const struct container *c)
{
	return !g->container || streq(g->container, c->name);
}

/* Init containers have ended, sidecars go on. False: something is not known. */
static bool use_of(const struct gauge *g, const struct member *m, double *ret,
		   const struct container_use **ret_last)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	bool any = false;

	*ret = 0;
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct container *c = pod_container(s, i);
		const struct observed_container *o = member_container(m, c->name);

		if (!is_metered(g, c) || pod_container_role(s, i) == ROLE_INIT)
			continue;
		if (!o || !o->used.at)
			return false;
		*ret += (double)(g->cpu ? o->used.cpu_milli : o->used.memory * 1000);
		*ret_last = &o->used;
		any = true;
	}
	return any;
}

/* NULL: every container that counts has a request; else the name of one that does not. */
static const char *request_of(const struct gauge *g, const struct member *m, double *ret)
{
	const struct pod_spec *s = &m->want.object.pod->spec;

	*ret = 0;
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct container *c = pod_container(s, i);
		const struct quantity *q = c->resources ?
			qtymap_get(&c->resources->requests, g->resource) : NULL;

		if (!is_metered(g, c) || pod_container_role(s, i) == ROLE_INIT)
			continue;
		if (!q)
			return c->name;
		*ret += (double)q->milli;
	}
	return NULL;
}

/* Of a pod that starts, cpu says little until it was ready for as long as it was measured. */
static bool starts(const struct autoscaler *h, const struct member *m, int64_t at, int64_t window)
{
	if (h->p->in->now >= m->seen->created_at + CPU_INITIALIZATION)
		return false;
	return !m->ready || at - m->seen->ready_since < window;
}

static bool is_pending(const struct member *m)
{
	const struct pod_spec *s = &m->want.object.pod->spec;

	for (uint32_t i = 0; i < s->containers.n; i++) {
		const struct observed_container *o = member_container(m, s->containers.v[i].name);

		if (!o || o->phase == RUN_CREATED)
			return true;
	}
	return false;
}

static void read_pod(struct autoscaler *h, const struct gauge *g, const struct member *m,
		     struct readings *l)
{
	struct reading r = { .pod = m };
	const struct container_use *last = NULL;

	if (m->want.stop || m->finished || m->lost)
		return;
	r.unready = !m->seen || is_pending(m);
	r.missing = !r.unready && !use_of(g, m, &r.use, &last);
	if (!r.unready && !r.missing && g->cpu)
		r.unready = starts(h, m, last->at, last->window);
	*arena_push(h->p->a, l) = r;
}

/* The sums over those that count as they are, or over all with what is assumed of the others. */
struct sums { double use, goal; uint32_t n; };

static double goal_of(const struct gauge *g, const struct reading *r)
{
	return g->target->type == TARGET_UTILIZATION ?
		r->request * g->target->average_utilization / 100 :
		(double)g->target->average_value.milli;
}

static struct sums add_up(const struct gauge *g, const struct readings *l, const double *up)
{
	struct sums s = { 0 };

	for (uint32_t i = 0; i < l->n; i++) {
		const struct reading *r = &l->v[i];
		double use = r->use, goal = goal_of(g, r);

		if ((r->unready && (!up || *up <= 1)) || (r->missing && !up))
			continue;
		if (r->unready || (r->missing && *up > 1))
			use = 0;
		else if (r->missing)
			use = g->target->type == TARGET_UTILIZATION ? MAX(r->request, goal) : goal;
		s.use += use;
		s.goal += goal;
		s.n++;
	}
	return s;
}

static bool is_near(const struct autoscaler *h, double ratio)
{
	const struct hpa_behavior *b = h->spec->behavior;
	const struct hpa_scaling_rules *r = !b ? NULL : ratio > 1 ? b->scale_up : b->scale_down;
	double tolerance = r && HAS(r, hpa_scaling_rules, tolerance) ?
		(double)r->tolerance.milli / 1000 : TOLERANCE;

	return fabs(ratio - 1) <= tolerance;
}

static int32_t rounded(double n)
{
	return (int32_t)MIN(ceil(n - 1e-9), (double)INT32_MAX);
}

/* Kubernetes' ReplicaCalculator. */
static int32_t replicas_for(const struct autoscaler *h, const struct gauge *g,
			    const struct readings *l, const struct sums *plain)
{
	double ratio = plain->use / plain->goal;
	bool others = false;

	for (uint32_t i = 0; i < l->n; i++)
		others |= l->v[i].missing || (l->v[i].unready && ratio > 1);
	if (!others)
		return is_near(h, ratio) ? h->current : rounded(ratio * plain->n);
	struct sums all = add_up(g, l, &ratio);
	double then = all.use / all.goal;
	int32_t n = rounded(then * all.n);
	if (is_near(h, then) || (ratio < 1) != (then < 1))
		return h->current;
	if (then < 1 ? n > h->current : n < h->current)
		return h->current;
	return n;
}

/* ---- one metric ---- */

static struct quantity amount(struct arena *a, const struct gauge *g, double milli)
{
	struct quantity q = quantity_from_milli(a, (int64_t)milli);

	return g->cpu ? q : quantity_from_milli(a, quantity_value(&q) * 1000);
}

static struct metric_value_status *value_of(struct arena *a, const struct gauge *g,
					    const struct readings *l, const struct sums *s)
{
	struct metric_value_status *v = arena_new(a, struct metric_value_status);
	double requests = 0;

	for (uint32_t i = 0; i < l->n; i++)
		if (!l->v[i].missing && !l->v[i].unready)
			requests += l->v[i].request;
	v->average_value = amount(a, g, s->use / s->n);
	if (g->target->type == TARGET_UTILIZATION)
		v->average_utilization = (int32_t)(s->use * 100 / requests);
	return v;
}

static void show(struct autoscaler *h, const struct metric_spec *m, const struct gauge *g,
		 struct metric_value_status *now)
{
	struct metric_status *s = arena_push(h->p->a, &h->status->current_metrics);

	s->type = m->type;
	if (g->container) {
		s->container_resource = arena_new(h->p->a, struct container_resource_metric_status);
		s->container_resource->name = g->resource;
		s->container_resource->container = g->container;
		s->container_resource->current = now;
	} else {
		s->resource = arena_new(h->p->a, struct resource_metric_status);
		s->resource->name = g->resource;
		s->resource->current = now;
	}
}

static struct hpa_proposal invalid(const char *reason, const char *message)
{
	return (struct hpa_proposal){ .reason = reason, .message = message };
}

/* False: of no resource that is measured here. */
static bool gauge_of(const struct metric_spec *m, struct gauge *g)
{
	*g = (struct gauge){ 0 };
	if (m->type == METRIC_RESOURCE && m->resource) {
		g->resource = m->resource->name;
		g->target = m->resource->target;
	} else if (m->type == METRIC_CONTAINER_RESOURCE && m->container_resource) {
		g->resource = m->container_resource->name;
		g->container = m->container_resource->container;
		g->target = m->container_resource->target;
	}
	g->cpu = g->resource && streq(g->resource, "cpu");
	return g->resource && (g->cpu || streq(g->resource, "memory"));
}

static const char *failed_get(const struct gauge *g)
{
	return g->container ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric";
}

/* NULL: all requests are known. */
static const char *take_requests(struct autoscaler *h, const struct gauge *g, struct readings *l)
{
	for (uint32_t i = 0; g->target->type == TARGET_UTILIZATION && i < l->n; i++) {
		const char *lacks = request_of(g, l->v[i].pod, &l->v[i].request);

		if (lacks)
			return arena_printf(h->p->a, "failed to get %s utilization: missing request for "
					    "%s in container %s of Pod %s", g->resource, g->resource,
					    lacks, l->v[i].pod->want.object.meta->name);
	}
	return NULL;
}

struct hpa_proposal hpa_metric(struct autoscaler *h, const struct metric_spec *m)
{
	struct arena *a = h->p->a;
	struct readings l = { 0 };
	struct gauge g;
	const char *why;

	if (!gauge_of(m, &g))
		return invalid("InvalidMetricSourceType", "orch measures cpu and memory of pods and "
							  "containers, and nothing else");
	for (uint32_t i = 0; i < h->pods.n; i++)
		read_pod(h, &g, h->pods.v[i], &l);
	if ((why = take_requests(h, &g, &l)))
		return invalid(failed_get(&g), why);
	struct sums plain = add_up(&g, &l, NULL);
	if (!plain.n || plain.goal <= 0)
		return invalid(failed_get(&g),
			       arena_printf(a, "failed to get %s utilization: did not receive metrics for "
					    "targeted pods (pods might be unready)", g.resource));
	show(h, m, &g, value_of(a, &g, &l, &plain));
	return (struct hpa_proposal){
		.valid = true,
		.replicas = replicas_for(h, &g, &l, &plain),
		.name = arena_printf(a, "%s %s%s", g.resource, g.container ? "container " : "",
				     g.target->type == TARGET_UTILIZATION ?
				     "resource utilization (percentage of request)" : "resource"),
	};
}
