/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes that the golden cases can't show: sets that were not compared with each other before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "plan/plan.h"

static struct set *load(const char *yaml)
{
	struct manifest *m = manifest_load("a.yaml", yaml, strlen(yaml));
	struct set *s = set_build(&m, 1, NULL, 0, &(struct hold_list){ 0 }, NULL);

	assert_false(m->broken);
	manifest_unref(m);
	return s;
}

struct both { struct set *was, *is; };

static struct both make(struct arena *a, const char *was, const char *is, struct plan *ret)
{
	static const struct observed nothing = { .services_known = true };
	static const struct wanted none;
	struct both b = { load(was), load(is) };

	plan_make(a, &(struct plan_in){ .applied = b.was, .candidate = b.is, .observed = &nothing,
					.wanted = &none }, ret);
	return b;
}

static void drop(struct both b)
{
	set_unref(b.was);
	set_unref(b.is);
}

static const struct { const char *was, *is, *why; } refusals[] = {
	{ "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\n",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: example.com/x\n",
	  "type: field is immutable" },
	{ "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: '1'}\n",
	  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: '2'}\n",
	  "data[a]: field is immutable" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct arena a = { 0 };
		struct plan p;

		struct both b = make(&a, refusals[i].was, refusals[i].is, &p);
		assert_int_equal(p.changes.n, 1);
		assert_true(p.changes.v[0].refused);
		assert_int_equal(p.refused, 1);
		assert_int_equal(p.updates, 0);
		assert_string_equal(p.changes.v[0].why, refusals[i].why);
		arena_release(&a);
		drop(b);
	}
}

/* An address that orchd chose is not taken away by a file that never named one. */
static void test_allocated(void **state)
{
	static const char svc[] = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
				  "spec: {selector: {a: b}, ports: [{port: 80}]}\n";
	static const struct observed nothing = { .services_known = true };
	static const struct wanted none;
	struct set *was = load(svc), *is = load(svc);
	struct arena a = { 0 };
	struct plan p;

	(void)state;
	was->objects.v[0].service->spec.cluster_ip = "10.96.0.9";
	was->objects.v[0].service->spec.ports.v[0].node_port = 30001;
	plan_make(&a, &(struct plan_in){ .applied = was, .candidate = is, .observed = &nothing,
					 .wanted = &none }, &p);
	assert_true(plan_empty(&p));
	arena_release(&a);
	set_unref(was);
	set_unref(is);
}

/* Twice the same plan is twice the same text. */
static void test_same_text(void **state)
{
	BUF_AUTO first = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct arena a = { 0 };
		struct plan p;
		BUF_AUTO text = { 0 };

		struct both b = make(&a, refusals[0].was, refusals[1].is, &p);
		plan_text(&p, &text);
		assert_int_equal(p.creates, 1);
		assert_int_equal(p.guarded, 1);		/* all objects of the stack would go */
		if (i)
			assert_string_equal(buf_str(&text), buf_str(&first));
		else
			buf_puts(&first, buf_str(&text));
		arena_release(&a);
		drop(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_allocated),
		cmocka_unit_test(test_same_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
