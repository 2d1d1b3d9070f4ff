/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests that a command line names, loaded as the daemon loads them. Messages say a file as it
 * was typed; its place below the directory, by which the daemon knows it, is kept beside.
 */
#pragma once

#include "cli/cli.h"
#include "model/set.h"

struct loaded_file {
	struct manifest *manifest;
	const char *place;	/* relative to the directory: "shop/web.yaml" */
	bool context; /* there for the others to refer to: what is wrong with it is not said */
};
struct loaded {
	struct loaded_file *v;
	uint32_t n;
	bool whole;		/* a directory is among them */
	struct arena arena;
};

/* path: a file, a directory, or "-". stack: the folder that it will be in, NULL: none. EXIT_DONE,
 * or EXIT_ERROR after saying what can't be read; what is invalid is in the manifests. */
int manifests_load(struct loaded *l, const char *path, const char *stack);
int manifests_load_as(struct loaded *l, const char *path, const char *place);
/* The directory in which the files of l are to land, without those that they replace: those of the
 * same place, or (anywhere) of the same name in whatever folder. */
int manifests_load_context(struct loaded *l, const char *dir, bool anywhere);
/*
 * All checks, over all files. When no directory is among them, what only a directory could know is
 * left out: undeclared namespaces and references. The messages live in l and are ordered.
 */
void manifests_check(struct loaded *l, struct msgs *ret);
void manifests_complain(const struct loaded *l); /* the files' own messages to standard error */
enum { PRINT_CARETS = 1, PRINT_COLORS = 2 };
unsigned manifests_style(const struct cli *c);	/* what the terminal is good for, and the user wants */
/* Messages to standard error; style is of PRINT_: below each the line of the file and a caret. */
void manifests_print(const struct loaded *l, const struct msgs *m, unsigned style);
void manifests_release(struct loaded *l);
