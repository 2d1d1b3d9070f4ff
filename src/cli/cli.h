/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchctl: one function per verb (verbs.def), all with the same shape: options and arguments in,
 * exit status out (design: 0 done, 1 error, 2 plan has changes, 3 invalid manifest, 4 refused by
 * the prune guard, 5 rollout failed, 6 stale plan, 7 no daemon).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "cli/client.h"
#include "schema/schema.h"
#include "model/object.h"

enum {
	EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_CHANGES = 2, EXIT_INVALID = 3, EXIT_GUARD = 4,
	EXIT_ROLLOUT = 5, EXIT_STALE = 6, EXIT_UNREACHABLE = 7,
};

#define FILES_MAX 256
#define VERSION "0.1.0"

/* Every option of every verb; options.def says which verb knows which. */
struct options {
	const char *socket, *namespace, *output, *selector, *field_selector, *container, *sort_by;
	const char *stack, *out, *with, *as, *since, *for_condition, *allow_delete;
	const char *revision, *to_revision, *tail, *timeout, *username;
	const char *since_time, *limit_bytes, *max_log_requests, *address, *image, *target;
	const char *files[FILES_MAX];
	unsigned nfiles;
	bool all_namespaces, watch, once, no_color, no_headers, show_labels, detailed_exitcode;
	bool wait, no_wait, follow, previous, timestamps, prefix, all_containers, stdin_, tty;
	bool strict, help, recursive, json_schema, all, client, password_stdin;
	bool all_pods, ignore_errors, containers;
};

struct cli {
	struct arena arena;
	struct client client;
	struct options opt;
	const char *verb;
	const char **args;
	unsigned nargs;
	const char **command;	/* after "--" */
	unsigned ncommand;
	bool color;		/* standard output is a terminal and colours are wanted */
};

typedef int (*verb_run)(struct cli *c);

#define VERB(name, usage, doc) int verb_##name(struct cli *c);
#include "cli/verbs.def"
#undef VERB

/* 0, or -EINVAL after saying what is wrong on standard error. */
int options_parse(struct cli *c, int argc, char **argv);
/* Options before the verb, which are those that all verbs have; how many words they take. */
int options_parse_first(struct cli *c, int argc, char **argv);
void options_usage(const char *verb, struct buf *out);

/* fetch.c: requests that end the command when they fail. On failure NULL, *ret_status is set and
 * the message is printed. */
json_t *fetch(struct cli *c, const char *method, const char *path, const char *accept,
	      int *ret_status);
int refused(const struct response *r);		/* prints a Status answer, EXIT_ERROR */
int unreachable(const struct err *err);		/* prints, EXIT_UNREACHABLE or EXIT_ERROR */
/* CLOCK_MONOTONIC ns of --timeout from now; never when negative, or 0 where 0 is none. */
int64_t deadline(const struct cli *c, int64_t dflt_s, bool zero_is_none);
bool output_is(const struct cli *c, const char *format);

/* What a command line names: "deploy/web", "pods a b", "po,svc", or the objects of -f FILE. */
struct target {
	const struct kind *kind;
	const char *name;	/* NULL: all of the kind */
	const char *ns;		/* NULL: that of the command line */
};
struct targets { struct target *v; uint32_t n; };
int targets_parse(struct cli *c, unsigned from, struct targets *ret); /* 0 or EXIT_ERROR, printed */
/* "/api/v1/namespaces/NS/pods[/NAME]"; all namespaces with -A and no name. */
const char *target_path(struct cli *c, const struct target *t);
/* word (singular or plural of the kind) with the group: "pods", "deployments.apps" */
const char *target_resource(struct cli *c, const struct kind *k, const char *word);
const char *namespace_of(const struct cli *c);
/* Replaces each target without a name by the objects that there are, as -l chooses. */
int targets_expand(struct cli *c, struct targets *t);

/* image.c: has the image pulled unless it is there; EXIT_ERROR after a message. */
int image_need(struct cli *c, const char *name);

/* Follows one rollout, or says it once; EXIT_ROLLOUT when it failed or time ran out. */
int wait_rollout(struct cli *c, const struct kind *k, const char *ns, const char *name,
		 int64_t deadline_mono);
