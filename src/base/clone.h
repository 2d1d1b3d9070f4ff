/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone3(2) with a function, as clone(2) has it, and what a new process must undo. */
#pragma once

#include <linux/sched.h>

/* The child runs run(arg), which must not return, on ca->stack. The pid, or -errno. */
long clone3_run(struct clone_args *ca, void (*run)(void *), void *arg);

/* Every signal to its default, none blocked: what is ignored or blocked survives execve(2). */
void child_default_signals(void);
