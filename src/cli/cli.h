/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchctl: one function per verb (verbs.def), all with the same shape: options and arguments in,
 * exit status out (design: 0 done, 1 error, 2 plan has changes, 3 invalid manifest, 4 refused by the
 * prune guard, 5 rollout failed, 6 stale plan, 7 no daemon).
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

/* Every option of every verb; options.def says which verb knows which. */
struct options {
	const char *socket, *namespace, *output, *selector, *field_selector, *container;
	const char *stack, *out, *with, *since, *for_condition, *allow_delete, *revision, *to_revision;
	const char *tail, *timeout;
	const char *files[FILES_MAX];
	unsigned nfiles;
	bool all_namespaces, watch, no_color, no_headers, show_labels, detailed_exitcode, wait, no_wait;
	bool follow, previous, timestamps, prefix, stdin_, tty, strict, help, recursive;
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
json_t *fetch(struct cli *c, const char *method, const char *path, const char *accept, int *ret_status);
int refused(const struct response *r);		/* prints a Status answer, EXIT_ERROR */
int unreachable(const struct err *err);		/* prints, EXIT_UNREACHABLE or EXIT_ERROR */

/* What a command line names: "deploy/web", "pods a b", "po,svc". */
struct target {
	const struct kind *kind;
	const char *name;	/* NULL: all of the kind */
};
struct targets { struct target *v; uint32_t n; };
int targets_parse(struct cli *c, unsigned from, struct targets *ret);	/* 0 or EXIT_ERROR, printed */
/* "/api/v1/namespaces/NS/pods[/NAME]"; all namespaces with -A and no name. */
const char *target_path(struct cli *c, const struct target *t);
const char *namespace_of(const struct cli *c);

/* print.c */
const char *json_text(const json_t *o, const char *key);	/* "" when it is no string */
json_t *json_path(json_t *o, const char *path);			/* "a.b.c", NULL when absent */
void print_json(const json_t *o);
void print_yaml(const json_t *o);
/* "{.items[*].metadata.name}"; 0, or EXIT_ERROR after saying so. */
int jsonpath(struct cli *c, json_t *o, const char *template, struct buf *out);

/* Rows of cells in aligned columns, as kubectl prints them. */
struct rows {
	char **cells;		/* nrows * ncols */
	unsigned ncols, nrows;
};
void rows_add(struct rows *r, unsigned ncols, const char *const *cells);
void rows_print(struct rows *r);	/* and releases them */

/* describe.c, wait.c, apply.c share these */
int wait_rollout(struct cli *c, const char *ns, const char *name, int64_t deadline_mono);
int64_t deadline(const struct cli *c, int64_t dflt_s);	/* CLOCK_MONOTONIC ns */
