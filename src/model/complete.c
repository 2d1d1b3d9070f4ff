/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file leaves open and no row's default can say, because it depends on other fields.
 * What is filled in here is not marked as written. Doing it twice changes nothing, so that an
 * object and its dump have the same digest.
 */
#include <string.h>

#include "base/macro.h"
#include "base/reference.h"
#include "model/build.h"
#include "schema/schema.h"

/* 0 in a probe means its default, as in Kubernetes. */
static void complete_probe(struct arena *a, struct probe *p)
{
	if (!p)
		return;
	if (!p->timeout_seconds)
		p->timeout_seconds = 1;
	if (!p->period_seconds)
		p->period_seconds = 10;
	if (!p->success_threshold)
		p->success_threshold = 1;
	if (!p->failure_threshold)
		p->failure_threshold = 3;
	if (p->http_get && p->http_get->path[0] != '/')
		p->http_get->path = arena_printf(a, "/%s", p->http_get->path);
}

static const char *from_root(struct arena *a, const char *path)
{
	return *path && *path != '/' ? arena_printf(a, "/%s", path) : path;
}

static void complete_container(struct arena *a, const struct pod_spec *s, struct container *c)
{
	if (!c->image_pull_policy)
		c->image_pull_policy = reference_floats(c->image) ? PULL_ALWAYS :
								 PULL_IF_NOT_PRESENT;
	if (c->termination_message_path && !*c->termination_message_path)
		c->termination_message_path = "/dev/termination-log";
	for (uint32_t i = 0; i < c->volume_mounts.n; i++) {
		struct volume_mount *m = &c->volume_mounts.v[i];

		m->mount_path = from_root(a, m->mount_path);
	}
	for (uint32_t i = 0; s->host_network && i < c->ports.n; i++) {
		struct container_port *p = &c->ports.v[i];

		if (!p->host_port)
			p->host_port = p->container_port;
	}
	complete_probe(a, c->liveness_probe);
	complete_probe(a, c->readiness_probe);
	complete_probe(a, c->startup_probe);
}

static void complete_volume(struct arena *a, struct volume *v)
{
	for (unsigned i = volume_name_row + 1; i < volume_rows; i++) {
		if (*(void **)((char *)v + volume_type.fields[i].offset)) {
			if (v->host_path)
				v->host_path->path = from_root(a, v->host_path->path);
			return;
		}
	}
	v->empty_dir = arena_new(a, struct empty_dir_volume);
	schema_defaults(a, &empty_dir_volume_type, v->empty_dir);
}

void pod_spec_complete(struct arena *a, struct pod_spec *s)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++)
		complete_container(a, s, pod_container(s, i));
	for (uint32_t i = 0; i < s->volumes.n; i++)
		complete_volume(a, &s->volumes.v[i]);
	if (s->termination_grace_period_seconds < 0)
		s->termination_grace_period_seconds = 1;
	if (s->service_account && *s->service_account &&
	    !HAS(s, pod_spec, service_account_name)) {
		s->service_account_name = s->service_account;
		MARK(s, pod_spec, service_account_name);
	}
}

/* A copy of a sorted array of pairs that begin with their key, with room for key k; *ret_at is
 * its place. Decoded arrays have no room of their own. */
static void *with_room(struct arena *a, const void *v, uint32_t n, size_t size, const char *k,
		       uint32_t *ret_at)
{
	char *grown = arena_alloc(a, (n + 1) * size);
	uint32_t at = 0;

	while (at < n && strcmp(*(const char *const *)((const char *)v + at * size), k) < 0)
		at++;
	if (n) {
		memcpy(grown, v, at * size);
		memcpy(grown + (at + 1) * size, (const char *)v + at * size, (n - at) * size);
	}
	*ret_at = at;
	return grown;
}

/* Of pods only: in a template a request that is missing stays missing, as in Kubernetes. */
static void complete_requests(struct arena *a, struct pod_spec *s)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		struct resource_requirements *r = pod_container(s, i)->resources;

		for (uint32_t k = 0; r && k < r->limits.n; k++) {
			if (!qtymap_get(&r->requests, r->limits.v[k].k))
				qtymap_set(a, &r->requests, r->limits.v[k].k, r->limits.v[k].v);
		}
	}
}

