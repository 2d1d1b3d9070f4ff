/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what a table holds and what is wanted to text. Besides a few texts in full, random
 * sequences of changes are played into a model of the table here that refuses what the kernel
 * refuses: adding what is there, deleting what is not there or still used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/services.h"

#define VIP(n) (0x0a600000u + (n))	/* 10.96.0.n */
#define POD(n) (0x0af40000u + (n))	/* 10.244.0.n */

static struct service_entry entry(uint32_t ip, uint16_t port, uint16_t node_port,
				  const struct endpoint *e, uint32_t n)
{
	return (struct service_entry){ .ip = ip, .proto = IPPROTO_TCP, .port = port,
				       .node_port = node_port, .endpoints = e, .count = n };
}

/* The phases as one text, "--" between them. */
static char *diff(const struct services *old, const struct services *next)
{
	struct buf out[SERVICES_PHASES] = { 0 };

	services_diff(out, "t", old, next);
	for (int p = 1; p < SERVICES_PHASES; p++) {
		buf_printf(&out[0], "--\n%s", buf_str(&out[p]));
		buf_release(&out[p]);
	}
	return buf_take(&out[0]);
}

/* Text of the step from *s to v; *s becomes v. */
static char *step(struct services *s, const struct service_entry *v, uint32_t n)
{
	struct services next;
	char *text;

	services_next(s, v, n, &next);
	text = diff(s, &next);
	services_release(s);
	*s = next;
	return text;
}

static void check_step(struct services *s, const struct service_entry *v, uint32_t n,
		       const char *expected)
{
	char *text = step(s, v, n);

	assert_string_equal(text, expected);
	free(text);
}

static void test_first_service(void **state)
{
	struct endpoint e[] = { { POD(2), 8080 }, { POD(3), 8080 } };
	struct service_entry v[] = { entry(VIP(1), 80, 0, e, 2) };
	struct services s = { 0 };

	(void)state;
	check_step(&s, v, 1,
		"add map ip t vip_ep_0 { type inet_proto . ipv4_addr . inet_service : "
		"ipv4_addr . inet_service; }\n"
		"add chain ip t vip_pick_0\n"
		"add rule ip t vip_pick_0 meta l4proto { tcp, udp, sctp } dnat ip to "
		"meta l4proto . ip daddr . th dport map @vip_ep_0\n"
		"add map ip t vip_ep_1 { type inet_proto . ipv4_addr . inet_service : "
		"ipv4_addr . inet_service; }\n"
		"add chain ip t vip_pick_1\n"
		"add rule ip t vip_pick_1 meta l4proto { tcp, udp, sctp } dnat ip to "
		"meta l4proto . ip daddr . th dport map @vip_ep_1\n"
		"add chain ip t vip_2\n"
		"add rule ip t vip_2 numgen random mod 2 vmap "
		"{ 0 : goto vip_pick_0, 1 : goto vip_pick_1 }\n"
		"add element ip t hairpin { 10.244.0.2 . 10.244.0.2, 10.244.0.3 . 10.244.0.3 }\n"
		"add element ip t vip_ep_0 { tcp . 10.96.0.1 . 80 : 10.244.0.2 . 8080 }\n"
		"add element ip t vip_ep_1 { tcp . 10.96.0.1 . 80 : 10.244.0.3 . 8080 }\n"
		"--\n"
		"add element ip t vip { tcp . 10.96.0.1 . 80 : goto vip_2 }\n"
		"--\n");
	check_step(&s, v, 1, "--\n--\n");
	services_release(&s);
}

/* A rolling update replaces one endpoint: one element, the order of the others does not matter. */
static void test_replace_one(void **state)
{
	struct endpoint a[] = { { POD(2), 8080 }, { POD(3), 8080 }, { POD(4), 8080 } };
	struct endpoint b[] = { { POD(3), 8080 }, { POD(4), 8080 }, { POD(9), 8080 } };
	struct service_entry va[] = { entry(VIP(1), 80, 0, a, 3) };
	struct service_entry vb[] = { entry(VIP(1), 80, 0, b, 3) };
	struct services s = { 0 };

	(void)state;
	free(step(&s, va, 1));
	check_step(&s, vb, 1,
		"add element ip t hairpin { 10.244.0.9 . 10.244.0.9 }\n"
		"--\n"
		"delete element ip t vip_ep_0 { tcp . 10.96.0.1 . 80 }\n"
		"add element ip t vip_ep_0 { tcp . 10.96.0.1 . 80 : 10.244.0.9 . 8080 }\n"
		"--\n"
		"delete element ip t hairpin { 10.244.0.2 . 10.244.0.2 }\n");
	services_release(&s);
}

