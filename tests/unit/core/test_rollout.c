/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rollouts in the simulated machine: in every pass the bounds of the Deployment hold, services
 * point only at pods that are ready and stay, and in the end what runs is what was declared and the
 * plan is empty.
 */
#include "sim.h"

/* 100,000 passes and more take some seconds; under the sanitizers, some minutes. */
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 4
#else
#define SEEDS 30
#endif
#define PASSES_PER_SEED 3400

struct expectation {
	int32_t replicas, surge, unavailable;
	bool recreate;
	bool scaling;		/* replicas changed meanwhile: availability has to build up first */
};

static const char yaml[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: web}\n"
	"spec:\n"
	"  replicas: %d\n"
	"  minReadySeconds: %d\n"
	"  revisionHistoryLimit: 3\n"
	"  paused: %s\n"
	"  selector: {matchLabels: {app: web}}\n"
	"  strategy: %s\n"
	"  template:\n"
	"    metadata: {labels: {app: web}}\n"
	"    spec:\n"
	"      containers:\n"
	"      - name: web\n"
	"        image: 'rootfs:/%s'\n"
	"        readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web}\n"
	"spec: {selector: {app: web}, ports: [{port: 80}]}\n";

struct edit {
	int32_t replicas, min_ready;
	const char *strategy, *image;
	bool paused;
};

static void declare(struct sim *s, const struct edit *e)
{
	char text[2000];

	snprintf(text, sizeof(text), yaml, e->replicas, e->min_ready, e->paused ? "true" : "false",
		 e->strategy, e->image);
	sim_use(s, sim_set_text(s, text));
}

static bool available(const struct sim *s, const struct observed_pod *p)
{
	int32_t min = set_find(s->set, KIND_DEPLOYMENT, "default",
			       "web")->deployment->spec.min_ready_seconds;

	return p->ready_since && s->now >= p->ready_since + min * NSEC;
}

static const char *owner(const struct object *pod)
{
	return pod->meta->owner_references.v[0].uid;
}

/* Nothing is made while a pod of another template still exists. */
static void check_recreate(const struct observed *o, const struct wanted *w)
{
	for (uint32_t i = 0; i < w->pods.n; i++) {
		const struct object *pod = &w->pods.v[i].object;

		if (observed_find(o, "default", pod->meta->name))
			continue;
		for (uint32_t k = 0; k < o->npods; k++)
			assert_string_equal(owner(o->pods[k].object), owner(pod));
	}
}

static void check_endpoints(const struct observed *o, const struct wanted *w)
{
	for (uint32_t i = 0; i < w->services.n; i++) {
		for (uint32_t k = 0; k < w->services.v[i].count; k++) {
			const struct wanted_pod *found = NULL;

			for (uint32_t m = 0; m < o->npods && !found; m++)
				if (o->pods[m].ip == w->services.v[i].endpoints[k].ip)
					for (uint32_t n = 0; n < w->pods.n; n++)
						if (!object_cmp(&w->pods.v[n].object,
								o->pods[m].object))
							found = &w->pods.v[n];
			assert_non_null(found);
			assert_false(found->stop);
			assert_string_equal(found->status->phase, "Running");
		}
	}
}

static void check(struct sim *s, const struct observed *o, const struct wanted *w)
{
	const struct expectation *e = s->data;
	int32_t stay = 0, good = 0, taken = 0;

	for (uint32_t i = 0; i < w->pods.n; i++) {
		const struct wanted_pod *p = &w->pods.v[i];
		const struct observed_pod *runs = observed_find(o, "default", p->object.meta->name);

		assert_true(runs || !p->stop);
		if (!p->stop)
			stay++;
		if (runs && available(s, runs) && !runs->stopped_at) {
			if (p->stop)
				taken++;
			else
				good++;
		}
	}
	assert_true(w->pods.n >= o->npods);
	assert_true(stay <= e->replicas + e->surge);
	if (taken && !e->recreate && !e->scaling)
		assert_true(good >= e->replicas - e->unavailable);
	if (e->recreate)
		check_recreate(o, w);
	check_endpoints(o, w);
}

