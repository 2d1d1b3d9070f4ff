/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pods are behind a service, on which ports; and a Deployment's words. */
#include "fixture.h"

#include <netinet/in.h>

static const char yaml[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web, labels: {team: a}}\n"
	"spec:\n"
	"  %s\n"
	"  selector: {app: web}\n"
	"  ports:\n"
	"  - {name: http, port: 80, targetPort: http}\n"
	"  - {name: dns, port: 53, protocol: UDP}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: one, labels: {app: web}}\n"
	"spec:\n"
	"  containers:\n"
	"  - {name: c, image: 'rootfs:/', command: [x],\n"
	"     ports: [{name: http, containerPort: 8080}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: two, labels: {app: web}}\n"
	"spec:\n"
	"  containers:\n"
	"  - {name: c, image: 'rootfs:/', command: [x],\n"
	"     ports: [{name: http, containerPort: 9090}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: unrelated, labels: {app: db}}\n"
	"spec: {containers: [{name: c, image: 'rootfs:/', command: [x]}]}\n";

static void open_service(struct fixture *f, const char *extra)
{
	char text[2000];

	snprintf(text, sizeof(text), yaml, extra);
	fixture_open(f, text);
	fixture_run(f);
	fixture_make(f);
}

static void test_ready(void **state)
{
	const struct service_entry *e;
	struct fixture f;

	(void)state;
	open_service(&f, "type: ClusterIP");
	fixture_run(&f);
	assert_int_equal(f.wanted.services.n, 2);
	assert_int_equal(f.wanted.services.v[0].count, 0);
	for (int i = 0; i < 3; i++)
		fixture_ready(&f.observed.pods[i]);
	fixture_run(&f);
	e = f.wanted.services.v;
	assert_string_equal(e[0].name, "default/web:http");
	assert_int_equal(e[0].proto, IPPROTO_TCP);
	assert_int_equal(e[0].port, 80);
	assert_int_equal(e[0].count, 2);
	assert_int_equal(e[0].endpoints[0].ip, f.observed.pods[0].ip);
	assert_int_equal(e[0].endpoints[0].port, 8080);
	assert_int_equal(e[0].endpoints[1].port, 9090);
	assert_int_equal(e[1].proto, IPPROTO_UDP);
	assert_int_equal(e[1].endpoints[1].port, 53);
	fixture_close(&f);
}

/* Out in the same pass that decides to stop it, before anything happens to the pod. */
static void test_stopped_is_out(void **state)
{
	struct fixture f;

	(void)state;
	open_service(&f, "type: ClusterIP");
	for (int i = 0; i < 3; i++)
		fixture_ready(&f.observed.pods[i]);
	f.observed.pods[0].object->pod->spec.containers.v[0].image = "rootfs:/other";
	strmap_del(&f.observed.pods[0].object->meta->annotations, "orch/spec-hash");
	fixture_run(&f);
	assert_true(f.wanted.pods.v[0].stop);
	assert_int_equal(f.wanted.services.v[0].count, 1);
	assert_int_equal(f.wanted.services.v[0].endpoints[0].ip, f.observed.pods[1].ip);
	fixture_close(&f);
}

static void test_endpoints(void **state)
{
	const struct endpoints *e;
	struct fixture f;

	(void)state;
	open_service(&f, "clusterIP: None");
	fixture_ready(&f.observed.pods[0]);
	fixture_run(&f);
	assert_int_equal(f.wanted.services.n, 0);
	assert_int_equal(f.wanted.endpoints.n, 1);
	e = f.wanted.endpoints.v[0].endpoints;
	assert_int_equal(e->subsets.n, 2);	/* they answer on different ports */
	assert_int_equal(e->subsets.v[0].addresses.n, 1);
	assert_string_equal(e->subsets.v[0].addresses.v[0].ip, "10.244.0.16");
	assert_string_equal(e->subsets.v[0].addresses.v[0].target_ref->name, "one");
	assert_int_equal(e->subsets.v[0].ports.v[0].port, 8080);
	assert_int_equal(e->subsets.v[1].not_ready_addresses.n, 1);
	assert_string_equal(strmap_get(&e->metadata.labels, "team"), "a");
	fixture_close(&f);
}

static void test_not_ready(void **state)
{
	struct fixture f;

	(void)state;
	open_service(&f, "publishNotReadyAddresses: true");
	fixture_run(&f);
	assert_int_equal(f.wanted.services.v[0].count, 2);
	fixture_close(&f);
}

static void test_affinity(void **state)
{
	struct fixture f;

	(void)state;
	open_service(&f, "sessionAffinity: ClientIP");
	fixture_run(&f);
	assert_int_equal(f.wanted.services.v[0].affinity_s, 10800);
	fixture_close(&f);
}

