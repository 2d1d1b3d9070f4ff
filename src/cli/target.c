/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command line names: TYPE, TYPE NAME..., TYPE/NAME..., TYPE,TYPE and "all". */
#include <stdio.h>

#include "base/macro.h"
#include "cli/cli.h"

static void add(struct cli *c, struct targets *t, const struct kind *k, const char *name)
{
	struct target *n = arena_push(&c->arena, t);

	n->kind = k;
	n->name = name;
}

/* The kinds of "po,svc" or "all"; 0, or EXIT_ERROR after saying which word is unknown. */
static int add_kinds(struct cli *c, const char *words, const char *name, struct targets *ret)
{
	static const char all[] = "pods,services,deployments,replicasets";

	if (streq(words, "all"))
		words = all;
	while (*words) {
		size_t n = strcspn(words, ",");
		const char *word = arena_strndup(&c->arena, words, n);
		const struct kind *k = kind_by_word(word);

		if (!k) {
			fprintf(stderr, "error: the server doesn't have a resource type \"%s\"\n", word);
			return EXIT_ERROR;
		}
		add(c, ret, k, name);
		words += n + (words[n] == ',');
	}
	return EXIT_DONE;
}

int targets_parse(struct cli *c, unsigned from, struct targets *ret)
{
	*ret = (struct targets){ 0 };
	if (from >= c->nargs) {
		fprintf(stderr, "error: which? TYPE, TYPE NAME or TYPE/NAME\n");
		return EXIT_ERROR;
	}
	if (!strchr(c->args[from], '/')) {
		for (unsigned i = from + 1; i < c->nargs; i++) {
			int r = add_kinds(c, c->args[from], c->args[i], ret);

			if (r)
				return r;
		}
		return c->nargs > from + 1 ? EXIT_DONE : add_kinds(c, c->args[from], NULL, ret);
	}
	for (unsigned i = from; i < c->nargs; i++) {
		const char *slash = strchr(c->args[i], '/');

		if (!slash || !slash[1]) {
			fprintf(stderr, "error: expected TYPE/NAME, not \"%s\"\n", c->args[i]);
			return EXIT_ERROR;
		}
		int r = add_kinds(c, arena_strndup(&c->arena, c->args[i], (size_t)(slash - c->args[i])),
				  slash + 1, ret);
		if (r)
			return r;
	}
	return EXIT_DONE;
}

const char *target_path(struct cli *c, const struct target *t)
{
	BUF_AUTO p = { 0 };

	buf_printf(&p, "%s/%s", strchr(t->kind->api_version, '/') ? "/apis" : "/api",
		   t->kind->api_version);
	if (t->kind->namespaced && (t->name || !c->opt.all_namespaces)) {
		buf_puts(&p, "/namespaces/");
		url_encode(&p, namespace_of(c));
	}
	buf_printf(&p, "/%s", t->kind->plural);
	if (t->name) {
		buf_putc(&p, '/');
		url_encode(&p, t->name);
	}
	return arena_strdup(&c->arena, buf_str(&p));
}
