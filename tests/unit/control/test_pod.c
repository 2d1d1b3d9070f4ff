/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One container's state, and what control makes of it: start, wait, kill, kubelet's words. */
#include "fixture.h"

#include "control/container.h"

static const char yaml[] =
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: job, annotations: {%s}}\n"
	"spec:\n"
	"  restartPolicy: %s\n"
	"  containers:\n"
	"  - name: main\n"
	"    image: 'rootfs:/'\n"
	"    command: [sleep, '100']\n"
	"    livenessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 7}\n";

static void open_pod(struct fixture *f, const char *policy, const char *annotations)
{
	char text[1000];

	snprintf(text, sizeof(text), yaml, annotations, policy);
	fixture_open(f, text);
	fixture_run(f);
	fixture_make(f);
}

struct row {
	const char *name, *policy;
	struct observed_container c;	/* times relative to now, in seconds */
	bool run, kill;
	uint32_t attempt;
	int wake_s;			/* 0: none */
	const char *phase, *state, *reason, *message;
	int exit_code;
};

#define ENDED(code, sig, oom, ran, ago, n)                                                     \
	.c = { .phase = RUN_ENDED, .attempt = n, .backoff = n,                                  \
	       .end = { .exit_code = code, .signal = sig, .oom_killed = oom,                    \
			.started_at = -(ago) - (ran), .finished_at = -(ago) } }

