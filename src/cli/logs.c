/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logs: of one pod, of a pod of a workload (TYPE/NAME), or of all pods that a selector chooses.
 * Several logs that are followed are read by one child process each.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/pods.h"
#include "cli/print.h"

static int64_t seconds(const char *duration)
{
	int64_t ns = 0;

	if (duration_parse(duration, &ns) < 0)
		return strtoll(duration, NULL, 10);
	return (ns + NSEC - 1) / NSEC;
}

static const char *log_path(struct cli *c, const struct source *s)
{
	struct target t = { &kinds[KIND_POD], s->pod, s->ns };
	BUF_AUTO p = { 0 };

	buf_printf(&p, "%s/log?follow=%s&previous=%s&timestamps=%s&container=", target_path(c, &t),
		   c->opt.follow ? "true" : "false", c->opt.previous ? "true" : "false",
		   c->opt.timestamps ? "true" : "false");
	url_encode(&p, s->container);
	if (c->opt.tail && *c->opt.tail != '-')
		buf_printf(&p, "&tailLines=%s", c->opt.tail);
	if (c->opt.since)
		buf_printf(&p, "&sinceSeconds=%lld", (long long)seconds(c->opt.since));
	return arena_strdup(&c->arena, buf_str(&p));
}

struct output {
	const char *prefix;	/* before each line; NULL: none */
	bool middle;		/* of a line */
};

static bool on_chunk(void *data, const char *p, size_t n)
{
	struct output *o = data;

	while (n) {
		const char *nl = o->prefix ? memchr(p, '\n', n) : NULL;
		size_t len = nl ? (size_t)(nl - p) + 1 : n;

		if (o->prefix && !o->middle)
			fputs(o->prefix, stdout);
		fwrite(p, 1, len, stdout);
		o->middle = !nl;
		p += len;
		n -= len;
	}
	return fflush(stdout) == 0;
}

static int print_logs(struct cli *c, const struct source *s)
{
	struct output o = { 0 };
	struct response r = { 0 };
	struct err err = { 0 };
	int status = EXIT_DONE;

	if (c->opt.prefix)
		o.prefix = arena_printf(&c->arena, "[pod/%s/%s] ", s->pod, s->container);
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

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			_exit(print_logs(c, &s->v[i]));
		}
		if (pid < 0) {
			fprintf(stderr, "error: fork: %s\n", strerror(errno));
			return EXIT_ERROR;
		}
	}
	while (wait(&one) > 0)
		if (!WIFEXITED(one) || WEXITSTATUS(one))
			worst = EXIT_ERROR;
	return worst;
}

/* All pods that -l chooses. */
static int add_selected(struct cli *c, struct sources *s)
{
	struct target pods = { &kinds[KIND_POD], NULL, NULL };
	BUF_AUTO p = { 0 };
	int status;
	json_t *o;
	size_t i;

	buf_printf(&p, "%s?labelSelector=", target_path(c, &pods));
	url_encode(&p, c->opt.selector);
	json_t *list = fetch(c, "GET", buf_str(&p), NULL, &status);
	json_array_foreach(json_object_get(list, "items"), i, o)
		if (!status)
			status = pod_containers(c, o, c->opt.all_containers, s);
	json_decref(list);
	return status;
}

static int find_sources(struct cli *c, struct sources *s)
{
	int status;

	if (c->opt.selector && c->nargs) {
		fprintf(stderr, "error: only a selector (-l) or a POD name is allowed\n");
		return EXIT_ERROR;
	}
	if (c->opt.selector)
		return add_selected(c, s);
	if (!c->nargs || c->nargs > 2) {
		fprintf(stderr, "error: expected 'logs (POD | TYPE/NAME) [CONTAINER]'\n");
		return EXIT_ERROR;
	}
	if (c->nargs == 2)
		c->opt.container = c->args[1];
	json_t *pod = pod_of(c, c->args[0], &status);
	if (pod)
		status = pod_containers(c, pod, c->opt.all_containers, s);
	json_decref(pod);
	return status;
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
		status = print_logs(c, &s.v[i]);
	return status;
}
