/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cells of tables, in kubectl's words. */
#include "fixture.h"

#include "daemon/table.h"

#define NOW (1000000 * NSEC)

enum { NONE, WAITING, RUNNING, TERMINATED };
#define WAITS(why) .state = WAITING, .reason = why
#define ENDED(why) .state = TERMINATED, .reason = why
#define RUNS .state = RUNNING

/* One container: what it does now, and how its last run ended. */
struct container_row {
	int state;			/* NONE: nothing known of it yet */
	const char *reason;		/* waiting or terminated */
	int code, signal;
	bool ready;
	int restarts;
	int last_ended_ago;		/* seconds; 0: never */
};

static const struct pod_row {
	const char *name;
	struct container_row c[2];	/* the second only when two is set */
	bool two, deleted, not_ready;
	const char *phase, *why;	/* of the pod's status */
	const char *ready, *word, *restarts;
} pods[] = {
	{ "just declared", .phase = "Pending", .ready = "0/1", .word = "Pending", .restarts = "0" },
	{ "no status at all", .ready = "0/1", .word = "Pending", .restarts = "0" },
	{ "being made", { { WAITS("ContainerCreating") } }, .phase = "Pending",
	  .ready = "0/1", .word = "ContainerCreating", .restarts = "0" },
	{ "lacks its configuration", { { WAITS("CreateContainerConfigError") } },
	  .phase = "Pending", .ready = "0/1", .word = "CreateContainerConfigError", .restarts = "0" },
	{ "runs", { { RUNS, .ready = true } }, .phase = "Running",
	  .ready = "1/1", .word = "Running", .restarts = "0" },
	{ "runs and is not ready", { { RUNS } }, .phase = "Running",
	  .ready = "0/1", .word = "Running", .restarts = "0" },
	{ "one of two ready", { { RUNS, .ready = true }, { RUNS } }, .two = true,
	  .phase = "Running", .ready = "1/2", .word = "Running", .restarts = "0" },
	{ "was restarted", { { RUNS, .ready = true, .restarts = 3, .last_ended_ago = 300 } },
	  .phase = "Running", .ready = "1/1", .word = "Running", .restarts = "3 (5m ago)" },
	{ "restarts add up, the latest counts",
	  { { RUNS, .ready = true, .restarts = 2, .last_ended_ago = 7200 },
	    { RUNS, .ready = true, .restarts = 1, .last_ended_ago = 30 } }, .two = true,
	  .phase = "Running", .ready = "2/2", .word = "Running", .restarts = "3 (30s ago)" },
	{ "backs off", { { WAITS("CrashLoopBackOff"), .restarts = 2, .last_ended_ago = 10 } },
	  .phase = "Running", .ready = "0/1", .word = "CrashLoopBackOff", .restarts = "2 (10s ago)" },
	{ "one of two backs off", { { WAITS("CrashLoopBackOff") }, { RUNS, .ready = true } },
	  .two = true, .phase = "Running", .ready = "1/2", .word = "CrashLoopBackOff",
	  .restarts = "0" },
	{ "failed", { { ENDED("Error"), .code = 1 } }, .phase = "Failed",
	  .ready = "0/1", .word = "Error", .restarts = "0" },
	{ "out of memory", { { ENDED("OOMKilled"), .code = 137 } }, .phase = "Failed",
	  .ready = "0/1", .word = "OOMKilled", .restarts = "0" },
	{ "ended without a reason", { { .state = TERMINATED, .code = 3 } }, .phase = "Failed",
	  .ready = "0/1", .word = "ExitCode:3", .restarts = "0" },
	{ "killed without a reason", { { .state = TERMINATED, .code = 143, .signal = 15 } }, .phase = "Failed",
	  .ready = "0/1", .word = "Signal:15", .restarts = "0" },
	{ "completed", { { ENDED("Completed") } }, .phase = "Succeeded",
	  .ready = "0/1", .word = "Completed", .restarts = "0" },
	{ "one completed, one runs", { { RUNS, .ready = true }, { ENDED("Completed") } },
	  .two = true, .phase = "Running", .ready = "1/2", .word = "Running", .restarts = "0" },
	{ "the same in the other order", { { ENDED("Completed") }, { RUNS, .ready = true } },
	  .two = true, .phase = "Running", .ready = "1/2", .word = "Running", .restarts = "0" },
	{ "one completed, the pod is not ready",
	  { { ENDED("Completed") }, { RUNS, .ready = true } },
	  .two = true, .not_ready = true, .phase = "Running", .ready = "1/2", .word = "NotReady",
	  .restarts = "0" },
	{ "goes", { { RUNS, .ready = true } }, .deleted = true, .phase = "Running",
	  .ready = "1/1", .word = "Terminating", .restarts = "0" },
	{ "ended and goes", { { ENDED("Completed") } }, .deleted = true, .phase = "Succeeded",
	  .ready = "0/1", .word = "Completed", .restarts = "0" },
	{ "the pod has a reason of its own", .phase = "Failed", .why = "Evicted",
	  .ready = "0/1", .word = "Evicted", .restarts = "0" },
};

