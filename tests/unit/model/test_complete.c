/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pods are when the file leaves it open, and that a second look changes nothing. */
#include "fixture.h"

static const char text[] =
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: p}\n"
	"spec:\n"
	"  serviceAccount: old\n"
	"  hostNetwork: true\n"
	"  initContainers:\n"
	"  - {name: i, image: 'a/b:latest', resources: {limits: {cpu: 1}}}\n"
	"  containers:\n"
	"  - name: a\n"
	"    image: a/b\n"
	"    terminationMessagePath: ''\n"
	"    volumeMounts: [{name: h, mountPath: data}]\n"
	"    ports: [{containerPort: 80}]\n"
	"    resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}\n"
	"    readinessProbe: {httpGet: {port: 80, path: ready}, timeoutSeconds: 0, periodSeconds: 0,"
	" successThreshold: 0, failureThreshold: 0}\n"
	"  - {name: b, image: 'host:5000/a/b:v1'}\n"
	"  - {name: c, image: 'host:5000/a/b'}\n"
	"  - {name: d, image: 'rootfs:/', imagePullPolicy: Always}\n"
	"  - {name: e, image: 'rootfs:/'}\n"
	"  volumes: [{name: v}, {name: h, hostPath: {path: srv}},"
	" {name: nfs, nfs: {server: s, path: /}}]\n";

static const struct object *the_pod(struct fixture *f)
{
	const struct manifest *m = good(f, "a.yaml", text);

	assert_int_equal(m->objects.n, 1);
	return &m->objects.v[0];
}

static void test_pull_policy_follows_the_tag(void **state)
{
	static const enum pull_policy expected[] = {
		PULL_ALWAYS, PULL_ALWAYS, PULL_IF_NOT_PRESENT, PULL_ALWAYS, PULL_ALWAYS,
		PULL_IF_NOT_PRESENT,
	};
	const struct pod_spec *s = &the_pod(*state)->pod->spec;

	assert_int_equal(pod_container_count(s), ARRAY_SIZE(expected));
	for (uint32_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(pod_container(s, i)->image_pull_policy, expected[i]);
}

static void test_paths_begin_at_the_root(void **state)
{
	const struct pod_spec *s = &the_pod(*state)->pod->spec;
	const struct container *c = &s->containers.v[0];

	assert_string_equal(c->volume_mounts.v[0].mount_path, "/data");
	assert_string_equal(s->volumes.v[1].host_path->path, "/srv");
	assert_string_equal(c->readiness_probe->http_get->path, "/ready");
	assert_string_equal(c->termination_message_path, "/dev/termination-log");
}

static void test_zero_is_the_default_of_probes(void **state)
{
	const struct probe *p = the_pod(*state)->pod->spec.containers.v[0].readiness_probe;

	assert_int_equal(p->timeout_seconds, 1);
	assert_int_equal(p->period_seconds, 10);
	assert_int_equal(p->success_threshold, 1);
	assert_int_equal(p->failure_threshold, 3);
}

static void test_limits_are_requests(void **state)
{
	const struct pod_spec *s = &the_pod(*state)->pod->spec;
	const struct qtymap *r = &s->containers.v[0].resources->requests;

	assert_string_equal(qtymap_get(r, "cpu")->text, "500m");
	assert_string_equal(qtymap_get(r, "memory")->text, "1Gi");
	r = &s->init_containers.v[0].resources->requests;
	assert_string_equal(qtymap_get(r, "cpu")->text, "1");
}

static void test_the_rest(void **state)
{
	const struct pod_spec *s = &the_pod(*state)->pod->spec;

	assert_non_null(s->volumes.v[0].empty_dir);
	assert_null(s->volumes.v[1].empty_dir);
	assert_null(s->volumes.v[2].empty_dir);
	assert_int_equal(s->containers.v[0].ports.v[0].host_port, 80);
	assert_string_equal(s->service_account_name, "old");
	assert_true(s->enable_service_links);
}

static void test_a_dump_is_the_same_object(void **state)
{
	struct fixture *f = *state;
	const struct object *o = the_pod(f);
	struct buf text_of = { 0 };
	struct json j;

	json_init(&j, &text_of, false);
	object_json(&j, o, 0);
	const struct manifest *again = good(f, "b.yaml", buf_str(&text_of));
	assert_true(schema_equal(o->kind->type, o->body, again->objects.v[0].body));
	buf_release(&text_of);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pull_policy_follows_the_tag, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_paths_begin_at_the_root, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_zero_is_the_default_of_probes, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_limits_are_requests, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_the_rest, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_dump_is_the_same_object, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