static void test_last_endpoint_goes(void **state)
{
	struct endpoint e[] = { { POD(2), 8080 } };
	struct service_entry with[] = { entry(VIP(1), 80, 30080, e, 1) };
	struct service_entry without[] = { entry(VIP(1), 80, 30080, NULL, 0) };
	struct services s = { 0 };

	(void)state;
	free(step(&s, with, 1));
	check_step(&s, without, 1,
		"--\n"
		"delete element ip t vip { tcp . 10.96.0.1 . 80 }\n"
		"delete element ip t node { tcp . 30080 }\n"
		"add element ip t refused { tcp . 30080 }\n"
		"--\n"
		"delete element ip t hairpin { 10.244.0.2 . 10.244.0.2 }\n"
		"delete element ip t vip_ep_0 { tcp . 10.96.0.1 . 80 }\n"
		"delete element ip t node_ep_0 { tcp . 30080 }\n"
		"flush chain ip t vip_1\ndelete chain ip t vip_1\n"
		"flush chain ip t vip_pick_0\ndelete chain ip t vip_pick_0\n"
		"delete map ip t vip_ep_0\n"
		"flush chain ip t node_1\ndelete chain ip t node_1\n"
		"flush chain ip t node_pick_0\ndelete chain ip t node_pick_0\n"
		"delete map ip t node_ep_0\n");
	services_release(&s);
}

static void test_affinity(void **state)
{
	struct endpoint e[] = { { POD(2), 1 }, { POD(3), 1 } };
	struct service_entry v[] = { entry(VIP(1), 80, 0, e, 2) };
	struct services s = { 0 };

	(void)state;
	free(step(&s, v, 1));
	v[0].affinity_s = 10800;
	check_step(&s, v, 1,
		"add chain ip t vip_2_sticky\n"
		"add rule ip t vip_2_sticky jhash ip saddr mod 2 vmap "
		"{ 0 : goto vip_pick_0, 1 : goto vip_pick_1 }\n"
		"--\n"
		"delete element ip t vip { tcp . 10.96.0.1 . 80 }\n"
		"add element ip t vip { tcp . 10.96.0.1 . 80 : goto vip_2_sticky }\n"
		"--\n"
		"flush chain ip t vip_2\ndelete chain ip t vip_2\n");
	services_release(&s);
}

/* A node port moves to a service with more endpoints, and back. */
static void test_node_port_moves(void **state)
{
	struct endpoint e[] = { { POD(2), 1 }, { POD(3), 1 } };
	struct service_entry a[] = { entry(VIP(1), 80, 30000, e, 1), entry(VIP(2), 80, 0, e, 2),
				     entry(VIP(3), 80, 30003, e, 2) };
	struct service_entry b[] = { entry(VIP(1), 80, 0, e, 1), entry(VIP(2), 80, 30000, e, 2),
				     entry(VIP(3), 80, 30003, e, 2) };
	struct services s = { 0 };

	(void)state;
	free(step(&s, a, 3));
	check_step(&s, b, 3,
		"add element ip t node_ep_1 { tcp . 30000 : 10.244.0.3 . 1 }\n"
		"--\n"
		"delete element ip t node { tcp . 30000 }\n"
		"add element ip t node { tcp . 30000 : goto node_2 }\n"
		"--\n"
		"flush chain ip t node_1\ndelete chain ip t node_1\n");
	check_step(&s, a, 3,
		"add chain ip t node_1\nadd rule ip t node_1 goto node_pick_0\n"
		"--\n"
		"delete element ip t node { tcp . 30000 }\n"
		"add element ip t node { tcp . 30000 : goto node_1 }\n"
		"--\n"
		"delete element ip t node_ep_1 { tcp . 30000 }\n");
	services_release(&s);
}

static void test_equal_keys(void **state)
{
	struct endpoint e[] = { { POD(2), 1 }, { POD(2), 1 } };
	struct service_entry v[] = {
		entry(VIP(1), 80, 30000, e, 1), entry(VIP(1), 80, 30000, e, 1),
		entry(VIP(2), 80, 30000, e, 1),
	};
	struct services s = { 0 };
	char *text;

	(void)state;
	text = step(&s, v, 3);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[0].node_port, 30000);
	assert_int_equal(s.v[1].node_port, 0);
	free(text);
	services_release(&s);
}

static void test_table(void **state)
{
	struct buf out = { 0 };

	(void)state;
	services_table(&out, "orch", (struct cidr4){ POD(0), 16 }, (struct cidr4){ VIP(0), 12 },
		       POD(1));
	assert_non_null(strstr(out.data, "table ip orch {\n"));
	assert_non_null(strstr(out.data, "ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 "
					 "ip daddr != 10.96.0.0/12 masquerade"));
	assert_non_null(strstr(out.data, "snat to 10.244.0.1\n"));
	assert_null(strchr(out.data, '$'));
	buf_release(&out);
}

/* ---- the model ---- */

#define OBJECTS 4096

struct model {
	struct object {
		char name[96];	/* "chain x", "map x", or "MAP { KEY }" */
		char target[64];	/* chain that an element goes to */
	} v[OBJECTS];
	unsigned n;
};

