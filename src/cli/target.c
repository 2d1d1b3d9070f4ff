/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command line names: TYPE, TYPE NAME..., TYPE/NAME..., TYPE,TYPE, "all", and -f FILE. */
#include <stdio.h>

#include "base/macro.h"
#include "cli/manifests.h"
#include "cli/print.h"

static int unknown_type(const char *word)
{
	fprintf(stderr, "error: the server doesn't have a resource type \"%s\"\n", word);
	return EXIT_ERROR;
}

/* The kinds of "po,svc" or "all"; 0, or EXIT_ERROR after saying which word is unknown. */
static int add_kinds(struct cli *c, const char *words, const char *name, struct targets *ret)
{
	static const char all[] = "pods,replicationcontrollers,services,daemonsets,deployments,"
				  "replicasets,statefulsets,horizontalpodautoscalers,cronjobs,jobs";

	if (streq(words, "all"))
		words = all;
	do {
		size_t n = strcspn(words, ",");
		const char *word = arena_strndup(&c->arena, words, n);
		const struct kind *k = kind_by_word(word);

		if (!k)
			return unknown_type(word);
		*arena_push(&c->arena, ret) = (struct target){ .kind = k, .name = name };
		words += n + (words[n] == ',');
	} while (*words);
	return EXIT_DONE;
}

static int add_slashed(struct cli *c, const char *arg, struct targets *ret)
{
	const char *slash = strchr(arg, '/');

	if (!slash || slash == arg || !slash[1] || strchr(slash + 1, '/')) {
		fprintf(stderr,
			"error: there is no need to specify a resource type as a separate argument "
			"when passing arguments in resource/name form: \"%s\" is not TYPE/NAME\n",
			arg);
		return EXIT_ERROR;
	}
	return add_kinds(c, arena_strndup(&c->arena, arg, (size_t)(slash - arg)), slash + 1, ret);
}

/* The objects that the files of -f declare. */
static int add_files(struct cli *c, struct targets *ret)
{
	struct loaded l = { 0 };
	int status = EXIT_DONE;

	for (unsigned i = 0; i < c->opt.nfiles && !status; i++)
		status = manifests_load(&l, c->opt.files[i], NULL);
	for (uint32_t i = 0; i < l.n && !status; i++) {
		const struct manifest *m = l.v[i].manifest;

		if (m->broken) {
			manifests_complain(&l);
			status = EXIT_INVALID;
		}
		for (uint32_t k = 0; k < m->objects.n; k++)
			*arena_push(&c->arena, ret) = (struct target){
				.kind = m->objects.v[k].kind,
				.name = arena_strdup(&c->arena, m->objects.v[k].meta->name),
				.ns = arena_strdup(&c->arena, m->objects.v[k].meta->namespace),
			};
	}
	manifests_release(&l);
	return status;
}

static int parse(struct cli *c, unsigned from, struct targets *ret)
{
	int r = EXIT_DONE;

	if (strchr(c->args[from], '/')) {
		for (unsigned i = from; i < c->nargs && !r; i++)
			r = add_slashed(c, c->args[i], ret);
		return r;
	}
	if (c->nargs == from + 1)
		return add_kinds(c, c->args[from], NULL, ret);
	for (unsigned i = from + 1; i < c->nargs && !r; i++)
		r = add_kinds(c, c->args[from], c->args[i], ret);
	return r;
}

int targets_parse(struct cli *c, unsigned from, struct targets *ret)
{
	*ret = (struct targets){ 0 };
	if (c->opt.nfiles && from < c->nargs) {
		fprintf(stderr, "error: either -f or names, not both\n");
		return EXIT_ERROR;
	}
	if (c->opt.nfiles)
		return add_files(c, ret);
	if (from >= c->nargs) {
		fprintf(stderr,
			"error: Required resource not specified: TYPE, TYPE NAME or TYPE/NAME\n");
		return EXIT_ERROR;
	}
	int r = parse(c, from, ret);
	if (!r && ret->n && ret->v[0].name && c->opt.all_namespaces) {
		fprintf(stderr,
			"error: a resource cannot be retrieved by name across all namespaces\n");
		r = EXIT_ERROR;
	}
	return r;
}

const char *namespace_of(const struct cli *c)
{
	return c->opt.namespace ? c->opt.namespace : "default";
}

const char *target_resource(struct cli *c, const struct kind *k, const char *word)
{
	size_t n = strcspn(k->api_version, "/");

	if (!k->api_version[n])
		return word;
	return arena_printf(&c->arena, "%s.%.*s", word, (int)n, k->api_version);
}

const char *target_path(struct cli *c, const struct target *t)
{
	BUF_AUTO p = { 0 };

	buf_printf(&p, "%s/%s", strchr(t->kind->api_version, '/') ? "/apis" : "/api",
		   t->kind->api_version);
	if (t->kind->namespaced && (t->name || !c->opt.all_namespaces)) {
		buf_puts(&p, "/namespaces/");
		url_encode(&p, t->ns ? t->ns : namespace_of(c));
	}
	buf_printf(&p, "/%s", t->kind->plural);
	if (t->name) {
		buf_putc(&p, '/');
		url_encode(&p, t->name);
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

static int expand_one(struct cli *c, const struct target *t, struct targets *all)
{
	BUF_AUTO p = { 0 };
	int status;
	json_t *o;
	size_t k;

	buf_puts(&p, target_path(c, t));
	if (c->opt.selector) {
		buf_puts(&p, "?labelSelector=");
		url_encode(&p, c->opt.selector);
	}
	json_t *list = fetch(c, "GET", buf_str(&p), NULL, &status);
	json_array_foreach(json_object_get(list, "items"), k, o) {
		json_t *meta = json_object_get(o, "metadata");

		*arena_push(&c->arena, all) = (struct target){
			.kind = t->kind,
			.name = arena_strdup(&c->arena, json_text(meta, "name")),
			.ns = t->kind->namespaced ?
				      arena_strdup(&c->arena, json_text(meta, "namespace")) :
				      NULL,
		};
	}
	json_decref(list);
	return status;
}

int targets_expand(struct cli *c, struct targets *t)
{
	struct targets all = { 0 };
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < t->n && !status; i++) {
		if (t->v[i].name)
			*arena_push(&c->arena, &all) = t->v[i];
		else
			status = expand_one(c, &t->v[i], &all);
	}
	*t = all;
	return status;
}
