/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to one shim: orders are queued and go out in their order without anybody
 * waiting, answers come back by sequence number, states at any time (shim/protocol.h). The shim
 * itself is watched by its pidfd, which alone says that it is gone; a connection that ends before
 * is made again.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "shim/protocol.h"

struct sandbox;
struct container_run;
struct exec;

struct command {			/* waits for its RESULT */
	struct command *next;
	uint32_t seq;
	enum shim_type type;
	struct container_run *run;	/* START, STOP of one container */
	struct exec *exec;		/* EXEC */
};

struct outgoing;

struct link {
	struct loop *loop;
	const char *path;		/* of the shim's socket */
	struct loop_io io, pid_io;
	struct loop_timer again;	/* connects again */
	int fd, pidfd;
	pid_t pid;
	uint32_t seq;
	struct outgoing *out, **out_end;
	struct command *commands;
};

void link_init(struct link *l, struct loop *loop, const char *path);
void link_release(struct link *l);		/* the shim goes on */
int link_watch(struct link *l, pid_t pid, int pidfd);	/* takes pidfd */
int link_open(struct link *l, int fd);		/* takes fd: the socket pair's end */
void link_reconnect(struct link *l);	/* and says HELLO, now or when the shim listens */
bool link_alive(const struct link *l);
void link_kill(struct link *l);

/* Sends type with a fixed part and a program, either may be empty. */
int link_send(struct link *l, enum shim_type type, const void *fixed, size_t nfixed,
	      const struct buf *program, struct container_run *run, struct exec *exec,
	      uint32_t *ret_seq, struct err *err);
