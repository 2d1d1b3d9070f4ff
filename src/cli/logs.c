/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logs: of one pod, of a pod of a workload (TYPE/NAME) or all of them, or of all pods that a
 * selector chooses. Several logs that are followed are read by one child process each, which take
 * turns at standard output, so that lines stay whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/pods.h"
#include "cli/print.h"

#define REQUESTS_MAX 5		/* followed at a time, unless said otherwise; as kubectl */

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
	if (c->opt.limit_bytes)
		buf_printf(&p, "&limitBytes=%s", c->opt.limit_bytes);
	if (c->opt.since_time) {
		buf_puts(&p, "&sinceTime=");
		url_encode(&p, c->opt.since_time);
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

/* ---- output ---- */

struct output {
	const char *prefix;	/* before each line; NULL: none */
	int lock;		/* a file that who writes has locked; -1: nobody else writes */
	struct buf rest;	/* a line that has no end yet */
};

static bool write_all(const struct buf *b, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = write(STDOUT_FILENO, b->data + done, n - done);

		if (w < 0 && errno != EINTR)
			return false;
		done += w > 0 ? (size_t)w : 0;
	}
	return true;
}

static bool put(struct output *o, const struct buf *text)
{
	if (o->lock < 0)
		return write_all(text, text->len);
	if (lockf(o->lock, F_LOCK, 0) < 0)
		return false;
	bool well = write_all(text, text->len);
	return lockf(o->lock, F_ULOCK, 0) == 0 && well;
}

static bool on_chunk(void *data, const char *p, size_t n)
{
	struct output *o = data;
	BUF_AUTO text = { 0 };

	if (!o->prefix && o->lock < 0) {
		buf_add(&text, p, n);
		return put(o, &text);
	}
	for (const char *nl; n && (nl = memchr(p, '\n', n));) {
		size_t len = (size_t)(nl - p) + 1;

		buf_puts(&text, o->prefix ? o->prefix : "");
		buf_add(&text, o->rest.data, o->rest.len);
		buf_add(&text, p, len);
		buf_reset(&o->rest);
		p += len;
		n -= len;
	}
	buf_add(&o->rest, p, n);
	return !text.len || put(o, &text);
}

static void finish(struct output *o)
{
	BUF_AUTO text = { 0 };

	if (o->rest.len) {
		buf_puts(&text, o->prefix ? o->prefix : "");
		buf_add(&text, o->rest.data, o->rest.len);
		put(o, &text);
	}
	buf_release(&o->rest);
}

static int print_logs(struct cli *c, const struct source *s, int lock)
{
	struct output o = { .lock = lock };
	struct response r = { 0 };
	struct err err = { 0 };
	int status = EXIT_DONE;

	if (c->opt.prefix)
		o.prefix = arena_printf(&c->arena, "[pod/%s/%s] ", s->pod, s->container);
	if (client_stream(&c->client, log_path(c, s), NULL, on_chunk, &o, &r, &err) < 0)
		status = unreachable(&err);
	else if (r.code >= 300)
		status = refused(&r);
	finish(&o);
	response_release(&r);
	return c->opt.ignore_errors && status == EXIT_ERROR ? EXIT_DONE : status;
}

/* ---- several ---- */

static int worse(int a, int b)
{
	return a ? a : b;
}

static int wait_all(void)
{
	int worst = EXIT_DONE, one;

	while (wait(&one) > 0)
		worst = worse(worst, WIFEXITED(one) ? WEXITSTATUS(one) : EXIT_ERROR);
	return worst;
}

static int follow_all(struct cli *c, const struct sources *s)
{
	FD_AUTO lock = memfd_create("orchctl-logs", MFD_CLOEXEC);
	int failed = EXIT_DONE;

	for (uint32_t i = 0; i < s->n; i++) {
		pid_t pid = lock < 0 ? -1 : fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			_exit(print_logs(c, &s->v[i], lock));
		}
		if (pid < 0) {
			fprintf(stderr, "error: can't follow %s: %s\n", s->v[i].pod,
				strerror(errno));
			failed = EXIT_ERROR;
		}
	}
	return worse(wait_all(), failed);
}

static bool too_many(const struct cli *c, const struct sources *s)
{
	const char *wanted = c->opt.max_log_requests;
	long max = wanted ? strtol(wanted, NULL, 10) : REQUESTS_MAX;

	if (!c->opt.follow || (long)s->n <= max)
		return false;
	fprintf(stderr, "error: you are attempting to follow %u log streams, but maximum allowed "
		"concurrency is %ld, use --max-log-requests to increase the limit\n", s->n, max);
	return true;
}

/* ---- whose ---- */

static int add_pods(struct cli *c, json_t *list, struct sources *s)
{
	int status = EXIT_DONE;
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(list, "items"), i, o)
		if (!status)
			status = pod_containers(c, o, c->opt.all_containers, s);
	return status;
}

/* All pods that -l chooses. */
static int add_selected(struct cli *c, struct sources *s)
{
	struct target pods = { &kinds[KIND_POD], NULL, NULL };
	BUF_AUTO p = { 0 };
	int status;

	buf_printf(&p, "%s?labelSelector=", target_path(c, &pods));
	url_encode(&p, c->opt.selector);
	json_t *list = fetch(c, "GET", buf_str(&p), NULL, &status);
	if (list)
		status = add_pods(c, list, s);
	json_decref(list);
	return status;
}

static int add_named(struct cli *c, const char *word, struct sources *s)
{
	int status;
	json_t *found = c->opt.all_pods ? pods_of(c, word, &status) : pod_of(c, word, &status);

	if (!status)
		status = c->opt.all_pods ? add_pods(c, found, s) :
					   pod_containers(c, found, c->opt.all_containers, s);
	json_decref(found);
	return status;
}

static int complain(const char *what)
{
	fprintf(stderr, "error: %s\n", what);
	return EXIT_ERROR;
}

static int check_options(const struct cli *c)
{
	if (c->opt.selector && c->nargs)
		return complain("only a selector (-l) or a POD name is allowed");
	if (!c->opt.selector && (!c->nargs || c->nargs > 2))
		return complain("expected 'logs (POD | TYPE/NAME) [CONTAINER]'");
	if (c->opt.since && c->opt.since_time)
		return complain("at most one of `sinceTime` or `sinceSeconds` may be specified");
	if ((c->opt.container || c->nargs == 2) && c->opt.all_containers)
		return complain("--all-containers=true should not be specified with container name");
	if (c->opt.limit_bytes && strtoll(c->opt.limit_bytes, NULL, 10) < 1)
		return complain("--limit-bytes must be greater than 0");
	return EXIT_DONE;
}

/* What kubectl does unless it is told otherwise. */
static void fill_in(struct cli *c)
{
	if (c->nargs == 2)
		c->opt.container = c->args[1];
	if (c->opt.selector && !c->opt.tail)
		c->opt.tail = "10";
	if (c->opt.all_pods)
		c->opt.prefix = true;
}

int verb_logs(struct cli *c)
{
	struct sources s = { 0 };
	int status = check_options(c);

	fill_in(c);
	if (!status)
		status = c->opt.selector ? add_selected(c, &s) : add_named(c, c->args[0], &s);
	if (status)
		return status;
	if (!s.n) {
		fprintf(stderr, "No resources found in %s namespace.\n", namespace_of(c));
		return EXIT_DONE;
	}
	if (too_many(c, &s))
		return EXIT_ERROR;
	if (s.n > 1 && c->opt.follow)
		return follow_all(c, &s);
	for (uint32_t i = 0; i < s.n && !status; i++)
		status = print_logs(c, &s.v[i], -1);
	return status;
}