static void add_status(struct arena *a, struct pod *p, const struct container_row *c)
{
	struct container_status *s = arena_push(a, &p->status.container_statuses);

	s->name = "main";
	s->ready = c->ready;
	s->restart_count = c->restarts;
	if (c->state)
		s->state = arena_new(a, struct container_state);
	if (c->state == WAITING) {
		s->state->waiting = arena_new(a, struct state_waiting);
		s->state->waiting->reason = c->reason;
	} else if (c->state == RUNNING) {
		s->state->running = arena_new(a, struct state_running);
	} else if (c->state == TERMINATED) {
		s->state->terminated = arena_new(a, struct state_terminated);
		s->state->terminated->reason = c->reason;
		s->state->terminated->exit_code = c->code;
		s->state->terminated->signal = c->signal;
	}
	if (c->last_ended_ago) {
		s->last_state = arena_new(a, struct container_state);
		s->last_state->terminated = arena_new(a, struct state_terminated);
		s->last_state->terminated->finished_at = NOW - c->last_ended_ago * NSEC;
	}
}

static struct object make_pod(struct arena *a, const struct pod_row *row)
{
	struct object o = object_new(a, KIND_POD, "default", "web");
	struct pod_status *s = &o.pod->status;

	o.meta->creation_timestamp = NOW - 90 * NSEC;
	for (int i = 0; i <= row->two; i++) {
		struct container *c = arena_push(a, &o.pod->spec.containers);

		c->name = i ? "side" : "main";
		c->image = "rootfs:/";
		if (row->c[i].state)
			add_status(a, o.pod, &row->c[i]);
	}
	s->phase = row->phase;
	s->reason = row->why;
	*arena_push(a, &s->conditions) = (struct condition){
		.type = "Ready", .status = row->not_ready ? "False" : "True",
	};
	if (row->deleted)
		o.meta->deletion_timestamp = NOW + 30 * NSEC;
	return o;
}

/* The row of an object, as JSON. */
static json_t *row_of(const struct object *o)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	table_row(&j, o, false, NOW);
	json_t *row = json_loads(buf_str(&text), 0, NULL);
	assert_non_null(row);
	return row;
}

/* The cell under a column's heading: numbers as text. */
static const char *cell(const struct object *o, const char *heading, char room[128])
{
	BUF_AUTO text = { 0 };
	struct json j;
	json_t *row = row_of(o), *table, *column;
	size_t i;

	json_init(&j, &text, false);
	json_begin_object(&j);
	table_columns(&j, o->kind->id);
	json_end_object(&j);
	table = json_loads(buf_str(&text), 0, NULL);
	assert_int_equal(json_array_size(json_object_get(table, "columnDefinitions")),
			 json_array_size(json_object_get(row, "cells")));
	*room = '\0';
	json_array_foreach(json_object_get(table, "columnDefinitions"), i, column) {
		const json_t *v = json_array_get(json_object_get(row, "cells"), i);

		if (!streq(text_at(column, "name", NULL), heading))
			continue;
		if (json_is_integer(v))
			snprintf(room, 128, "%lld", (long long)json_integer_value(v));
		else
			snprintf(room, 128, "%s", json_string_value(v));
	}
	json_decref(table);
	json_decref(row);
	return room;
}

