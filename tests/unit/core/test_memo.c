/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pass works on. Not times are looked at but counts: after one change they are the same
 * however much there is beside it. The simulated machine makes each second pass a second time with
 * nothing kept, and compares; that nothing was broken is checked at the end.
 */
#include "sim.h"

#include "control/memo.h"

#define DONE (60 * NSEC)	/* what starts is told about for some seconds */

static const char yaml[] =
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata: {name: c-%1$u}\n"
	"data: {a: '%3$s'}\n"
	"---\n"
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: web-%1$u}\n"
	"spec:\n"
	"  replicas: 3\n"
	"  selector: {matchLabels: {app: web-%1$u}}\n"
	"  template:\n"
	"    metadata: {labels: {app: web-%1$u}}\n"
	"    spec:\n"
	"      containers:\n"
	"      - name: web\n"
	"        image: 'rootfs:/%2$s'\n"
	"        envFrom: [{configMapRef: {name: c-%1$u}}]\n"
	"        readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web-%1$u}\n"
	"spec: {selector: {app: web-%1$u}, ports: [{port: 80}]}\n"
	"---\n";

/* n Deployments, of which the first is as it is said. */
static void declare(struct sim *s, uint32_t n, const char *image, const char *config)
{
	BUF_AUTO text = { 0 };

	for (uint32_t i = 0; i < n; i++)
		buf_printf(&text, yaml, i, i ? "v1" : image, i ? "a" : config);
	sim_use(s, sim_set_text(s, buf_str(&text)));
}

static struct memo_counts pass(struct sim *s)
{
	sim_pass(s);
	return memo_counts(s->memo);
}

static void check_counts(const struct memo_counts *c, uint32_t owners, uint32_t pods,
			 uint32_t services)
{
	assert_int_equal(c->owners, owners);
	assert_int_equal(c->pods, pods);
	assert_int_equal(c->services, services);
}

/* All is up, and has been for a while. */
static void start(struct sim *s, uint32_t n)
{
	sim_init(s, n);
	declare(s, n, "v1", "a");
	assert_true(sim_settle(s, 5000));
	s->now += DONE;
	for (int i = 0; i < 3; i++)
		sim_pass(s);
	assert_int_equal(s->pods.n, 3 * n);
}

static void finish(struct sim *s)
{
	assert_null(s->rule);
	assert_true(s->compared > 0);
	sim_release(s);
}

static const uint32_t sizes[] = { 2, 8, 32 };

static void test_nothing_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct memo_counts c;
		struct sim s;

		start(&s, sizes[i]);
		c = pass(&s);
		check_counts(&c, 0, 0, 0);
		assert_int_equal(c.kept, 2 * sizes[i]);
		finish(&s);
	}
}

static void test_edit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct memo_counts c;
		struct sim s;

		start(&s, sizes[i]);
		declare(&s, sizes[i], "v2", "a");
		c = pass(&s);
		check_counts(&c, 1, 3, 1);
		assert_true(sim_settle(&s, 5000));
		s.now += DONE;
		for (int k = 0; k < 3; k++)
			c = pass(&s);
		check_counts(&c, 0, 0, 0);
		finish(&s);
	}
}

static void test_config(void **state)
{
	struct memo_counts c;
	struct sim s;

	(void)state;
	start(&s, 8);
	declare(&s, 8, "v1", "b");
	c = pass(&s);
	check_counts(&c, 1, 3, 1);
	finish(&s);
}

static void test_pod_ends(void **state)
{
	struct memo_counts c;
	struct sim s;

	(void)state;
	start(&s, 8);
	sim_container_end(s.pods.v[0], &s.pods.v[0]->containers[0], s.now, 1, 0, false);
	c = pass(&s);
	check_counts(&c, 1, 3, 1);
	finish(&s);
}

/* Somebody else's pod takes the name of one that is kept, which is stopped for it. */
static void test_name_taken(void **state)
{
	BUF_AUTO text = { 0 };
	struct memo_counts c;
	struct sim s;

	(void)state;
	start(&s, 3);
	for (uint32_t i = 0; i < 3; i++)
		buf_printf(&text, yaml, i, "v1", "a");
	buf_printf(&text, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"
		   "spec: {containers: [{name: c, image: 'rootfs:/v1'}]}\n",
		   s.pods.v[0]->object.meta->name);
	sim_use(&s, sim_set_text(&s, buf_str(&text)));
	c = pass(&s);
	check_counts(&c, 3, 9, 3);
	assert_true(sim_settle(&s, 5000));
	assert_int_equal(s.pods.n, 10);
	finish(&s);
}

/* The clock goes back: nothing is kept that was worked out in the future. */
static void test_clock_back(void **state)
{
	struct memo_counts c;
	struct sim s;

	(void)state;
	start(&s, 3);
	sim_jump(&s, -3600 * NSEC);
	c = pass(&s);
	check_counts(&c, 3, 9, 3);
	finish(&s);
}

static void test_removed(void **state)
{
	struct memo_counts c;
	struct sim s;

	(void)state;
	start(&s, 4);
	declare(&s, 3, "v1", "a");
	c = pass(&s);
	check_counts(&c, 0, 3, 0);
	assert_true(sim_settle(&s, 5000));
	assert_int_equal(s.pods.n, 9);
	finish(&s);
}

static const char other_kinds[] =
	"apiVersion: apps/v1\n"
	"kind: StatefulSet\n"
	"metadata: {name: db}\n"
	"spec:\n"
	"  replicas: 2\n"
	"  selector: {matchLabels: {app: db}}\n"
	"  template:\n"
	"    metadata: {labels: {app: db}}\n"
	"    spec: {containers: [{name: db, image: 'rootfs:/v1'}]}\n"
	"---\n"
	"apiVersion: apps/v1\n"
	"kind: DaemonSet\n"
	"metadata: {name: agent}\n"
	"spec:\n"
	"  selector: {matchLabels: {app: agent}}\n"
	"  template:\n"
	"    metadata: {labels: {app: agent}}\n"
	"    spec: {containers: [{name: agent, image: 'rootfs:/%s'}]}\n";

static void declare_others(struct sim *s, const char *image)
{
	BUF_AUTO text = { 0 };

	buf_printf(&text, other_kinds, image);
	sim_use(s, sim_set_text(s, buf_str(&text)));
}

static void test_other_kinds(void **state)
{
	struct memo_counts c;
	struct sim s;

	(void)state;
	sim_init(&s, 1);
	declare_others(&s, "v1");
	assert_true(sim_settle(&s, 1000));
	s.now += DONE;
	for (int i = 0; i < 4; i++)
		c = pass(&s);
	check_counts(&c, 0, 0, 0);
	assert_int_equal(c.kept, 2);
	declare_others(&s, "v2");
	c = pass(&s);
	check_counts(&c, 1, 1, 0);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_changed), cmocka_unit_test(test_edit),
		cmocka_unit_test(test_config),		cmocka_unit_test(test_pod_ends),
		cmocka_unit_test(test_name_taken),	cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_removed),		cmocka_unit_test(test_other_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
