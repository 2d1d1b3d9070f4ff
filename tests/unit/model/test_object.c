/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects: defaults that depend on other fields, dumps that come back, names, arithmetic. */
#include "fixture.h"

#include "model/observed.h"

#define ALL_KINDS                                                                              \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {team: a}}\n"         \
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {x: 'y z'}}\n" \
	"data: {a: \"1\", b.conf: \"x\\ny\\n\"}\nbinaryData: {z: /wA=}\n"                      \
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"                             \
	"data: {k: aGVsbG8=, z: aGVsbG8=}\nstringData: {a: b, z: q}\n"                         \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n"                   \
	"  type: NodePort\n  selector: {app: web}\n  sessionAffinity: ClientIP\n"              \
	"  ports: [{name: a, port: 80}, {name: b, port: 81, targetPort: http, nodePort: 30080}]\n" \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: prod}\nspec:\n"        \
	"  terminationGracePeriodSeconds: -7\n  containers:\n"                                 \
	"  - {name: a, image: 'rootfs:/', resources: {limits: {memory: 1Gi, cpu: 0.5}}}\n"     \
	"  - {name: b, image: 'rootfs:/', env: [{name: A, value: ''}]}\n"                      \
	"---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r}\nspec:\n"             \
	"  replicas: 0\n  selector: {matchExpressions: [{key: a, operator: In, values: [b]}]}\n" \
	"  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: 'rootfs:/'}]}}\n" \
	"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"           \
	"  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n" \
	"    spec:\n      volumes: [{name: v}, {name: h, hostPath: {path: /x, type: Directory}}]\n" \
	"      containers:\n      - name: web\n        image: rootfs:/\n"                      \
	"        ports: [{containerPort: 8080, name: http}]\n"                                 \
	"        resources: {limits: {cpu: 100m}}\n"                                           \
	"        volumeMounts: [{name: v, mountPath: /v, readOnly: true}]\n"                   \
	"        readinessProbe: {httpGet: {path: ready, port: http}, periodSeconds: 0, failureThreshold: 0}\n"

static struct object *one(const struct set *s, enum kind_id kind)
{
	struct object_list l = set_kind(s, kind);

	assert_int_equal(l.n, 1);
	return l.v;
}

static void test_namespace_label(void **state)
{
	const struct object *o = one(set_of(*state, ALL_KINDS), KIND_NAMESPACE);

	assert_string_equal(strmap_get(&o->meta->labels, "kubernetes.io/metadata.name"), "prod");
	assert_null(o->meta->namespace);
}

static void test_secret(void **state)
{
	const struct secret *s = one(set_of(*state, ALL_KINDS), KIND_SECRET)->secret;

	assert_int_equal(s->data.n, 3);
	assert_string_equal(s->data.v[0].k, "a");
	assert_memory_equal(s->data.v[0].v.data, "b", 1);
	assert_memory_equal(s->data.v[1].v.data, "hello", 5);
	assert_int_equal(s->data.v[2].v.len, 1);
	assert_memory_equal(s->data.v[2].v.data, "q", 1);
	assert_int_equal(s->string_data.n, 0);
	assert_string_equal(s->type, "Opaque");
	assert_false(HAS(s, secret, type));
}

static void test_service(void **state)
{
	const struct service_spec *s = &one(set_of(*state, ALL_KINDS), KIND_SERVICE)->service->spec;

	assert_int_equal(s->ports.v[0].target_port.num, 80);
	assert_null(s->ports.v[0].target_port.str);
	assert_false(HAS(&s->ports.v[0], service_port, target_port));
	assert_string_equal(s->ports.v[1].target_port.str, "http");
	assert_true(HAS(&s->ports.v[1], service_port, node_port));
	assert_int_equal(s->session_affinity_config->client_ip->timeout_seconds, 10800);
	assert_int_equal(s->external_traffic_policy, TRAFFIC_CLUSTER);
	assert_null(s->cluster_ip);
}