static const struct row rows[] = {
	{ "created", "Always", { .phase = RUN_CREATED }, .run = true,
	  .phase = "Pending", .state = "waiting", .reason = "ContainerCreating" },
	{ "running", "Always", { .phase = RUN_RUNNING, .started_at = -5 }, .run = true,
	  .phase = "Running", .state = "running" },
	{ "first restart at once", "Always", ENDED(1, 0, false, 5, 1, 0), .run = true, .attempt = 1,
	  .phase = "Running", .state = "terminated", .reason = "Error", .exit_code = 1 },
	{ "second waits 10 s", "Always", ENDED(1, 0, false, 5, 1, 1), .attempt = 1, .wake_s = 9,
	  .phase = "Running", .state = "waiting", .reason = "CrashLoopBackOff",
	  .message = "back-off 10s restarting failed container=main pod=job_default(" },
	{ "fifth waits 80 s", "Always", ENDED(1, 0, false, 5, 1, 4), .attempt = 4, .wake_s = 79,
	  .phase = "Running", .state = "waiting", .reason = "CrashLoopBackOff",
	  .message = "back-off 1m20s restarting failed" },
	{ "never more than 300 s", "Always", ENDED(1, 0, false, 5, 1, 40), .attempt = 40,
	  .wake_s = 299, .phase = "Running", .state = "waiting", .reason = "CrashLoopBackOff",
	  .message = "back-off 5m0s restarting failed" },
	{ "back-off is over", "Always", ENDED(1, 0, false, 5, 10, 1), .run = true, .attempt = 2,
	  .phase = "Running", .state = "terminated", .reason = "Error", .exit_code = 1 },
	{ "a clean run resets it", "Always", ENDED(1, 0, false, 600, 1,
						   9), .run = true, .attempt = 10,
	  .phase = "Running", .state = "terminated", .reason = "Error", .exit_code = 1 },
	{ "success is restarted, too", "Always", ENDED(0, 0, false, 5, 1,
						       1), .attempt = 1, .wake_s = 9,
	  .phase = "Running", .state = "waiting", .reason = "CrashLoopBackOff" },
	{ "on failure: failed", "OnFailure", ENDED(3, 0, false, 5, 1, 0), .run = true, .attempt = 1,
	  .phase = "Running", .state = "terminated", .reason = "Error", .exit_code = 3 },
	{ "on failure: done", "OnFailure", ENDED(0, 0, false, 5, 1, 0),
	  .phase = "Succeeded", .state = "terminated", .reason = "Completed" },
	{ "never: done", "Never", ENDED(0, 0, false, 5, 1, 0),
	  .phase = "Succeeded", .state = "terminated", .reason = "Completed" },
	{ "never: failed", "Never", ENDED(2, 0, false, 5, 1, 0),
	  .phase = "Failed", .state = "terminated", .reason = "Error", .exit_code = 2 },
	{ "killed", "Never", ENDED(0, 15, false, 5, 1, 0),
	  .phase = "Failed", .state = "terminated", .reason = "Error", .exit_code = 143 },
	{ "out of memory", "Never", ENDED(0, 9, true, 5, 1, 0),
	  .phase = "Failed", .state = "terminated", .reason = "OOMKilled", .exit_code = 137 },
	{ "can't be started", "Always",
	  { .phase = RUN_FAILED, .attempt = 2, .backoff = 2, .end = { .finished_at = -1 },
	    .message = "no such file" },
	  .attempt = 2, .wake_s = 4, .phase = "Running", .state = "waiting",
	  .reason = "RunContainerError", .message = "no such file" },
	{ "can't be started, some time ago", "Always",
	  { .phase = RUN_FAILED, .attempt = 2, .backoff = 2, .end = { .finished_at = -6 },
	    .message = "no such file" },
	  .attempt = 2, .wake_s = 14, .phase = "Running", .state = "waiting",
	  .reason = "CrashLoopBackOff", .message = "back-off 20s restarting failed" },
	{ "a volume can't be mounted", "Never",
	  { .phase = RUN_CREATED, .refused = { FAULT_MOUNT, 3, -1, "no directory" } },
	  .wake_s = 1, .phase = "Pending", .state = "waiting", .reason = "ContainerCreating",
	  .message = "no directory" },
	{ "the first refusal was a second ago", "Always",
	  { .phase = RUN_CREATED, .refused = { FAULT_CONFIG, 1, -1, "will run as root" } },
	  .run = true, .phase = "Pending", .state = "waiting",
	  .reason = "CreateContainerConfigError", .message = "will run as root" },
	{ "refusals never wait longer than 128 s", "Always",
	  { .phase = RUN_CREATED, .refused = { FAULT_CREATE, 4000000000, -8, "too many layers" } },
	  .wake_s = 120, .phase = "Pending", .state = "waiting",
	  .reason = "CreateContainerError", .message = "too many layers" },
	{ "a restart that is refused", "Always",
	  { .phase = RUN_ENDED, .attempt = 1, .backoff = 1,
	    .end = { .exit_code = 3, .started_at = -90, .finished_at = -60 },
	    .refused = { FAULT_CONFIG, 4, -1, "will run as root" } },
	  .attempt = 2, .wake_s = 3, .phase = "Running", .state = "waiting",
	  .reason = "CreateContainerConfigError", .message = "will run as root" },
	{ "never: can't be started", "Never",
	  { .phase = RUN_FAILED, .started_at = -1, .message = "no such file" },
	  .phase = "Failed", .state = "terminated", .reason = "StartError", .exit_code = 128 },
	{ "liveness fails", "Always",
	  { .phase = RUN_RUNNING, .started_at = -5, .configured = { [PROBE_LIVENESS] = true },
	    .decided = { [PROBE_LIVENESS] = true } }, .run = true, .kill = true,
	  .phase = "Running", .state = "running" },
	{ "liveness undecided", "Always",
	  { .phase = RUN_RUNNING, .started_at = -5, .configured = { [PROBE_LIVENESS] = true } },
	  .run = true, .phase = "Running", .state = "running" },
	{ "kill is under way", "Always",
	  { .phase = RUN_RUNNING, .started_at = -5, .configured = { [PROBE_LIVENESS] = true },
	    .decided = { [PROBE_LIVENESS] = true }, .pending = true }, .run = true,
	  .phase = "Running", .state = "running" },
};

static int64_t at(int64_t s)
{
	return s ? NOW + s * NSEC : 0;
}

static struct observed_container absolute(const struct row *r)
{
	struct observed_container c = r->c;

	c.name = "main";
	c.started_at = at(c.started_at);
	c.end.started_at = at(c.end.started_at);
	c.end.finished_at = at(c.end.finished_at);
	c.refused.at = at(c.refused.at);
	return c;
}