static void complete_namespace(struct arena *a, struct object *o)
{
	strmap_set(a, &o->meta->labels, "kubernetes.io/metadata.name", o->meta->name);
}

static void bytemap_set(struct arena *a, struct bytemap *m, const char *k, struct bytes v)
{
	uint32_t at;

	for (uint32_t i = 0; i < m->n; i++) {
		if (streq(m->v[i].k, k)) {
			m->v[i].v = v;
			return;
		}
	}
	m->v = with_room(a, m->v, m->n++, sizeof(*m->v), k, &at);
	m->v[at] = (struct bytepair){ k, v };
}

/* stringData is only a way to write: what counts, and is ever shown, is data. */
static void complete_secret(struct arena *a, struct object *o)
{
	struct secret *s = o->secret;

	for (uint32_t i = 0; i < s->string_data.n; i++) {
		const struct strpair *p = &s->string_data.v[i];

		bytemap_set(a, &s->data, p->k, (struct bytes){ p->v, strlen(p->v) });
	}
	if (s->string_data.n)
		MARK(s, secret, data);
	s->string_data = (struct strmap){ 0 };
	s->node.set &= ~(UINT64_C(1) << secret_string_data_row);
}

static void complete_affinity(struct arena *a, struct service_spec *s)
{
	if (!s->session_affinity_config) {
		s->session_affinity_config = arena_new(a, struct session_affinity_config);
		schema_defaults(a, &session_affinity_config_type, s->session_affinity_config);
	}
	struct session_affinity_config *c = s->session_affinity_config;
	if (!c->client_ip) {
		c->client_ip = arena_new(a, struct client_ip_config);
		schema_defaults(a, &client_ip_config_type, c->client_ip);
	}
}

static void complete_service(struct arena *a, struct object *o)
{
	struct service_spec *s = &o->service->spec;
	bool balancer = s->type == SERVICE_LOAD_BALANCER;

	for (uint32_t i = 0; i < s->ports.n; i++) {
		struct intstr *target = &s->ports.v[i].target_port;

		if (target->str ? !*target->str : !target->num)
			*target = (struct intstr){ .num = s->ports.v[i].port };
	}
	if (s->cluster_ip && !*s->cluster_ip)
		s->cluster_ip = NULL;
	if ((s->type == SERVICE_NODE_PORT || balancer) && !s->external_traffic_policy)
		s->external_traffic_policy = TRAFFIC_CLUSTER;
	if (balancer && !HAS(s, service_spec, allocate_load_balancer_node_ports))
		s->allocate_load_balancer_node_ports = true;
	if (s->session_affinity == AFFINITY_CLIENT_IP)
		complete_affinity(a, s);
}

static void complete_network_policy(struct arena *a, struct object *o)
{
	struct network_policy_spec *s = &o->network_policy->spec;

	if (s->policy_types.n)
		return;
	*arena_push(a, &s->policy_types) = "Ingress";
	if (s->egress.n)
		*arena_push(a, &s->policy_types) = "Egress";
}

/* What to has not, it takes from from. */
static void qtymap_fill(struct arena *a, struct qtymap *to, const struct qtymap *from)
{
	for (uint32_t i = 0; i < from->n; i++) {
		if (!qtymap_get(to, from->v[i].k))
			qtymap_set(a, to, from->v[i].k, from->v[i].v);
	}
}

static void complete_limit_range(struct arena *a, struct object *o)
{
	struct limit_range_item_list *l = &o->limit_range->spec.limits;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].type != LIMIT_CONTAINER)
			continue;
		qtymap_fill(a, &l->v[i].dflt, &l->v[i].max);
		qtymap_fill(a, &l->v[i].default_request, &l->v[i].dflt);
		qtymap_fill(a, &l->v[i].default_request, &l->v[i].min);
	}
}