#define WAITING "Waiting for deployment \"web\" rollout to finish: "

static const struct {
	struct deployment_status s;
	const char *reason, *text;
	bool done, failed, rolled_back;
} words[] = {
	{ { .updated_replicas = 1, .replicas = 3 }, "ReplicaSetUpdated",
	  WAITING "1 out of 3 new replicas have been updated...\n",
	  false, false, false },
	{ { .updated_replicas = 3, .replicas = 4 }, "ReplicaSetUpdated",
	  WAITING "1 old replicas are pending termination...\n",
	  false, false, false },
	{ { .updated_replicas = 3, .replicas = 3, .available_replicas = 2 }, "ReplicaSetUpdated",
	  WAITING "2 of 3 updated replicas are available...\n",
	  false, false, false },
	{ { .updated_replicas = 3, .replicas = 3, .available_replicas = 3 },
	  "NewReplicaSetAvailable",
	  "deployment \"web\" successfully rolled out\n", true, false, false },
	{ { .updated_replicas = 3, .replicas = 3, .available_replicas = 2 },
	  "ProgressDeadlineExceeded",
	  "error: deployment \"web\" exceeded its progress deadline\n", false, true, false },
	{ { .updated_replicas = 3, .replicas = 3, .available_replicas = 3 },
	  "NewReplicaSetAvailable",
	  "error: deployment \"web\" exceeded its progress deadline and was rolled back to revision 2\n",
	  false, true, true },
	{ { .observed_generation = -1 }, "ReplicaSetUpdated",
	  "Waiting for deployment spec update to be observed...\n", false, false, false },
};

static void test_status_words(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct object o = object_new(&a, KIND_DEPLOYMENT, "default", "web");
		struct condition c = { .type = "Progressing", .reason = words[i].reason };
		BUF_AUTO text = { 0 };
		bool done, failed;

		o.rolled_back = words[i].rolled_back;
		o.hold_revision = 2;
		o.deployment->spec.replicas = 3;
		o.deployment->status = words[i].s;
		o.deployment->status.conditions = (struct condition_list){ &c, 1 };
		control_rollout_status(&o, &text, &done, &failed);
		assert_string_equal(buf_str(&text), words[i].text);
		assert_int_equal(done, words[i].done);
		assert_int_equal(failed, words[i].failed);
	}
	arena_release(&a);
}

static const char deployment_yaml[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: web, annotations: {kubernetes.io/change-cause: 'because', orch/x: 'z'}}\n"
	"spec:\n"
	"  replicas: 2\n"
	"  selector: {matchLabels: {app: web}}\n"
	"  template:\n"
	"    metadata: {labels: {app: web}}\n"
	"    spec: {containers: [{name: c, image: 'rootfs:/', command: [x]}]}\n";

/* Names, labels and annotations that kubectl and users know. */
static void test_deployment_objects(void **state)
{
	static const char safe[] = "bcdfghjklmnpqrstvwxz2456789";
	const struct object *rs, *pod;
	const char *hash;
	struct fixture f;

	(void)state;
	fixture_open(&f, deployment_yaml);
	fixture_run(&f);
	assert_int_equal(f.wanted.derived.n, 1);
	assert_int_equal(f.wanted.pods.n, 2);
	rs = &f.wanted.derived.v[0];
	pod = &f.wanted.pods.v[0].object;
	hash = strmap_get(&rs->meta->labels, TEMPLATE_HASH_LABEL);
	assert_in_range(strlen(hash), 8, 10);
	assert_int_equal(strspn(hash, safe), strlen(hash));
	assert_string_equal(rs->meta->name, arena_printf(&f.arena, "web-%s", hash));
	assert_string_equal(strmap_get(&rs->meta->annotations, REVISION_ANNOTATION), "1");
	assert_string_equal(strmap_get(&rs->meta->annotations, CHANGE_CAUSE_ANNOTATION), "because");
	assert_null(strmap_get(&rs->meta->annotations, "orch/x"));
	assert_int_equal(strncmp(pod->meta->name, rs->meta->name, strlen(rs->meta->name)), 0);
	assert_int_equal(strspn(pod->meta->name + strlen(rs->meta->name) + 1, safe), 5);
	assert_string_equal(strmap_get(&pod->meta->labels, TEMPLATE_HASH_LABEL), hash);
	assert_string_equal(pod->meta->owner_references.v[0].uid, rs->meta->uid);
	assert_true(selector_matches(rs->replicaset->spec.selector, &pod->meta->labels));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_stopped_is_out),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_not_ready),
		cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_status_words),
		cmocka_unit_test(test_deployment_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