static void check_state(const struct row *r, const struct container_state *s)
{
	const char *reason = NULL, *message = NULL, *state = "running";

	if (s->waiting) {
		state = "waiting";
		reason = s->waiting->reason;
		message = s->waiting->message;
	} else if (s->terminated) {
		state = "terminated";
		reason = s->terminated->reason;
		assert_int_equal(s->terminated->exit_code, r->exit_code);
	}
	assert_string_equal(state, r->state);
	if (r->reason)
		assert_string_equal(reason, r->reason);
	if (r->message && (!message || !strstr(message, r->message)))
		fail_msg("%s: message %s", r->name, message ? message : "(none)");
}

static void test_row(void **state)
{
	const struct row *r = *state;
	const struct wanted_pod *p;
	struct fixture f;

	open_pod(&f, r->policy, "");
	f.observed.pods[0].containers[0] = absolute(r);
	fixture_run(&f);
	p = &f.wanted.pods.v[0];
	assert_int_equal(f.wanted.pods.n, 1);
	assert_false(p->stop);
	assert_int_equal(p->containers[0].run, r->run);
	assert_int_equal(p->containers[0].kill, r->kill);
	assert_int_equal(p->containers[0].attempt, r->attempt);
	if (r->kill)
		assert_int_equal(p->containers[0].grace_s, 7);
	assert_int_equal(f.wanted.wake, r->wake_s ? at(r->wake_s) : 0);
	assert_string_equal(p->status->phase, r->phase);
	check_state(r, p->status->container_statuses.v[0].state);
	fixture_close(&f);
}

static void test_backoff(void **state)
{
	static const int64_t seconds[] = { 0, 10, 20, 40, 80, 160, 300, 300 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(seconds); i++)
		assert_int_equal(backoff_delay(i, BACKOFF_MAX), seconds[i] * NSEC);
	assert_int_equal(backoff_delay(1000000, BACKOFF_MAX), BACKOFF_MAX);
	assert_int_equal(backoff_delay(3, 15 * NSEC), 15 * NSEC);
}

static void test_backoff_annotation(void **state)
{
	struct fixture f;

	(void)state;
	open_pod(&f, "Always", "orch/restart-backoff-max: 3s");
	f.observed.pods[0].containers[0] = (struct observed_container){
		.name = "main", .phase = RUN_ENDED, .attempt = 9, .backoff = 9,
		.end = { .exit_code = 1, .started_at = NOW - 3 * NSEC, .finished_at = NOW - NSEC },
	};
	fixture_run(&f);
	assert_int_equal(f.wanted.wake, NOW + 2 * NSEC);
	fixture_close(&f);
}

static const struct condition *find(const struct pod_status *s, const char *type)
{
	for (uint32_t i = 0; i < s->conditions.n; i++)
		if (streq(s->conditions.v[i].type, type))
			return &s->conditions.v[i];
	fail_msg("no condition %s", type);
	return NULL;
}

static void test_conditions(void **state)
{
	struct fixture f;
	const struct condition *c;

	(void)state;
	open_pod(&f, "Always", "");
	fixture_run(&f);
	c = find(f.wanted.pods.v[0].status, "Ready");
	assert_string_equal(c->status, "False");
	assert_string_equal(c->reason, "ContainersNotReady");
	assert_string_equal(c->message, "containers with unready status: [main]");
	fixture_ready(&f.observed.pods[0]);
	fixture_run(&f);
	c = find(f.wanted.pods.v[0].status, "Ready");
	assert_string_equal(c->status, "True");
	assert_int_equal(c->last_transition_time, NOW - 40 * NSEC);
	assert_string_equal(f.wanted.pods.v[0].status->pod_ip, "10.244.0.16");
	assert_string_equal(f.wanted.pods.v[0].status->host_ip, "10.0.0.1");
	fixture_close(&f);
}