static void complete_pod(struct arena *a, struct object *o)
{
	pod_spec_complete(a, &o->pod->spec);
	complete_requests(a, &o->pod->spec);
}

static void complete_template(struct arena *a, struct object *o)
{
	const char *path;

	pod_spec_complete(a, object_pod_spec(o, &path));
}

static void complete_deployment(struct arena *a, struct object *o)
{
	struct deployment_strategy *s = &o->deployment->spec.strategy;

	complete_template(a, o);
	if (s->type != STRATEGY_ROLLING_UPDATE || s->rolling_update)
		return;
	s->rolling_update = arena_new(a, struct rolling_update);
	schema_defaults(a, &rolling_update_type, s->rolling_update);
}

static void copy_labels(struct arena *a, struct strmap *to, const struct strmap *from)
{
	if (to->n || !from->n)
		return;
	to->v = arena_array(a, struct strpair, from->n);
	memcpy(to->v, from->v, from->n * sizeof(*from->v));
	to->n = from->n;
}

static void complete_replication_controller(struct arena *a, struct object *o)
{
	struct replication_controller_spec *s = &o->replication_controller->spec;

	complete_template(a, o);
	copy_labels(a, &s->selector, &s->template->metadata.labels);
	copy_labels(a, &o->meta->labels, &s->template->metadata.labels);
}

static void complete_statefulset(struct arena *a, struct object *o)
{
	struct statefulset_update_strategy *s = &o->statefulset->spec.update_strategy;

	complete_template(a, o);
	if (s->type != UPDATE_ROLLING || s->rolling_update)
		return;
	s->rolling_update = arena_new(a, struct statefulset_rolling_update);
	schema_defaults(a, &statefulset_rolling_update_type, s->rolling_update);
}

static void complete_daemonset(struct arena *a, struct object *o)
{
	struct daemonset_update_strategy *s = &o->daemonset->spec.update_strategy;

	complete_template(a, o);
	if (s->type != UPDATE_ROLLING || s->rolling_update)
		return;
	s->rolling_update = arena_new(a, struct daemonset_rolling_update);
	schema_defaults(a, &daemonset_rolling_update_type, s->rolling_update);
}

static void complete_job_spec(struct job_spec *s)
{
	bool per_index = HAS(s, job_spec, backoff_limit_per_index);

	if (!HAS(s, job_spec, completions) && !HAS(s, job_spec, parallelism))
		s->completions = 1;
	if (!HAS(s, job_spec, backoff_limit))
		s->backoff_limit = per_index ? INT32_MAX : 6;
	if (!s->pod_replacement_policy)
		s->pod_replacement_policy = s->pod_failure_policy ?
			REPLACE_FAILED : REPLACE_TERMINATING_OR_FAILED;
}

static void complete_job(struct arena *a, struct object *o)
{
	complete_template(a, o);
	complete_job_spec(&o->job->spec);
	copy_labels(a, &o->meta->labels, &o->job->spec.template->metadata.labels);
}

static void complete_cronjob(struct arena *a, struct object *o)
{
	complete_template(a, o);
	complete_job_spec(&o->cronjob->spec.job_template->spec);
}

static struct hpa_scaling_rules *complete_rules(struct arena *a, struct hpa_scaling_rules *r,
						const struct hpa_scaling_policy *policies,
						uint32_t n, int window)
{
	if (!r) {
		r = arena_new(a, struct hpa_scaling_rules);
		schema_defaults(a, &hpa_scaling_rules_type, r);
	}
	if (!HAS(r, hpa_scaling_rules, stabilization_window_seconds))
		r->stabilization_window_seconds = window;
	if (!r->policies.n) {
		r->policies.v = arena_array(a, struct hpa_scaling_policy, n);
		memcpy(r->policies.v, policies, n * sizeof(*policies));
		r->policies.n = n;
	}
	return r;
}