/* What is left at the end: exactly the declared pods, and nothing to do. */
static void check_end(struct sim *s, const struct edit *e)
{
	struct arena a = { 0 };
	struct observed o;
	struct wanted w;
	struct plan p;
	struct control_in in = { .set = s->set, .observed = &o, .now = s->now, .seed = 1 };
	char image[64];

	snprintf(image, sizeof(image), "rootfs:/%s", e->image);
	sim_observe(s, &a, &o);
	control_run(&a, &in, &w);
	plan_make(&a, &(struct plan_in){ .applied = s->set, .candidate = s->set, .observed = &o,
					 .wanted = &w }, &p);
	BUF_AUTO text = { 0 };
	plan_text(&p, &text);
	if (!plan_empty(&p))
		fail_msg("not empty: %s %s", buf_str(&text), p.actions.n ? p.actions.v[0].why : "");
	assert_int_equal(o.npods, e->replicas);
	for (uint32_t i = 0; i < o.npods; i++)
		assert_string_equal(o.pods[i].object->pod->spec.containers.v[0].image, image);
	assert_int_equal(w.services.v[0].count, e->replicas);
	assert_true(s->derived.n <= 4);
	arena_release(&a);
}

static const struct { const char *text; int surge, unavailable; } strategies[] = {
	{ "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", 1, 0 },
	{ "{rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", 0, 1 },
	{ "{rollingUpdate: {maxSurge: 3, maxUnavailable: 2}}", 3, 2 },
	{ "{rollingUpdate: {maxSurge: '25%', maxUnavailable: '25%'}}", -25, -25 },
	{ "{rollingUpdate: {maxSurge: '100%', maxUnavailable: 0}}", -100, 0 },
	{ "{rollingUpdate: {maxSurge: '50%', maxUnavailable: '50%'}}", -50, -50 },
	{ "{type: Recreate}", 0, 0 },
};

static void expect_strategy(struct expectation *e, size_t k, int32_t replicas)
{
	int s = strategies[k].surge, u = strategies[k].unavailable;

	e->replicas = replicas;
	e->surge = s < 0 ? (replicas * -s + 99) / 100 : s;
	e->unavailable = u < 0 ? replicas * -u / 100 : u;
	if (!e->surge && !e->unavailable)
		e->unavailable = 1;
	e->recreate = k == ARRAY_SIZE(strategies) - 1;
	if (e->recreate)
		e->surge = 0;
}

/* A rollout, edited again while it is under way, sometimes back to what it was. */
static uint64_t run_one(size_t k, int32_t replicas, uint64_t seed, unsigned lost)
{
	static const char *const images[] = { "v1", "v2", "v3", "v1" };
	struct expectation x = { 0 };
	struct sim s;
	struct edit e = { .replicas = replicas, .strategy = strategies[k].text, .image = "v1",
			  .min_ready = seed % 3 == 0 ? 5 : 0 };

	sim_init(&s, seed);
	s.lost_percent = lost;
	s.check = check;
	s.data = &x;
	expect_strategy(&x, k, replicas);
	declare(&s, &e);
	assert_true(sim_settle(&s, 2000));
	check_end(&s, &e);
	for (size_t i = 1; i < ARRAY_SIZE(images); i++) {
		e.image = images[i];
		declare(&s, &e);
		sim_settle(&s, (unsigned)(sim_random(&s) % 30));
	}
	assert_true(sim_settle(&s, 5000));
	check_end(&s, &e);
	sim_release(&s);
	return s.passes;
}

/* Many thousands of passes; how many is part of the test, so that it can't become empty. */
static void test_bounds(void **state)
{
	uint64_t passes = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(strategies); k++)
		for (int32_t replicas = 1; replicas <= 10; replicas++)
			for (uint64_t seed = 1; seed <= SEEDS; seed++)
				passes += run_one(k, replicas, seed, 0);
	assert_true(passes > SEEDS * PASSES_PER_SEED);
}

static void test_lost_actions(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(strategies) - 1; k++)
		for (int32_t replicas = 1; replicas <= 10; replicas += 3)
			run_one(k, replicas, 7 + (uint64_t)replicas, 20);
}

/* Replicas change while a rollout is under way. */
static void test_scale(void **state)
{
	struct expectation x = { .scaling = true };

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		size_t k = seed % (ARRAY_SIZE(strategies) - 1);
		struct edit e = { .replicas = 4, .strategy = strategies[k].text, .image = "v1" };
		struct sim s;

		sim_init(&s, seed);
		s.check = check;
		s.data = &x;
		for (int i = 0; i < 6; i++) {
			e.image = i % 2 ? "v2" : "v1";
			e.replicas = (int32_t)(sim_random(&s) % 12);
			expect_strategy(&x, k, e.replicas);
			declare(&s, &e);
			sim_settle(&s, (unsigned)(sim_random(&s) % 25));
		}
		assert_true(sim_settle(&s, 5000));
		check_end(&s, &e);
		sim_release(&s);
	}
}

