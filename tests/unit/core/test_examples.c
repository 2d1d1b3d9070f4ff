/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The examples of Kubernetes' documentation, with its figures: rolling updates with the default
 * bounds for 1 to 50 replicas, proportional scaling, the order of a StatefulSet. Those of Jobs and
 * CronJobs stand in test_jobs.c.
 */
#include "sim.h"

#define TEMPLATE(name, image) \
	"  selector: {matchLabels: {app: " name "}}\n" \
	"  template:\n" \
	"    metadata: {labels: {app: " name "}}\n" \
	"    spec: {containers: [{name: c, image: 'rootfs:/" image "', " \
	"readinessProbe: {tcpSocket: {port: 80}}}]}\n"
#define DEPLOYMENT \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nginx}\n" \
	"spec:\n  replicas: %d\n%s" TEMPLATE("nginx", "%s")
#define STATEFULSET \
	"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\n" \
	"spec:\n  serviceName: nginx\n  replicas: %d\n%s" TEMPLATE("web", "%s")

static void declare(struct sim *s, const char *form, int replicas, const char *more,
		    const char *image)
{
	char text[1000];

	snprintf(text, sizeof(text), form, replicas, more, image);
	sim_use(s, sim_set_text(s, text));
}

static int count(const struct sim *s, const char *image, bool ready)
{
	int n = 0;

	for (uint32_t i = 0; i < s->pods.n; i++) {
		const struct sim_pod *p = s->pods.v[i];

		n += strstr(p->object.pod->spec.containers.v[0].image, image) &&
		     (!ready || p->ready_since);
	}
	return n;
}

/* "25% max unavailable, 25% max surge": a rollout to what never gets ready stops at both bounds.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment */
static void test_quarter(void **state)
{
	(void)state;
	for (int replicas = 1; replicas <= 50; replicas++) {
		int surge = (replicas + 3) / 4, unavailable = replicas / 4;
		struct sim s;

		sim_init(&s, (uint64_t)replicas);
		declare(&s, DEPLOYMENT, replicas, "", "v1");
		assert_true(sim_settle(&s, 500));
		assert_int_equal(count(&s, "v1", true), replicas);
		declare(&s, DEPLOYMENT, replicas, "", "never");
		sim_run_until(&s, s.now + 300 * NSEC);
		assert_int_equal(count(&s, "v1", true), replicas - unavailable);
		assert_int_equal(count(&s, "never", false), surge + unavailable);
		assert_int_equal(s.pods.n, replicas + surge);
		sim_release(&s);
	}
}

struct bounds { int least, most, passes; };

/* Pods that were told to go count no more. */
static void watch(struct sim *s, const struct observed *o, const struct wanted *w,
		  const struct action_list *l)
{
	struct bounds *b = s->data;
	int pods = 0, ready = 0;

	(void)o;
	(void)w;
	(void)l;
	for (uint32_t i = 0; i < s->pods.n; i++) {
		pods += !s->pods.v[i]->stopped_at;
		ready += !s->pods.v[i]->stopped_at && s->pods.v[i]->ready_since;
	}
	assert_true(pods <= b->most);
	assert_true(ready >= b->least);
	b->passes++;
}

/* "At least 75% of the desired number of Pods are up", "at most 125%", at every moment of a rollout
 * that succeeds. */
static void test_quarter_all_along(void **state)
{
	(void)state;
	for (int replicas = 1; replicas <= 50; replicas++) {
		struct bounds b = { replicas - replicas / 4, replicas + (replicas + 3) / 4, 0 };
		struct sim s;

		sim_init(&s, (uint64_t)replicas);
		declare(&s, DEPLOYMENT, replicas, "", "v1");
		assert_true(sim_settle(&s, 500));
		declare(&s, DEPLOYMENT, replicas, "", "v2");
		s.data = &b;
		s.did = watch;
		assert_true(sim_settle(&s, 2000));
		assert_true(b.passes > 2);
		assert_int_equal(count(&s, "v2", true), replicas);
		assert_int_equal(s.pods.n, replicas);
		sim_release(&s);
	}
}

