/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts that orch-probe makes, each in a child; the ways out of a container are in escape.c. */
#pragma once

/* Prints NAME=OK, NAME=ERRNO or NAME=SIGNAL. prepare, which may be NULL, comes first in the child,
 * and nothing is tried when it fails. */
void attempt(const char *name, long (*call)(void), int (*prepare)(void));

int escape(int argc, char **argv);
int escape_exe(int argc, char **argv);