static struct object *model_find(struct model *m, const char *name)
{
	for (unsigned i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	return NULL;
}

static struct object *model_add(struct model *m, const char *name)
{
	if (model_find(m, name))
		fail_msg("added twice: %s", name);
	assert_true(m->n < OBJECTS);
	snprintf(m->v[m->n].name, sizeof(m->v[0].name), "%s", name);
	m->v[m->n].target[0] = '\0';
	return &m->v[m->n++];
}

static void model_delete(struct model *m, const char *name)
{
	struct object *o = model_find(m, name);

	if (!o)
		fail_msg("deleted, but not there: %s", name);
	*o = m->v[--m->n];
}

static void model_elements(struct model *m, bool add, const char *map, char *list)
{
	char name[128], chain[80], *save = NULL;

	snprintf(name, sizeof(name), "map %s", map);
	if (strchr(map, '_') && !model_find(m, name))
		fail_msg("no map %s", map);
	for (char *e = strtok_r(list, ",", &save); e; e = strtok_r(NULL, ",", &save)) {
		char *value = strstr(e, " : ");

		if (value)
			*value = '\0';
		e += *e == ' ';
		snprintf(name, sizeof(name), "%s { %s }", map, e);
		if (!add) {
			model_delete(m, name);
			continue;
		}

		struct object *o = model_add(m, name);

		if (value && strncmp(value + 3, "goto ", 5) == 0) {
			snprintf(o->target, sizeof(o->target), "%s", value + 8);
			snprintf(chain, sizeof(chain), "chain %s", o->target);
			if (!model_find(m, chain))
				fail_msg("no chain %s", o->target);
		}
	}
}

static void model_line(struct model *m, char *line)
{
	char verb[16], what[16], name[64], full[96], *open = strchr(line, '{');

	assert_int_equal(sscanf(line, "%15s %15s ip t %63s", verb, what, name), 3);
	snprintf(full, sizeof(full), "%s %s", what, name);
	if (strcmp(what, "element") == 0) {
		open[strlen(open) - 2] = '\0';
		model_elements(m, strcmp(verb, "add") == 0, name, open + 2);
	} else if (strcmp(what, "rule") == 0 || strcmp(verb, "flush") == 0) {
		snprintf(full, sizeof(full), "chain %s", name);
		assert_non_null(model_find(m, full));
	} else if (strcmp(verb, "add") == 0) {
		model_add(m, full);
	} else {
		for (unsigned i = 0; i < m->n; i++)
			if (strcmp(m->v[i].target, name) == 0)
				fail_msg("%s is deleted while %s goes there", name, m->v[i].name);
		model_delete(m, full);
	}
}

/* After each transaction every service leads to an endpoint, whichever index is drawn. */
static void model_check(struct model *m)
{
	char map[16], key[64], kind[8], name[128];
	unsigned count;

	for (unsigned i = 0; i < m->n; i++) {
		if (sscanf(m->v[i].name, "%15s { %63[^}]", map, key) != 2 || !m->v[i].target[0])
			continue;
		assert_int_equal(sscanf(m->v[i].target, "%7[a-z]_%u", kind, &count), 2);
		for (unsigned k = 0; k < count; k++) {
			snprintf(name, sizeof(name), "%s_ep_%u { %s}", kind, k, key);
			if (!model_find(m, name))
				fail_msg("%s is missing", name);
		}
	}
}

static void model_run(struct model *m, char *text)
{
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (strcmp(l, "--") == 0)
			model_check(m);
		else
			model_line(m, l);
	}
	model_check(m);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct object *)a)->name, ((const struct object *)b)->name);
}

static void random_services(unsigned *seed, struct service_entry *v, uint32_t *n,
			    struct endpoint e[8][6])
{
	*n = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint32_t count = (uint32_t)rand_r(seed) % 6, ip = POD(2);

		if (rand_r(seed) % 4 == 0)
			continue;
		for (uint32_t k = 0; k < count; k++) {
			ip += 1 + (uint32_t)rand_r(seed) % 3;
			e[i][k] = (struct endpoint){ ip, 8080 };
		}
		v[*n] = entry(VIP(i), 80, rand_r(seed) % 2 ? (uint16_t)(30000 + i) : 0, e[i], count);
		v[*n].affinity_s = rand_r(seed) % 3 ? 0 : 60;
		(*n)++;
	}
}

/* What a sequence of differences leaves is what one difference from nothing makes. */
static void test_random_sequences(void **state)
{
	static struct model seq, once;
	struct services s = { 0 };
	unsigned seed = 4711;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct service_entry v[8];
		struct endpoint e[8][6];
		struct services none = { 0 };
		uint32_t n;
		char *text;

		random_services(&seed, v, &n, e);
		text = step(&s, v, n);
		model_run(&seq, text);
		free(text);

		once.n = 0;
		text = diff(&none, &s);
		model_run(&once, text);
		free(text);

		qsort(seq.v, seq.n, sizeof(seq.v[0]), by_name);
		qsort(once.v, once.n, sizeof(once.v[0]), by_name);
		assert_int_equal(seq.n, once.n);
		for (unsigned i = 0; i < seq.n; i++) {
			assert_string_equal(seq.v[i].name, once.v[i].name);
			assert_string_equal(seq.v[i].target, once.v[i].target);
		}
	}
	services_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_service), cmocka_unit_test(test_replace_one),
		cmocka_unit_test(test_last_endpoint_goes), cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_node_port_moves), cmocka_unit_test(test_equal_keys),
		cmocka_unit_test(test_table), cmocka_unit_test(test_random_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