/* "3 replicas are added to the old ReplicaSet and 2 replicas are added to the new ReplicaSet":
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling */
static void test_proportional_scaling(void **state)
{
	static const char bounds[] =
		"  strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 2}}\n";
	struct sim s;

	(void)state;
	sim_init(&s, 60);
	declare(&s, DEPLOYMENT, 10, bounds, "v1");
	assert_true(sim_settle(&s, 500));
	declare(&s, DEPLOYMENT, 10, bounds, "never");
	sim_run_until(&s, s.now + 300 * NSEC);
	assert_int_equal(count(&s, "v1", true), 8);
	assert_int_equal(count(&s, "never", false), 5);
	declare(&s, DEPLOYMENT, 15, bounds, "never");
	sim_run_until(&s, s.now + 300 * NSEC);
	assert_int_equal(count(&s, "v1", true), 11);
	assert_int_equal(count(&s, "never", false), 7);
	sim_release(&s);
}

/* What comes and goes, in order: "+web-0 +web-1 -web-1". */
struct story { struct buf text; };

static void tell(struct sim *s, const struct observed *o, const struct wanted *w,
		 const struct action *a)
{
	struct story *t = s->data;

	(void)o;
	(void)w;
	if (a->kind == ACTION_POD_CREATE || a->kind == ACTION_POD_STOP)
		buf_printf(&t->text, "%s%c%s", t->text.len ? " " : "",
			   a->kind == ACTION_POD_CREATE ? '+' : '-', a->name);
}

static void expect(struct sim *s, struct story *t, const char *text)
{
	assert_true(sim_settle(s, 1000));
	assert_string_equal(buf_str(&t->text), text);
	t->text.len = 0;
}

/* https://kubernetes.io/docs/tutorials/stateful-application/basic-stateful-set/ */
static void test_statefulset(void **state)
{
	static const char partition[] = "  updateStrategy: {rollingUpdate: {partition: 2}}\n";
	struct story t = { 0 };
	struct sim s;

	(void)state;
	sim_init(&s, 61);
	s.acts = tell;
	s.data = &t;
	declare(&s, STATEFULSET, 2, "", "v1");
	expect(&s, &t, "+web-0 +web-1");
	declare(&s, STATEFULSET, 5, "", "v1");
	expect(&s, &t, "+web-2 +web-3 +web-4");
	declare(&s, STATEFULSET, 3, "", "v1");
	expect(&s, &t, "-web-4 -web-3");
	declare(&s, STATEFULSET, 3, "", "v2");
	expect(&s, &t, "-web-2 +web-2 -web-1 +web-1 -web-0 +web-0");
	declare(&s, STATEFULSET, 3, partition, "v3");
	expect(&s, &t, "-web-2 +web-2");
	assert_int_equal(count(&s, "v3", true), 1);
	declare(&s, STATEFULSET, 3, "", "v3");
	expect(&s, &t, "-web-1 +web-1 -web-0 +web-0");
	declare(&s, STATEFULSET, 0, "", "v3");
	expect(&s, &t, "-web-2 -web-1 -web-0");
	buf_release(&t.text);
	sim_release(&s);
}

/* https://kubernetes.io/docs/tutorials/stateful-application/basic-stateful-set/#parallel-pod-management */
static void test_parallel(void **state)
{
	static const char parallel[] = "  podManagementPolicy: Parallel\n";
	struct story t = { 0 };
	struct sim s;

	(void)state;
	sim_init(&s, 62);
	s.acts = tell;
	s.data = &t;
	declare(&s, STATEFULSET, 2, parallel, "never");
	expect(&s, &t, "+web-0 +web-1");
	declare(&s, STATEFULSET, 4, parallel, "never");
	expect(&s, &t, "+web-2 +web-3");
	buf_release(&t.text);
	sim_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quarter), cmocka_unit_test(test_quarter_all_along),
		cmocka_unit_test(test_proportional_scaling),
		cmocka_unit_test(test_statefulset),
		cmocka_unit_test(test_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
