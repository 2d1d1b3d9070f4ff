/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logs: of one pod, of the first pod of a workload (TYPE/NAME), or of all pods that a selector
 * chooses. Several pods that are followed are read by one child process each.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"

struct source {
	const char *pod, *container;
};
struct sources { struct source *v; uint32_t n; };

static void add(struct cli *c, struct sources *s, const char *pod, const char *container)
{
	struct source *n = arena_push(&c->arena, s);

	n->pod = arena_strdup(&c->arena, pod);
	n->container = arena_strdup(&c->arena, container);
}

static const char *log_path(struct cli *c, const struct source *s)
{
	BUF_AUTO p = { 0 };
	int64_t since;

	buf_printf(&p, "/api/v1/namespaces/%s/pods/%s/log?follow=%s&previous=%s&timestamps=%s",
		   namespace_of(c), s->pod, c->opt.follow ? "true" : "false",
		   c->opt.previous ? "true" : "false", c->opt.timestamps ? "true" : "false");
	if (s->container) {
		buf_puts(&p, "&container=");
		url_encode(&p, s->container);
	}
	if (c->opt.tail && !streq(c->opt.tail, "-1"))
		buf_printf(&p, "&tailLines=%s", c->opt.tail);
	if (c->opt.since && duration_parse(c->opt.since, &since) == 0)
		buf_printf(&p, "&sinceSeconds=%lld", (long long)((since + NSEC - 1) / NSEC));
	return arena_strdup(&c->arena, buf_str(&p));
}

struct output {
	const char *prefix;	/* before each line; NULL: none */
	bool middle;		/* of a line */
};

static bool on_chunk(void *data, const char *p, size_t n)
{
	struct output *o = data;

	if (!o->prefix) {
		fwrite(p, 1, n, stdout);
		fflush(stdout);
		return true;
	}
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) + 1 : n;

		if (!o->middle)
			fputs(o->prefix, stdout);
		fwrite(p, 1, len, stdout);
		o->middle = !nl;
		p += len;
		n -= len;
	}
	fflush(stdout);
	return true;
}

static int print_logs(struct cli *c, const struct source *s, bool several)
{
	struct output o = { 0 };
	struct response r = { 0 };
	struct err err = { 0 };
	int status = EXIT_DONE;

	if (c->opt.prefix || (several && c->opt.follow))
		o.prefix = arena_printf(&c->arena, "[pod/%s/%s] ", s->pod,
					s->container ? s->container : "");
	if (client_stream(&c->client, log_path(c, s), NULL, on_chunk, &o, &r, &err) < 0)
		status = unreachable(&err);
	else if (r.code >= 300)
		status = refused(&r);
	response_release(&r);
	return status;
}

static int follow_all(struct cli *c, const struct sources *s)
{
	int worst = EXIT_DONE, one;

	for (uint32_t i = 0; i < s->n; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(print_logs(c, &s->v[i], true));
		if (pid < 0)
			return EXIT_ERROR;
	}
	while (wait(&one) > 0)
		if (!WIFEXITED(one) || WEXITSTATUS(one))
			worst = EXIT_ERROR;
	return worst;
}

/* All pods that the selector chooses, with all their containers. */
static int add_selected(struct cli *c, const char *selector, bool first, struct sources *s)
{
	BUF_AUTO p = { 0 };
	int status;
	json_t *o, *k;
	size_t i, j;

	buf_printf(&p, "/api/v1/namespaces/%s/pods?labelSelector=", namespace_of(c));
	url_encode(&p, selector);
	json_t *list = fetch(c, "GET", buf_str(&p), NULL, &status);
	json_array_foreach(json_object_get(list, "items"), i, o) {
		const char *pod = json_text(json_object_get(o, "metadata"), "name");

		if (first && s->n)
			break;
		if (c->opt.container || first) {
			add(c, s, pod, c->opt.container);
			continue;
		}
		json_array_foreach(json_path(o, "spec.containers"), j, k)
			add(c, s, pod, json_text(k, "name"));
	}
	json_decref(list);
	return status;
}

/* The first pod of deploy/web. */
static int add_owned(struct cli *c, const struct target *t, struct sources *s)
{
	int status;
	json_t *o = fetch(c, "GET", target_path(c, t), NULL, &status), *v;
	json_t *labels = json_path(o, "spec.selector.matchLabels");
	BUF_AUTO selector = { 0 };
	const char *k;

	if (!o)
		return status;
	if (!labels)
		labels = json_path(o, "spec.selector");
	json_object_foreach(labels, k, v)
		buf_printf(&selector, "%s%s=%s", selector.len ? "," : "", k, json_string_value(v));
	if (selector.len)
		status = add_selected(c, buf_str(&selector), true, s);
	json_decref(o);
	return status;
}

static int find_sources(struct cli *c, struct sources *s)
{
	struct targets t;

	if (c->opt.selector)
		return add_selected(c, c->opt.selector, false, s);
	if (!c->nargs) {
		fprintf(stderr, "error: logs of which pod?\n");
		return EXIT_ERROR;
	}
	if (!strchr(c->args[0], '/')) {
		add(c, s, c->args[0], c->nargs > 1 ? c->args[1] : c->opt.container);
		return EXIT_DONE;
	}
	int r = targets_parse(c, 0, &t);
	if (r)
		return r;
	if (t.v[0].kind->id == KIND_POD)
		add(c, s, t.v[0].name, c->opt.container);
	else
		r = add_owned(c, &t.v[0], s);
	return r;
}

int verb_logs(struct cli *c)
{
	struct sources s = { 0 };
	int status = find_sources(c, &s);

	if (status)
		return status;
	if (!s.n) {
		fprintf(stderr, "No resources found in %s namespace.\n", namespace_of(c));
		return EXIT_DONE;
	}
	if (c->opt.selector && !c->opt.tail)
		c->opt.tail = "10";		/* as kubectl, for several pods */
	if (s.n > 1 && c->opt.follow)
		return follow_all(c, &s);
	for (uint32_t i = 0; i < s.n && !status; i++)
		status = print_logs(c, &s.v[i], s.n > 1);
	return status;
}
