/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top: what the node, pods or containers use, in kubectl's columns. A node's percentages are of
 * what it can give to pods, or, where nothing says that, of this machine: orchd's socket is on
 * it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/print.h"

#define METRICS "/apis/metrics.k8s.io/v1beta1"
#define MIB (1 << 20)

struct used {
	const char *ns, *name, *container;	/* container NULL: the whole pod */
	int64_t cpu, memory;			/* thousandths of a CPU, bytes */
};
struct used_list { struct used *v; uint32_t n; };

static struct quantity quantity(struct cli *c, json_t *o, const char *key)
{
	struct quantity q = { 0 };

	quantity_parse(&c->arena, json_text(o, key), &q);
	return q;
}

static void add_usage(struct cli *c, struct used *u, json_t *usage)
{
	struct quantity cpu = quantity(c, usage, "cpu"), memory = quantity(c, usage, "memory");

	u->cpu += cpu.milli;
	u->memory += quantity_value(&memory);
}

static json_t *metrics(struct cli *c, const char *where, const char *name, int *ret_status)
{
	BUF_AUTO p = { 0 };

	buf_printf(&p, METRICS "%s", where);
	if (name) {
		buf_putc(&p, '/');
		url_encode(&p, name);
	} else if (c->opt.selector) {
		buf_puts(&p, "?labelSelector=");
		url_encode(&p, c->opt.selector);
	}
	return fetch(c, "GET", buf_str(&p), NULL, ret_status);
}

/* ---- order ---- */

static int by_cpu(const void *a, const void *b)
{
	const struct used *x = a, *y = b;

	return (y->cpu > x->cpu) - (y->cpu < x->cpu);
}

static int by_memory(const void *a, const void *b)
{
	const struct used *x = a, *y = b;

	return (y->memory > x->memory) - (y->memory < x->memory);
}

static int sort(const struct cli *c, struct used_list *l)
{
	const char *by = c->opt.sort_by;

	if (by && !streq(by, "cpu") && !streq(by, "memory")) {
		fprintf(stderr, "error: --sort-by accepts only cpu or memory\n");
		return EXIT_ERROR;
	}
	if (by && l->n)
		qsort(l->v, l->n, sizeof(*l->v), streq(by, "cpu") ? by_cpu : by_memory);
	return EXIT_DONE;
}

/* ---- pods ---- */

static void add_pod(struct cli *c, struct used_list *l, json_t *o)
{
	json_t *meta = json_object_get(o, "metadata"), *k;
	struct used pod = {
		.ns = arena_strdup(&c->arena, json_text(meta, "namespace")),
		.name = arena_strdup(&c->arena, json_text(meta, "name")),
	};
	struct used one;
	size_t i;

	json_array_foreach(json_object_get(o, "containers"), i, k) {
		one = pod;
		one.container = arena_strdup(&c->arena, json_text(k, "name"));
		one.cpu = one.memory = 0;
		add_usage(c, c->opt.containers ? &one : &pod, json_object_get(k, "usage"));
		if (c->opt.containers)
			*arena_push(&c->arena, l) = one;
	}
	if (!c->opt.containers)
		*arena_push(&c->arena, l) = pod;
}

static const char *amount(struct cli *c, int64_t v, const char *unit)
{
	return arena_printf(&c->arena, "%" PRId64 "%s", v, unit);
}

/* Columns that are not asked for are left out. */
static void print_row(struct cli *c, struct rows *r, const char *const all[5])
{
	const bool wanted[] = { c->opt.all_namespaces, c->opt.containers, true, true, true };
	const char *cells[5];
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++)
		if (wanted[i])
			cells[n++] = all[i];
	rows_add(r, n, cells);
}

static void print_pods(struct cli *c, const struct used_list *l)
{
	struct rows r = { 0 };

	if (!c->opt.no_headers)
		print_row(c, &r, (const char *const[]){ "NAMESPACE", "POD", "NAME", "CPU(cores)",
							"MEMORY(bytes)" });
	for (uint32_t i = 0; i < l->n; i++) {
		const struct used *u = &l->v[i];

		print_row(c, &r, (const char *const[]){
			u->ns, u->name, u->container ? u->container : u->name,
			amount(c, u->cpu, "m"), amount(c, u->memory / MIB, "Mi") });
	}
	rows_flush(&r);
}

