/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the programs of this room are asked. Either once, by arguments and environment, with a
 * connection as standard input or none: what there is to say goes to standard output, exit code 1
 * says that the probe has failed. Or, when standard input is a Unix socket, again and again: a
 * message holds the environment's strings, an empty one, and the arguments, the program's name
 * first, and may carry a connection; the answer is '0' or '1' and what there is to say. Then the
 * program is in its cage from the beginning and ends with the socket.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define QUESTION_ARGS 8

struct question {
	char *const *env;		/* ends with NULL */
	const char *args[QUESTION_ARGS];	/* NULL where there is none */
	int connection;			/* -1: none, or whose owner is somebody else now */
	bool caged;
};

const char *question_env(const struct question *q, const char *name);

/* 0, with a warning or without, or why it has failed. */
typedef int question_answer(void *data, struct question *q, char ret_warning[256], struct err *err);

/* The exit code. */
int question_run(int argc, char *argv[], question_answer *answer, void *data);