static void pods_have_kubectls_words(void **state)
{
	struct fixture *f = *state;
	char room[128];

	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		struct object o = make_pod(&f->arena, &pods[i]);

		if (!streq(cell(&o, "Status", room), pods[i].word))
			fail_msg("%s: %s, not %s", pods[i].name, room, pods[i].word);
		if (!streq(cell(&o, "Ready", room), pods[i].ready))
			fail_msg("%s: %s, not %s", pods[i].name, room, pods[i].ready);
		if (!streq(cell(&o, "Restarts", room), pods[i].restarts))
			fail_msg("%s: %s, not %s", pods[i].name, room, pods[i].restarts);
		assert_string_equal(cell(&o, "Age", room), "90s");
		assert_string_equal(cell(&o, "IP", room), "<none>");
	}
}

static const struct { const char *text, *heading, *cell; } rows[] = {
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	  "spec: {selector: {app: web}, ports: [{name: a, port: 80}, "
	  "{name: b, port: 53, protocol: UDP}]}\n",
	  "Port(s)", "80/TCP,53/UDP" },
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	  "spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}\n",
	  "Port(s)", "80:30080/TCP" },
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	  "spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}\n",
	  "Type", "NodePort" },
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	  "spec: {clusterIP: None, selector: {app: web, tier: x}, ports: [{port: 80}]}\n",
	  "Selector", "app=web,tier=x" },
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	  "spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}\n",
	  "Cluster-IP", "None" },
	{ "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b, c: d}\n"
	  "binaryData: {e: aGk=}\n", "Data", "3" },
	{ "apiVersion: v1\nkind: Secret\nmetadata: {name: c}\nstringData: {a: b}\n", "Type", "Opaque" },
	{ "apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n", "Status", "Active" },
	{ "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 3, selector: "
	  "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: "
	  "[{name: x, image: 'rootfs:/'}, {name: z, image: 'rootfs:/a'}]}}}\n", "Ready", "0/3" },
	{ "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 3, selector: "
	  "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: "
	  "[{name: x, image: 'rootfs:/'}, {name: z, image: 'rootfs:/a'}]}}}\n",
	  "Images", "rootfs:/,rootfs:/a" },
	{ "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 3, selector: "
	  "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: "
	  "[{name: x, image: 'rootfs:/'}]}}}\n", "Selector", "a=b" },
};

static void others_have_theirs(void **state)
{
	char room[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct manifest *m = manifest_load("a.yaml", rows[i].text, strlen(rows[i].text));

		if (m->msgs.errors)
			fail_msg("row %zu: %s", i, m->msgs.v[0].text);
		if (!streq(cell(&m->objects.v[0], rows[i].heading, room), rows[i].cell))
			fail_msg("row %zu: %s, not %s", i, room, rows[i].cell);
		assert_string_equal(cell(&m->objects.v[0], "Age", room), "<unknown>");
		manifest_unref(m);
	}
}

static void endpoints_are_cut_short(void **state)
{
	static const char *const ips[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5" };
	struct fixture *f = *state;
	struct object o = object_new(&f->arena, KIND_ENDPOINTS, "default", "web");
	struct endpoint_subset *sub;
	char room[128];

	assert_string_equal(cell(&o, "Endpoints", room), "<none>");
	sub = arena_push(&f->arena, &o.endpoints->subsets);
	arena_push(&f->arena, &sub->addresses)->ip = ips[0];
	assert_string_equal(cell(&o, "Endpoints", room), "10.0.0.1");
	arena_push(&f->arena, &sub->ports)->port = 80;
	assert_string_equal(cell(&o, "Endpoints", room), "10.0.0.1:80");
	for (size_t i = 1; i < ARRAY_SIZE(ips); i++)
		arena_push(&f->arena, &sub->addresses)->ip = ips[i];
	assert_string_equal(cell(&o, "Endpoints", room),
			    "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...");
}

/* Every kind that can be asked for has as many columns as cells. */
static void columns_fit_cells(void **state)
{
	struct fixture *f = *state;
	char room[128];

	for (int k = 0; k < KIND_COUNT; k++) {
		struct object o = object_new(&f->arena, k, kinds[k].namespaced ? "default" : NULL, "it");

		schema_defaults(&f->arena, o.kind->type, o.body);
		if (k == KIND_EVENT) {
			o.event->involved_object.api_version = "v1";
			o.event->involved_object.kind = "Pod";
		}
		assert_string_equal(cell(&o, "Name", room), "it");
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(pods_have_kubectls_words),
		TEST(others_have_theirs),
		TEST(endpoints_are_cut_short),
		TEST(columns_fit_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
