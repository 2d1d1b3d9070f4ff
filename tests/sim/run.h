/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trace runs in, and the kinds of its steps. */
#pragma once

#include "oracle.h"
#include "steps.h"

struct run {
	struct sim sim;
	struct world world;
	struct oracle oracle;
	uint32_t deaf;		/* so many passes that somebody asked for are left out */
};

struct step_kind {
	const char *name;
	unsigned numbers, weight;
	void (*run)(struct run *r, const struct step *s);
	void (*invent)(struct sim *s, struct step *step);	/* NULL: any numbers */
	void (*comment)(const struct step *s, struct buf *out);
	bool edits;		/* its numbers are a file, and a letter and a word of that */
	bool time;		/* it only lets time go on */
};

extern const struct step_kind step_kinds[];
extern const size_t step_nkinds;
uint32_t step_file(const struct step *s);
