/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container's first process is given: standard input, output and error, and a cgroup to
 * be born in. Output goes through pipes, or, as input does then, through a terminal that the
 * process makes for itself and sends us the other side of.
 */
#pragma once

#include "shim/execute.h"
#include "shim/protocol.h"

struct outfit {			/* descriptors; -1: none */
	int stdio[3];		/* of the process */
	int own[3];		/* our ends, non-blocking where they are read */
	int cgroup;
	int console[2];		/* over which the master of its terminal comes, ours first */
};

#define OUTFIT_NONE { { -1, -1, -1 }, { -1, -1, -1 }, -1, { -1, -1 } }

int outfit_prepare(struct outfit *o, const struct shim_start *order);
void outfit_wear(const struct outfit *o, struct prog_run *x);	/* before the run */
/* After it: with a terminal, own[0] and own[1] are its master. */
int outfit_worn(struct outfit *o);
/* The same of an OCI runtime, which sends the master over a connection to the listener. */
int outfit_accept(struct outfit *o, int listener);
void outfit_release(struct outfit *o);		/* what was not taken out */
