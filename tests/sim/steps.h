/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the simulated machine from outside, step by step: edits, faults, time. A step is a
 * word and up to three numbers, whatever they are: what they choose among is taken modulo, so that
 * any part of a trace is a trace. From one seed come the steps and every invented time.
 */
#pragma once

#include "world.h"

#define STEP_NUMBERS 3

struct step {
	const struct step_kind *kind;
	uint32_t n[STEP_NUMBERS];
};
struct trace {
	uint64_t seed;
	struct step *v;
	uint32_t n;
	struct arena arena;
};

void trace_invent(struct trace *t, uint64_t seed);
int trace_read(struct trace *t, const char *path, struct err *err);
void trace_print(const struct trace *t, struct buf *out);	/* with a comment to each step */
void trace_release(struct trace *t);

/* Does the steps one after the other and checks everything; in the end everything has to come to
 * rest. */
struct outcome {
	const char *rule;	/* that was broken; NULL: none */
	char what[400];
	uint32_t at;		/* the step, t->n: at the end */
	uint64_t passes, actions;
	uint64_t kept;		/* results of earlier passes that were given again */
	int64_t simulated;	/* ns */
};
void trace_run(const struct trace *t, struct outcome *ret);
/* Leaves out what is not needed to break the same rule. */
void trace_shrink(struct trace *t, struct outcome *o);