static int top_pods(struct cli *c, const char *name)
{
	struct used_list l = { 0 };
	BUF_AUTO where = { 0 };
	int status;
	json_t *o;
	size_t i;

	if (!c->opt.all_namespaces || name) {
		buf_puts(&where, "/namespaces/");
		url_encode(&where, namespace_of(c));
	}
	buf_puts(&where, "/pods");
	json_t *answer = metrics(c, buf_str(&where), name, &status);
	if (!answer)
		return status;
	if (name)
		add_pod(c, &l, answer);
	json_array_foreach(json_object_get(answer, "items"), i, o)
		add_pod(c, &l, o);
	json_decref(answer);
	status = sort(c, &l);
	if (status)
		return status;
	if (l.n)
		print_pods(c, &l);
	else if (c->opt.all_namespaces)
		fprintf(stderr, "No resources found\n");
	else
		fprintf(stderr, "No resources found in %s namespace.\n", namespace_of(c));
	return EXIT_DONE;
}

/* ---- nodes ---- */

static void this_machine(struct used *ret)
{
	struct sysinfo info;

	ret->cpu = sysconf(_SC_NPROCESSORS_ONLN) * 1000;
	if (sysinfo(&info) == 0)
		ret->memory = (int64_t)info.totalram * info.mem_unit;
}

/* What the node can give to pods. */
static struct used available(struct cli *c, const char *node)
{
	struct target t = { &kinds[KIND_NODE], node, NULL };
	struct response r = { 0 };
	struct used u = { 0 };

	if (client_request(&c->client, "GET", target_path(c, &t), NULL, &r, NULL) == 0 &&
	    r.code == 200) {
		json_t *o = json_loadb(buf_str(&r.body), r.body.len, 0, NULL);
		json_t *given = json_path(o, "status.allocatable");

		add_usage(c, &u, given ? given : json_path(o, "status.capacity"));
		json_decref(o);
	}
	response_release(&r);
	if (u.cpu <= 0 || u.memory <= 0)
		this_machine(&u);
	return u;
}

static const char *percent(struct cli *c, int64_t part, int64_t whole)
{
	return amount(c, whole > 0 ? part * 100 / whole : 0, "%");
}

static void print_node(struct cli *c, struct rows *r, json_t *o)
{
	const char *name = json_text(json_object_get(o, "metadata"), "name");
	struct used u = { 0 }, all = available(c, name);

	add_usage(c, &u, json_object_get(o, "usage"));
	rows_add(r, 5, (const char *const[]){
		name, amount(c, u.cpu, "m"), percent(c, u.cpu, all.cpu),
		amount(c, u.memory / MIB, "Mi"), percent(c, u.memory, all.memory) });
}

static int top_nodes(struct cli *c, const char *name)
{
	struct rows r = { 0 };
	int status;
	json_t *o;
	size_t i;
	json_t *answer = metrics(c, "/nodes", name, &status);

	if (!answer)
		return status;
	if (!c->opt.no_headers)
		rows_add(&r, 5, (const char *const[]){ "NAME", "CPU(cores)", "CPU(%)",
						       "MEMORY(bytes)", "MEMORY(%)" });
	if (name)
		print_node(c, &r, answer);
	json_array_foreach(json_object_get(answer, "items"), i, o)
		print_node(c, &r, o);
	json_decref(answer);
	rows_flush(&r);
	return EXIT_DONE;
}

int verb_top(struct cli *c)
{
	const struct kind *k = c->nargs ? kind_by_word(c->args[0]) : NULL;
	const char *name = c->nargs > 1 ? c->args[1] : NULL;

	if (!k || c->nargs > 2 || (k->id != KIND_POD && k->id != KIND_NODE)) {
		fprintf(stderr, "error: expected 'top (pod | node) [NAME]'\n");
		return EXIT_ERROR;
	}
	return k->id == KIND_POD ? top_pods(c, name) : top_nodes(c, name);
}