static const struct deployment_status *status_of(const struct wanted *w)
{
	for (uint32_t i = 0; i < w->statuses.n; i++)
		if (w->statuses.v[i].key.kind->id == KIND_DEPLOYMENT)
			return w->statuses.v[i].status;
	fail_msg("no status");
	return NULL;
}

struct last { char reason[64]; int32_t available; struct expectation x; };

static void remember(struct sim *s, const struct observed *o, const struct wanted *w)
{
	struct last *l = s->data;
	const struct deployment_status *d = status_of(w);

	(void)o;
	l->available = d->available_replicas;
	for (uint32_t i = 0; i < d->conditions.n; i++)
		if (streq(d->conditions.v[i].type, "Progressing"))
			snprintf(l->reason, sizeof(l->reason), "%s", d->conditions.v[i].reason);
}

/* A rollout to something that never gets ready stops at its bounds, and is reported. */
static void test_deadline(void **state)
{
	struct edit e = { .replicas = 4, .strategy = strategies[0].text, .image = "v1" };
	struct last l = { 0 };
	struct sim s;

	(void)state;
	sim_init(&s, 3);
	s.check = remember;
	s.data = &l;
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	assert_string_equal(l.reason, "NewReplicaSetAvailable");
	e.image = "never";
	declare(&s, &e);
	sim_run_until(&s, s.now + 500 * NSEC);
	assert_string_equal(l.reason, "ReplicaSetUpdated");
	sim_run_until(&s, s.now + 200 * NSEC);
	assert_string_equal(l.reason, "ProgressDeadlineExceeded");
	assert_int_equal(l.available, 4);
	e.image = "v1";
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	assert_string_equal(l.reason, "NewReplicaSetAvailable");
	check_end(&s, &e);
	sim_release(&s);
}

/* After a rollout was complete, pods that fail are no failed rollout. */
static void test_complete_stays(void **state)
{
	struct edit e = { .replicas = 2, .strategy = strategies[0].text, .image = "v1" };
	struct last l = { 0 };
	struct sim s;

	(void)state;
	sim_init(&s, 4);
	s.check = remember;
	s.data = &l;
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	for (uint32_t i = 0; i < s.pods.n; i++)
		s.pods.v[i]->containers[0].c.passed[PROBE_READINESS] = false,
		s.pods.v[i]->containers[0].ready_at = 0;
	sim_run_until(&s, s.now + 2000 * NSEC);
	assert_int_equal(l.available, 0);
	assert_string_equal(l.reason, "NewReplicaSetAvailable");
	sim_release(&s);
}

static void test_crash_loop(void **state)
{
	struct edit e = { .replicas = 1, .strategy = strategies[0].text, .image = "crash" };
	struct sim s;

	(void)state;
	sim_init(&s, 5);
	declare(&s, &e);
	sim_run_until(&s, s.now + 3600 * NSEC);
	assert_int_equal(s.pods.n, 1);
	assert_in_range(s.pods.v[0]->containers[0].c.attempt, 14, 18);
	assert_in_range(s.passes, 1, 100);
	sim_release(&s);
}

static void count_new(struct sim *s, const struct observed *o, const struct wanted *w)
{
	unsigned *n = s->data;

	for (uint32_t i = 0; i < w->pods.n; i++)
		*n += !observed_find(o, "default", w->pods.v[i].object.meta->name);
}

/* A sandbox that can't be made is tried again with the same back-off. */
static void test_no_sandbox(void **state)
{
	struct edit e = { .replicas = 1, .strategy = strategies[0].text, .image = "nosandbox" };
	unsigned made = 0;
	struct sim s;

	(void)state;
	sim_init(&s, 6);
	s.check = count_new;
	s.data = &made;
	declare(&s, &e);
	sim_run_until(&s, s.now + 3600 * NSEC);
	assert_in_range(made, 14, 20);
	assert_in_range(s.pods.n, 1, 2);
	sim_release(&s);
}

static int64_t newest_revision(const struct sim *s)
{
	int64_t max = 0;

	for (uint32_t i = 0; i < s->derived.n; i++)
		max = MAX(max, atoll(strmap_get(&s->derived.v[i]->object.meta->annotations,
						REVISION_ANNOTATION)));
	return max;
}

