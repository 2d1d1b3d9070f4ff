/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves bytes between our standard input and output and those of a process elsewhere, with our
 * terminal in raw mode if the process has one. The process's input never blocks us: what it does
 * not take yet is kept while its output is read, or both sides would wait for each other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

struct terminal {
	/* given; descriptors are taken, -1: none */
	int in, out, err;
	bool tty;			/* in is the master of a terminal */
	bool pass_stdin;
	bool detachable;		/* by ctrl-p ctrl-q */
	void (*resize)(const struct terminal *t, uint16_t rows, uint16_t cols);
	int api;			/* for resize */

	/* found out */
	int signal;			/* that asked us to end; 0: none */
	bool detached;

	/* its own */
	int signals;
	char kept[16384];		/* read from standard input, not yet taken */
	size_t from, to;
	bool escape;			/* ctrl-p was the last */
	struct termios saved;
	bool raw;
};

/* Until the output ends, the user detaches or a signal asks for it; the terminal is then as before. */
void terminal_run(struct terminal *t);
/* What a shell would make of the end by a signal. */
int terminal_status(const struct terminal *t, int status);