static void test_pod(void **state)
{
	const struct object *o = one(set_of(*state, ALL_KINDS), KIND_POD);
	const struct pod_spec *s = &o->pod->spec;
	const struct container *c = &s->containers.v[0];

	assert_string_equal(o->meta->namespace, "prod");
	assert_int_equal(s->termination_grace_period_seconds, 1);
	assert_string_equal(qtymap_get(&c->resources->requests, "cpu")->text, "500m");
	assert_string_equal(qtymap_get(&c->resources->requests, "memory")->text, "1Gi");
	assert_false(HAS(c->resources, resource_requirements, requests));
	assert_int_equal(c->image_pull_policy, PULL_IF_NOT_PRESENT);
	assert_true(HAS(&s->containers.v[1].env.v[0], env_var, value));
	assert_string_equal(s->containers.v[1].env.v[0].value, "");
}

static void test_deployment(void **state)
{
	const struct object *o = one(set_of(*state, ALL_KINDS), KIND_DEPLOYMENT);
	const struct deployment_spec *d = &o->deployment->spec;
	const struct container *c = &d->template->spec.containers.v[0];

	assert_string_equal(o->meta->namespace, "default");
	assert_false(HAS(o->meta, meta, namespace));
	assert_int_equal(d->replicas, 1);
	assert_string_equal(d->strategy.rolling_update->max_surge.str, "25%");
	assert_false(HAS(&d->strategy, deployment_strategy, rolling_update));
	assert_int_equal(c->resources->requests.n, 0);
	assert_int_equal(c->readiness_probe->period_seconds, 10);
	assert_true(HAS(c->readiness_probe, probe, period_seconds));
	assert_int_equal(c->readiness_probe->failure_threshold, 3);
	assert_string_equal(c->readiness_probe->http_get->path, "/ready");
	assert_non_null(d->template->spec.volumes.v[0].empty_dir);
	assert_null(d->template->spec.volumes.v[1].empty_dir);
}

/* Whole dumps come back as they were; dumps of what was written give the same digest. */
static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct set *s = set_of(f, ALL_KINDS);

	for (uint32_t i = 0; i < s->objects.n; i++) {
		const struct object *o = &s->objects.v[i];
		const char *full = arena_strdup(&f->arena, json_of(f, o, 0));
		struct err err = { 0 };
		struct object back;

		assert_int_equal(object_parse(&f->arena, full, strlen(full), &back, &err), 0);
		assert_ptr_equal(back.kind, o->kind);
		assert_string_equal(json_of(f, &back, 0), full);
		assert_true(schema_equal(o->kind->type, back.body, o->body));

		const char *written = arena_strdup(&f->arena, json_of(f, o, DUMP_WRITTEN));
		struct manifest *m = good(f, "b.yaml", written);
		assert_int_equal(m->objects.n, 1);
		assert_true(m->objects.v[0].digest == o->digest);
		assert_string_equal(json_of(f, &m->objects.v[0], 0), full);
	}
	assert_int_equal(s->objects.n, 7);
}

/* What orchd adds to an object is part of its record. */
static void test_record(void **state)
{
	struct fixture *f = *state;
	struct object o = object_new(&f->arena, KIND_POD, "prod", "web-1");
	struct object back;

	o.meta->uid = "1-2";
	o.meta->creation_timestamp = 1700000000 * NSEC;
	o.pod->status.phase = "Running";
	const char *text = arena_strdup(&f->arena, json_of(f, &o, 0));
	assert_int_equal(object_parse(&f->arena, text, strlen(text), &back, NULL), 0);
	assert_string_equal(back.meta->uid, "1-2");
	assert_true(back.meta->creation_timestamp == 1700000000 * NSEC);
	assert_string_equal(back.pod->status.phase, "Running");
	assert_string_equal(object_name(&f->arena, &back), "prod/pod/web-1");
}

static void test_bad_records(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {
		"", "{", "[]", "{}", "x", "{\"apiVersion\":\"v1\",\"kind\":\"Nothing\"}",
		"{\"apiVersion\":[],\"kind\":\"Pod\"}", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":{}}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct object o;
		struct err err = { 0 };

		assert_int_equal(object_parse(&f->arena, texts[i], strlen(texts[i]), &o, &err), -EINVAL);
		assert_true(*err.msg);
		assert_null(o.kind);
	}
}

