/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of pods that are gone: control groups that stay busy until the kernel is done with
 * their last process, addresses whose interface dies with a namespace a little later, directories
 * whose removal takes time. One leftover is looked at per turn of the loop, and again until all of
 * it is gone. Also frees memory that the pass under way may still look at.
 */
#pragma once

#include <sys/types.h>

#include "base/loop.h"
#include "net/net.h"
#include "sys/cgroup.h"

struct sandbox;
struct userns;
struct leftover;
struct retired;

struct sweep {
	struct loop *loop;
	struct loop_timer timer;
	struct net *net;
	struct cgroup_fs *cg;
	struct userns *userns;
	struct leftover *first, **end;
	struct retired *retired;
};

#define SWEEP_DIRS 3

void sweep_init(struct sweep *s, struct loop *l, struct net *net, struct cgroup_fs *cg,
		struct userns *userns);
/* cgroup NULL, ip 0, ids 0 and directories NULL stand for nothing; strings are copied. */
void sweep_add(struct sweep *s, const char *cgroup, uint32_t ip, uint32_t ids,
	       const char *const dirs[SWEEP_DIRS]);
void sweep_later(struct sweep *s, const char *dir, int64_t due);	/* CLOCK_MONOTONIC */
void sweep_child(struct sweep *s, pid_t pid);	/* a child that was killed */
void sweep_arena(struct sweep *s, struct arena *a);	/* takes its content, a is then empty */
void sweep_sandbox(struct sweep *s, struct sandbox *p);
void sweep_finish(struct sweep *s);	/* what can be done is done, everything is freed */
