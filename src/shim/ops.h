/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations behind the records of a program, by kind of thing they change. Each gets its
 * record taken apart and returns 0 or -errno; it names the culprit with step_blame() when this is
 * not the first string. They run in children that borrow the shim's memory: no allocation, no
 * locks, no state outside struct prog_run, and system calls where glibc's wrapper does more.
 */
#pragma once

#include "shim/execute.h"

struct step {
	const struct prog_op *op;
	const char *s[4];
};

/* What the failure is about, if it comes to one. */
void step_blame(struct prog_run *x, const char *what);

/* tree.c: files */
int op_write(struct prog_run *x, const struct step *st);
int op_mkdir(struct prog_run *x, const struct step *st);
int op_mknod(struct prog_run *x, const struct step *st);
int op_symlink(struct prog_run *x, const struct step *st);
int op_file(struct prog_run *x, const struct step *st);
int op_chdir(struct prog_run *x, const struct step *st);

/* mounts.c */
int op_keep_mounts(struct prog_run *x, const struct step *st);
int op_slave(struct prog_run *x, const struct step *st);
int op_mount(struct prog_run *x, const struct step *st);
int op_bind(struct prog_run *x, const struct step *st);
int op_pivot(struct prog_run *x, const struct step *st);
int op_mask(struct prog_run *x, const struct step *st);
int op_readonly(struct prog_run *x, const struct step *st);

/* own.c: whole trees */
int op_own(struct prog_run *x, const struct step *st);

/* netlink.c: links, addresses and routes of host and pod */
int op_netlink_host(struct prog_run *x, const struct step *st);
int op_netlink_pod(struct prog_run *x, const struct step *st);

/* userns.c: other users */
int op_userns(struct prog_run *x, const struct step *st);
int op_enter(struct prog_run *x, const struct step *st);
/* Before and after a user namespace is entered whose ids begin with first outside. tty: that is the
 * container's own, and not the host's. */
void userns_give_stdio(uint64_t first, bool tty);
int userns_become_root(void);

/* process.c: what the process is and may */
int op_root(struct prog_run *x, const struct step *st);
int op_pids(struct prog_run *x, const struct step *st);
int op_unshare(struct prog_run *x, const struct step *st);
int op_tasks(struct prog_run *x, const struct step *st);
int op_hostname(struct prog_run *x, const struct step *st);
int op_rlimit(struct prog_run *x, const struct step *st);
int op_oom_score(struct prog_run *x, const struct step *st);
int op_groups(struct prog_run *x, const struct step *st);
int op_gid(struct prog_run *x, const struct step *st);
int op_uid(struct prog_run *x, const struct step *st);
int op_caps(struct prog_run *x, const struct step *st);
int op_no_new_privs(struct prog_run *x, const struct step *st);
int op_seccomp(struct prog_run *x, const struct step *st);
int op_env(struct prog_run *x, const struct step *st);
int op_arg(struct prog_run *x, const struct step *st);
int op_exec(struct prog_run *x, const struct step *st);

/* The pod's network namespace is one that the shim is now in. */
int process_own_netns(struct prog_run *x);

/* Resolving paths (tree.c). */
enum tree_make { TREE_EXISTING, TREE_DIR, TREE_FILE };
/* O_PATH descriptor of path; inner: path is below the new root in any case. */
int tree_open(struct prog_run *x, const char *path, bool inner, enum tree_make make);
/* The same for a source, where "DIR//SUB" keeps SUB inside DIR, and may make it. */
int tree_source(struct prog_run *x, const char *path, bool make);
/* A directory was mounted on: it may be that of the new root. */
void tree_forget_root(struct prog_run *x);