static void assert_gated(const char *gate, const char *ready, const char *message)
{
	char text[512];
	struct fixture f;
	const struct pod_status *s;

	snprintf(text, sizeof(text),
		 "kind: Pod\napiVersion: v1\nmetadata: {name: web, uid: u}\n"
		 "spec: {containers: [{name: main, image: rootfs:/}], "
		 "readinessGates: [{conditionType: %s}, {conditionType: ContainersReady}]}\n", gate);
	fixture_open(&f, text);
	fixture_run(&f);
	fixture_make(&f);
	fixture_ready(&f.observed.pods[0]);
	fixture_run(&f);
	s = f.wanted.pods.v[0].status;
	assert_string_equal(find(s, "ContainersReady")->status, "True");
	assert_string_equal(find(s, "Ready")->status, ready);
	if (message) {
		assert_string_equal(find(s, "Ready")->reason, "ReadinessGatesNotReady");
		assert_string_equal(find(s, "Ready")->message, message);
	}
	fixture_close(&f);
}

static void test_readiness_gates(void **state)
{
	(void)state;
	assert_gated("Initialized", "True", NULL);
	assert_gated("x.io/lb", "False",
		     "corresponding condition of pod readiness gate \"x.io/lb\" does not exist.");
}

/* The same input gives the same output, byte by byte. */
static void test_deterministic(void **state)
{
	BUF_AUTO first = { 0 };
	struct fixture f;

	(void)state;
	open_pod(&f, "Always", "");
	fixture_run(&f);
	for (int i = 0; i < 2; i++) {
		BUF_AUTO text = { 0 };
		struct json j;

		fixture_run(&f);
		json_init(&j, &text, false);
		object_json(&j, &f.wanted.pods.v[0].object, 0);
		if (i)
			assert_string_equal(buf_str(&text), buf_str(&first));
		else
			buf_puts(&first, buf_str(&text));
	}
	fixture_close(&f);
}

/* Nothing observed changes for a pod as it was made: no label, annotation or digest differs. */
static void test_stable(void **state)
{
	struct fixture f;

	(void)state;
	open_pod(&f, "Always", "");
	fixture_ready(&f.observed.pods[0]);
	fixture_run(&f);
	assert_true(schema_equal(&meta_type, f.wanted.pods.v[0].object.meta,
				 f.observed.pods[0].object->meta));
	assert_int_equal(f.wanted.pods.v[0].config_digest, f.observed.pods[0].config_digest);
	fixture_close(&f);
}

static void test_lost(void **state)
{
	struct fixture f;
	struct observed_pod *p;

	(void)state;
	open_pod(&f, "Always", "");
	p = &f.observed.pods[0];
	p->stage = POD_BROKEN;
	p->message = "no address left";
	p->created_at = NOW - 4 * NSEC;
	fixture_run(&f);
	assert_false(f.wanted.pods.v[0].stop);
	assert_int_equal(f.wanted.wake, NOW + 6 * NSEC);
	assert_string_equal(f.wanted.pods.v[0].status->phase, "Pending");
	assert_string_equal(f.wanted.pods.v[0].status->message, "no address left");
	p->created_at = NOW - 11 * NSEC;
	fixture_run(&f);
	assert_true(f.wanted.pods.v[0].stop);
	fixture_close(&f);
}

/* A stop that was sent is never taken back; the pod comes again when it is gone. */
static void test_stopping(void **state)
{
	struct fixture f;

	(void)state;
	open_pod(&f, "Always", "");
	f.observed.pods[0].stage = POD_STOPPING;
	f.observed.pods[0].stopped_at = NOW - NSEC;
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 1);
	assert_true(f.wanted.pods.v[0].stop);
	f.observed.npods = 0;
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 1);
	assert_false(f.wanted.pods.v[0].stop);
	fixture_close(&f);
}

static const char missing_yaml[] =
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata: {name: there}\n"
	"data: {a: b}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: job}\n"
	"spec:\n"
	"  volumes: [{name: v, %s}]\n"
	"  containers:\n"
	"  - name: main\n"
	"    image: 'rootfs:/'\n"
	"    command: [sleep, '100']\n"
	"    %s\n";