/* Without metrics it is the processor time that counts. */
static void complete_metrics(struct arena *a, struct hpa_spec *s)
{
	if (s->metrics.n)
		return;
	s->metrics.v = arena_new(a, struct metric_spec);
	s->metrics.n = 1;
	s->metrics.v->type = METRIC_RESOURCE;
	struct resource_metric_source *r = arena_new(a, struct resource_metric_source);
	s->metrics.v->resource = r;
	r->name = "cpu";
	r->target = arena_new(a, struct metric_target);
	r->target->type = TARGET_UTILIZATION;
	r->target->average_utilization = 80;
}

static void complete_hpa(struct arena *a, struct object *o)
{
	static const struct hpa_scaling_policy up[] = {
		{ .type = SCALING_PODS, .value = 4, .period_seconds = 15 },
		{ .type = SCALING_PERCENT, .value = 100, .period_seconds = 15 },
	};
	static const struct hpa_scaling_policy down[] = {
		{ .type = SCALING_PERCENT, .value = 100, .period_seconds = 15 },
	};
	struct hpa_spec *s = &o->hpa->spec;

	complete_metrics(a, s);
	if (!s->behavior)
		s->behavior = arena_new(a, struct hpa_behavior);
	s->behavior->scale_up = complete_rules(a, s->behavior->scale_up, up, ARRAY_SIZE(up), 0);
	s->behavior->scale_down =
		complete_rules(a, s->behavior->scale_down, down, ARRAY_SIZE(down), 300);
}

void object_complete(struct arena *a, struct object *o)
{
	static void (*const by_kind[KIND_COUNT])(struct arena *, struct object *) = {
		[KIND_NAMESPACE] = complete_namespace, [KIND_SECRET] = complete_secret,
		[KIND_NETWORKPOLICY] = complete_network_policy,
		[KIND_LIMITRANGE] = complete_limit_range,
		[KIND_SERVICE] = complete_service, [KIND_POD] = complete_pod,
		[KIND_REPLICASET] = complete_template, [KIND_DEPLOYMENT] = complete_deployment,
		[KIND_REPLICATIONCONTROLLER] = complete_replication_controller,
		[KIND_STATEFULSET] = complete_statefulset, [KIND_DAEMONSET] = complete_daemonset,
		[KIND_JOB] = complete_job, [KIND_CRONJOB] = complete_cronjob,
		[KIND_PODTEMPLATE] = complete_template, [KIND_HPA] = complete_hpa,
	};

	if (o->kind->namespaced && (!o->meta->namespace || !*o->meta->namespace))
		o->meta->namespace = "default";
	if (by_kind[o->kind->id])
		by_kind[o->kind->id](a, o);
}

struct pod_template *object_template(const struct object *o)
{
	switch (o->kind->id) {
	case KIND_REPLICASET:
		return o->replicaset->spec.template;
	case KIND_REPLICATIONCONTROLLER:
		return o->replication_controller->spec.template;
	case KIND_DEPLOYMENT:
		return o->deployment->spec.template;
	case KIND_STATEFULSET:
		return o->statefulset->spec.template;
	case KIND_DAEMONSET:
		return o->daemonset->spec.template;
	case KIND_JOB:
		return o->job->spec.template;
	case KIND_CRONJOB:
		return o->cronjob->spec.job_template->spec.template;
	case KIND_PODTEMPLATE:
		return o->pod_template->template;
	default:
		return NULL;
	}
}

struct pod_spec *object_pod_spec(const struct object *o, const char **ret_path)
{
	static const char *const paths[KIND_COUNT] = {
		[KIND_POD] = "spec", [KIND_PODTEMPLATE] = "template.spec",
		[KIND_CRONJOB] = "spec.jobTemplate.spec.template.spec",
	};
	struct pod_template *t = object_template(o);

	*ret_path = paths[o->kind->id] ? paths[o->kind->id] : "spec.template.spec";
	if (o->kind->id == KIND_POD)
		return &o->pod->spec;
	return t ? &t->spec : NULL;
}

const struct strmap *object_pod_labels(const struct object *o)
{
	struct pod_template *t = object_template(o);

	if (o->kind->id == KIND_POD)
		return &o->meta->labels;
	/* of a template by name nothing makes pods by itself */
	return t && o->kind->id != KIND_PODTEMPLATE ? &t->metadata.labels : NULL;
}