static void test_digest(void **state)
{
	struct fixture *f = *state;
#define MAP(meta, data) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c" meta "}\ndata: {" data "}\n"
	uint64_t d = set_of(f, MAP("", "a: x, b: z"))->objects.v[0].digest;

	assert_true(set_of(f, MAP("", "b: 'z', a: \"x\""))->objects.v[0].digest == d);
	assert_true(set_of(f, MAP(", uid: abc, resourceVersion: '5'", "a: x, b: z"))->objects.v[0].digest == d);
	assert_true(set_of(f, MAP("", "a: x"))->objects.v[0].digest != d);
	assert_true(set_of(f, MAP(", labels: {l: m}", "a: x, b: z"))->objects.v[0].digest != d);
}

static void test_copy(void **state)
{
	struct fixture *f = *state;
	struct set *s = set_of(f, ALL_KINDS);
	struct object *o = one(s, KIND_DEPLOYMENT);
	struct arena a = { 0 };
	struct object copy = object_copy(&a, o);

	assert_ptr_not_equal(copy.deployment, o->deployment);
	assert_ptr_equal(copy.meta, &copy.deployment->metadata);
	assert_true(schema_equal(&deployment_type, copy.body, o->body));
	copy.deployment->spec.template->spec.containers.v[0].name = "other";
	assert_string_equal(o->deployment->spec.template->spec.containers.v[0].name, "web");
	arena_release(&a);
}