static void test_history(void **state)
{
	struct edit e = { .replicas = 2, .strategy = strategies[0].text, .image = "v0" };
	struct sim s;
	char image[16];

	(void)state;
	sim_init(&s, 8);
	for (int i = 0; i < 15; i++) {
		snprintf(image, sizeof(image), "v%d", i);
		e.image = image;
		declare(&s, &e);
		assert_true(sim_settle(&s, 500));
	}
	assert_int_equal(s.derived.n, 4);
	assert_int_equal(newest_revision(&s), 15);
	/* going back uses the old one again, with the next number */
	e.image = "v13";
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	assert_int_equal(s.derived.n, 4);
	assert_int_equal(newest_revision(&s), 16);
	check_end(&s, &e);
	sim_release(&s);
}

static void test_pause(void **state)
{
	struct edit e = { .replicas = 3, .strategy = strategies[0].text, .image = "v1" };
	struct last l = { 0 };
	struct sim s;

	(void)state;
	sim_init(&s, 9);
	s.check = remember;
	s.data = &l;
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	e.image = "v2";
	e.paused = true;
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	assert_string_equal(l.reason, "DeploymentPaused");
	for (uint32_t i = 0; i < s.pods.n; i++)
		assert_string_equal(s.pods.v[i]->object.pod->spec.containers.v[0].image,
				    "rootfs:/v1");
	/* scaling works all the same */
	e.replicas = 5;
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	assert_int_equal(s.pods.n, 5);
	s.now += 3000 * NSEC;
	e.paused = false;
	declare(&s, &e);
	sim_step(&s);
	assert_string_not_equal(l.reason, "ProgressDeadlineExceeded");
	assert_true(sim_settle(&s, 500));
	check_end(&s, &e);
	sim_release(&s);
}

static const char pod_yaml[] =
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata: {name: cfg}\n"
	"data: {greeting: %s, file: %s}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: job, labels: {a: %s}}\n"
	"spec:\n"
	"  volumes: [{name: v, configMap: {name: cfg2}}]\n"
	"  containers:\n"
	"  - name: main\n"
	"    image: 'rootfs:/%s'\n"
	"    command: [x]\n"
	"    env: [{name: G, valueFrom: {configMapKeyRef: {name: cfg, key: greeting}}}]\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata: {name: cfg2}\n"
	"data: {b: v%s}\n";

struct pod_edit { const char *greeting, *label, *image, *volume; bool replaced; };

/* What replaces a declared pod, and what changes it in place. */
static void test_bare_pod(void **state)
{
	static const struct pod_edit edits[] = {
		{ "hello", "one", "v1", "x", true }, { "hello", "two", "v1", "x", false },
		{ "hello", "two", "v1", "y", false }, { "bye", "two", "v1", "y", true },
		{ "bye", "two", "v2", "y", true }, { "bye", "one", "v2", "z", false },
	};
	char text[1000], uid[37] = "";
	struct sim s;

	(void)state;
	sim_init(&s, 11);
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		const struct pod_edit *e = &edits[i];
		struct sim_pod *p;

		snprintf(text, sizeof(text), pod_yaml, e->greeting, e->greeting, e->label, e->image,
			 e->volume);
		sim_use(&s, sim_set_text(&s, text));
		assert_true(sim_settle(&s, 200));
		assert_int_equal(s.pods.n, 1);
		p = s.pods.v[0];
		assert_int_equal(streq(p->object.meta->uid, uid), !e->replaced);
		snprintf(uid, sizeof(uid), "%s", p->object.meta->uid);
		assert_string_equal(strmap_get(&p->object.meta->labels, "a"), e->label);
		assert_int_equal(p->config_digest,
				 set_config_hash(s.set, "default", &p->object.pod->spec, true,
						 &s.arena, NULL));
	}
	sim_release(&s);
}

/* Everything goes when nothing is declared any more. */
static void test_delete(void **state)
{
	struct edit e = { .replicas = 3, .strategy = strategies[0].text, .image = "v1" };
	struct sim s;

	(void)state;
	sim_init(&s, 10);
	declare(&s, &e);
	assert_true(sim_settle(&s, 500));
	sim_use(&s, sim_set_text(&s, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"));
	assert_true(sim_settle(&s, 500));
	assert_int_equal(s.pods.n, 0);
	assert_int_equal(s.derived.n, 0);
	assert_int_equal(s.nservices, 0);
	sim_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_lost_actions),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_complete_stays),
		cmocka_unit_test(test_crash_loop),
		cmocka_unit_test(test_no_sandbox),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_bare_pod),
		cmocka_unit_test(test_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