static const struct {
	const char *volume, *env;
	bool run;
	const char *reason, *message;
} missing[] = {
	{ "emptyDir: {}", "env: [{name: A, valueFrom: {configMapKeyRef: {name: there, key: a}}}]",
	  true, "ContainerCreating", NULL },
	{ "emptyDir: {}", "env: [{name: A, valueFrom: {configMapKeyRef: {name: gone, key: a}}}]",
	  false, "CreateContainerConfigError", "configmap \"gone\" not found" },
	{ "emptyDir: {}", "env: [{name: A, valueFrom: {configMapKeyRef: {name: there, key: x}}}]",
	  false, "CreateContainerConfigError", "couldn't find key x in ConfigMap default/there" },
	{ "emptyDir: {}",
	  "env: [{name: A, valueFrom: {configMapKeyRef: {name: gone, key: a, optional: true}}}]",
	  true, "ContainerCreating", NULL },
	{ "emptyDir: {}", "envFrom: [{secretRef: {name: gone}}]",
	  false, "CreateContainerConfigError", "secret \"gone\" not found" },
	{ "configMap: {name: gone}", "tty: false", false, "ContainerCreating",
	  "MountVolume.SetUp failed for volume \"v\" : configmap \"gone\" not found" },
	{ "secret: {secretName: gone, optional: true}", "tty: false", true, "ContainerCreating",
	  NULL },
};

static void test_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		const struct state_waiting *w;
		struct fixture f;
		char text[1000];

		snprintf(text, sizeof(text), missing_yaml, missing[i].volume, missing[i].env);
		fixture_open(&f, text);
		fixture_run(&f);
		w = f.wanted.pods.v[0].status->container_statuses.v[0].state->waiting;
		assert_int_equal(f.wanted.pods.v[0].containers[0].run, missing[i].run);
		assert_string_equal(w->reason, missing[i].reason);
		if (missing[i].message)
			assert_string_equal(w->message, missing[i].message);
		fixture_close(&f);
	}
}

static const struct told {
	const char *name;
	struct observed_container c;	/* times relative to now, in seconds */
	const char *events;		/* with what is said of the pod itself */
} told[] = {
	{ "runs", { .phase = RUN_RUNNING, .started_at = -5 },
	  "Scheduled: Successfully assigned default/job to node\n"
	  "Created: Created container: main\n"
	  "Started: Started container main\n" },
	{ "has run for long", { .phase = RUN_RUNNING, .started_at = -11 },
	  "Scheduled: Successfully assigned default/job to node\n" },
	{ "ended", { .phase = RUN_ENDED, .end = { .exit_code = 1, .started_at = -5, .finished_at = -1 } },
	  "Scheduled: Successfully assigned default/job to node\n"
	  "Created: Created container: main\n"
	  "Started: Started container main\n"
	  "BackOff: Back-off restarting failed container main\n" },
	{ "could not be started",
	  { .phase = RUN_FAILED, .message = "no such file",
	    .end = { .started_at = -1, .finished_at = -1 } },
	  "Scheduled: Successfully assigned default/job to node\n"
	  "Created: Created container: main\n"
	  "Failed: Error: no such file\n"
	  "BackOff: Back-off restarting failed container main\n" },
	{ "volume", { .phase = RUN_CREATED, .refused = { FAULT_MOUNT, 1, -1, "no directory" } },
	  "Scheduled: Successfully assigned default/job to node\n"
	  "FailedMount: no directory\n" },
	{ "configuration", { .phase = RUN_CREATED, .refused = { FAULT_CONFIG, 1, -1, "as root" } },
	  "Scheduled: Successfully assigned default/job to node\n"
	  "Failed: Error: as root\n" },
};

static void test_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct row r = { .c = told[i].c };
		BUF_AUTO text = { 0 };
		struct fixture f;

		open_pod(&f, "Always", "");
		f.observed.pods[0].created_at = NOW - 9 * NSEC;
		f.observed.pods[0].containers[0] = absolute(&r);
		fixture_run(&f);
		for (uint32_t k = 0; k < f.wanted.events.n; k++)
			buf_printf(&text, "%s: %s\n", f.wanted.events.v[k].reason,
				   f.wanted.events.v[k].message);
		assert_string_equal(text.data, told[i].events);
		fixture_close(&f);
	}
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_backoff_annotation),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_readiness_gates),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_stable),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_told),
	};
	struct CMUnitTest tests[ARRAY_SIZE(others) + ARRAY_SIZE(rows)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[ARRAY_SIZE(others) + i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