static void test_kind_words(void **state)
{
	static const struct { const char *word; enum kind_id kind; } cases[] = {
		{ "deploy", KIND_DEPLOYMENT }, { "Deployment", KIND_DEPLOYMENT },
		{ "DEPLOYMENTS", KIND_DEPLOYMENT }, { "deployments.apps", KIND_DEPLOYMENT },
		{ "deployment.v1.apps", KIND_DEPLOYMENT }, { "po", KIND_POD }, { "pods", KIND_POD },
		{ "pods.v1", KIND_POD }, { "svc", KIND_SERVICE }, { "ns", KIND_NAMESPACE },
		{ "cm", KIND_CONFIGMAP }, { "secret", KIND_SECRET }, { "rs", KIND_REPLICASET },
		{ "ep", KIND_ENDPOINTS }, { "ev", KIND_EVENT }, { "", KIND_COUNT }, { "x", KIND_COUNT },
		{ "deployments.batch", KIND_COUNT }, { "pods.apps", KIND_COUNT }, { "p", KIND_COUNT },
		{ "de", KIND_COUNT }, { ".apps", KIND_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kind *k = kind_by_word(cases[i].word);

		assert_int_equal(k ? k->id : KIND_COUNT, cases[i].kind);
	}
	assert_ptr_equal(kind_find("apps/v1", "Deployment"), &kinds[KIND_DEPLOYMENT]);
	assert_null(kind_find("v1", "Deployment"));
	assert_null(kind_find("apps/v1", "deployment"));
}

static void test_scale(void **state)
{
	static const struct { const char *str; int num, total, up, down; } cases[] = {
		{ NULL, 3, 10, 3, 3 }, { NULL, 0, 10, 0, 0 }, { "25%", 0, 4, 1, 1 }, { "25%", 0, 3, 1, 0 },
		{ "25%", 0, 10, 3, 2 }, { "100%", 0, 7, 7, 7 }, { "0%", 0, 7, 0, 0 }, { "200%", 0, 3, 6, 6 },
		{ "1%", 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct intstr v = { cases[i].str, cases[i].num };

		assert_int_equal(intstr_scale(&v, cases[i].total, true), cases[i].up);
		assert_int_equal(intstr_scale(&v, cases[i].total, false), cases[i].down);
	}
}

static void test_qos(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *a, *b, *qos; } cases[] = {
		{ "{}", "{}", "BestEffort" },
		{ "{limits: {cpu: 1, memory: 1Gi}}", "{limits: {cpu: 1, memory: 1Gi}}", "Guaranteed" },
		{ "{limits: {cpu: 1, memory: 1Gi}}", "{}", "Burstable" },
		{ "{limits: {cpu: 1}}", "{limits: {cpu: 1}}", "Burstable" },
		{ "{requests: {cpu: 1}}", "{}", "Burstable" },
		{ "{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}", "{limits: {cpu: 1, memory: 1Gi}}",
		  "Burstable" },
		{ "{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1000m, memory: 1024Mi}}",
		  "{limits: {cpu: 1, memory: 1Gi}}", "Guaranteed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text = arena_printf(&f->arena,
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
			"  - {name: a, image: 'rootfs:/', resources: %s}\n"
			"  - {name: b, image: 'rootfs:/', resources: %s}\n", cases[i].a, cases[i].b);

		assert_string_equal(pod_qos(&set_of(f, text)->objects.v[0].pod->spec), cases[i].qos);
	}
}

static void test_resources(void **state)
{
	const struct set *s = set_of(*state, ALL_KINDS);
	struct container_resources r =
		container_resources(&one(s, KIND_DEPLOYMENT)->deployment->spec.template->spec.containers.v[0]);

	assert_int_equal(r.cpu_limit_milli, 100);
	assert_int_equal(r.cpu_request_milli, 100);
	assert_int_equal(r.memory_limit, 0);
	r = container_resources(&one(s, KIND_POD)->pod->spec.containers.v[0]);
	assert_int_equal(r.cpu_limit_milli, 500);
	assert_int_equal(r.memory_request, 1 << 30);
	r = container_resources(&one(s, KIND_POD)->pod->spec.containers.v[1]);
	assert_int_equal(r.cpu_limit_milli | r.cpu_request_milli | r.memory_limit | r.memory_request, 0);
}

static void test_ports(void **state)
{
	const struct pod_spec *s =
		&one(set_of(*state, ALL_KINDS), KIND_DEPLOYMENT)->deployment->spec.template->spec;
	struct intstr http = { "http", 0 }, other = { "other", 0 }, number = { NULL, 99 };

	assert_int_equal(pod_port(s, &http, PROTOCOL_TCP), 8080);
	assert_int_equal(pod_port(s, &http, protocol_unset), 8080);
	assert_int_equal(pod_port(s, &http, PROTOCOL_UDP), 0);
	assert_int_equal(pod_port(s, &other, PROTOCOL_TCP), 0);
	assert_int_equal(pod_port(s, &number, PROTOCOL_UDP), 99);
}

static void test_observed(void **state)
{
	struct fixture *f = *state;
	static const char *const names[][2] = { { "a", "x" }, { "a", "y" }, { "b", "a" } };
	struct observed_pod pods[3] = { 0 };
	struct observed o = { .pods = pods, .npods = 3 };
	struct observed_container c = { .phase = RUN_RUNNING };

	for (size_t i = 0; i < 3; i++) {
		struct object *p = arena_new(&f->arena, struct object);

		*p = object_new(&f->arena, KIND_POD, names[i][0], names[i][1]);
		pods[i].object = p;
	}
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(observed_find(&o, names[i][0], names[i][1]), &pods[i]);
	assert_null(observed_find(&o, "a", "a"));
	assert_null(observed_find(&o, "b", "y"));

	assert_true(observed_container_ready(&c));
	c.configured[PROBE_READINESS] = true;
	assert_false(observed_container_ready(&c));
	c.decided[PROBE_READINESS] = c.passed[PROBE_READINESS] = true;
	assert_true(observed_container_ready(&c));
	c.configured[PROBE_STARTUP] = true;
	assert_false(observed_container_ready(&c));
	c.decided[PROBE_STARTUP] = c.passed[PROBE_STARTUP] = true;
	c.configured[PROBE_LIVENESS] = true;
	assert_true(observed_container_ready(&c));
	c.phase = RUN_ENDED;
	assert_false(observed_container_ready(&c));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_namespace_label), TEST(test_secret), TEST(test_service), TEST(test_pod),
		TEST(test_deployment), TEST(test_round_trip), TEST(test_record), TEST(test_bad_records),
		TEST(test_digest), TEST(test_copy), TEST(test_kind_words), TEST(test_scale),
		TEST(test_qos), TEST(test_resources), TEST(test_ports), TEST(test_observed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
