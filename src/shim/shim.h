/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shim: one process per pod, parent of the pod's containers. A single thread around the event
 * loop; everything it knows hangs from struct shim. It decides nothing: orchd sends programs and
 * orders (shim/protocol.h), the kernel tells of ends, and both become states that are written to
 * the state file first and then sent to every connection. With orchd gone all of this goes on.
 */
#pragma once

#include "base/loop.h"
#include "shim/logs.h"
#include "shim/protocol.h"
#include "shim/verdict.h"

struct shim;
struct container;
struct conn;

/* ---- processes besides the containers' own: exec sessions, and those of probes and hooks ---- */

struct session {
	struct session *next;
	struct container *container;
	pid_t pid;
	int pidfd;
	uint32_t seq;
	struct conn *conn;	/* told of the end; NULL when it is gone */
	struct attempt *attempt;	/* that this is; NULL: an exec */
	struct asker *asker;		/* that this is */
};

/* stdio are three descriptors, or console is the socket that receives the pty's master. */
struct session_stdio {
	int fd[3];
	int console;
	uint16_t rows, cols;
	bool outside;		/* a program of the host, in no container */
};

int session_start(struct container *c, const void *prog, size_t n, const struct session_stdio *io,
		  struct session **ret, struct prog_fail *fail);
/* A process has ended: true when it was a session, which is now told and gone. */
bool session_reaped(struct shim *s, pid_t pid, int exit_code, int signo);
void session_forget_conn(struct shim *s, const struct conn *conn);
struct session *session_find(struct shim *s, const struct conn *conn, uint32_t seq);
int session_resize(const struct session *e, uint16_t rows, uint16_t cols);
/* SHIM_EXEC: makes pipes or a pty; the other ends become fds (three, or one). */
int session_exec(struct container *c, const struct shim_exec *order, const void *prog, size_t n,
		 int fds[3], unsigned *ret_nfds, struct session **ret, struct prog_fail *fail);

/* ---- attempts of probes and hooks ---- */

struct attempt {
	struct container *container;
	struct shim_try how;
	void *prog;		/* of a command in the container or one that asks from outside */
	size_t n_prog;
	bool running;
	/* why: what went wrong, or NULL; what has passed may come with a warning. */
	void (*done)(struct attempt *a, bool passed, const char *why);
	struct loop_timer late;
	struct loop_io io;
	struct session *session;
	struct asker *asker;	/* that has its question */
	char answer[SHIM_WHY];	/* first bytes of what the process said */
	unsigned n_answer;
};

int attempt_set(struct attempt *a, const struct shim_try *how, const void *prog, size_t n);
bool attempt_is(const struct attempt *a, const struct shim_try *how, const void *prog, size_t n);
void attempt_begin(struct attempt *a);		/* done() may be called before it returns */
void attempt_leave(struct attempt *a);		/* without a result */
/* A TCP connection that was begun in the pod's network namespace; addr 0: the loopback address. */
int attempt_connect(uint32_t addr, uint16_t port);
void attempt_session_ended(struct attempt *a, int exit_code);
void attempt_answered(struct attempt *a, bool passed, const char *text, size_t n);
void attempt_asker_ended(struct attempt *a, int exit_code);	/* without an answer */

/* ---- programs that ask, and stay for the next question ---- */

struct asker;

/* Asks what the attempt's program would, on the connection fd, if there is one. */
int asker_ask(struct attempt *a, int fd);
void asker_leave(struct asker *k);		/* in the middle of its question */
void asker_ended(struct asker *k, int exit_code);	/* its process */
void askers_end(struct shim *s);		/* those without a question, before the shim does */

/* ---- hooks ---- */

int hook_set(struct container *c, const struct shim_hook *cfg, const void *prog, size_t n);
void hooks_begin(struct container *c);		/* a run begins: postStart */
/* Begins preStop; false when there is none. stop_hook_ended() follows. */
bool hook_before_stop(struct container *c);
void hooks_end(struct container *c);
bool hook_pending(const struct container *c);	/* postStart has not passed */

/* ---- probes ---- */

struct probe {
	struct container *container;
	struct shim_probe cfg;
	struct verdict verdict;
	struct loop_timer due;
	int64_t began;		/* of the last attempt, monotonic */
	struct attempt attempt;
};

/* SHIM_PROBE. The same probe again changes nothing, another one keeps the verdict. */
int probe_set(struct container *c, const struct shim_probe *cfg, const void *prog, size_t n);
void probes_begin(struct container *c);		/* a run of the container begins */
void probes_end(struct container *c);
void probes_schedule(struct container *c);	/* something they wait for has come */

/* ---- containers ---- */

enum stop_phase { STOP_NONE, STOP_HOOK, STOP_DRAIN, STOP_GRACE, STOP_KILLED };

struct stop {
	enum stop_phase phase;
	int signal;
	uint32_t grace_ms, drain_ms;
	int64_t began, drain_until;	/* monotonic */
	struct loop_timer timer;
};

/*
 * A container that an OCI runtime makes (launch.c). While it does, its process stands for the
 * container, whose phase is CREATED.
 */
struct launch {
	bool runs;
	bool input;			/* its terminal can be written to */
	char dir[128];			/* of the order; empty: a container of our own making */
	int console;			/* where its terminal comes to; -1: it has none */
	int signal;			/* that the container is to have when it is there */
	pid_t ended;			/* the container's process, already; 0: it is not */
	int exit_code, signo;
};

struct tap;

struct stream_io {
	struct log_stream log;
	struct loop_io io;
	struct container *container;
	struct tap *taps;		/* of those who are attached */
	bool waits;			/* for one of them, hence is not read */
};

struct container {
	struct shim *shim;
	struct container *next;
	unsigned index;			/* in the state file */
	struct shim_container st;
	int pidfd;			/* -1: does not run */
	int64_t began;			/* of this run, monotonic */
	char cgroup_dir[256], oom_file[256], message_file[256];
	uint64_t oom_before;
	uint32_t stop_rank, pids;
	int stop_signal;
	struct log_file log;
	struct stream_io out, err;	/* of a terminal only out */
	int in;				/* to write its standard input to; -1: none */
	bool tty, stdin_once;
	struct stop stop;
	struct launch launch;
	struct probe *probes[SHIM_PROBES];
	struct attempt hooks[SHIM_HOOKS];
};

static inline bool container_runs(const struct container *c)
{
	return c->pidfd >= 0;
}

/* Its first process is known: it can be joined. */
static inline bool container_is_there(const struct container *c)
{
	return container_runs(c) && !c->launch.runs;
}

struct container *container_find(struct shim *s, const char *name);
struct container *container_get(struct shim *s, const char *name);	/* NULL: no memory */
/* Starts a run and records it; what failed is in c->st.fail. */
int container_start(struct container *c, const struct shim_start *order, const void *prog, size_t n);
int container_signal(struct container *c, int signo);
bool container_reaped(struct shim *s, pid_t pid, int exit_code, int signo);
/* The state has changed: written, then told. */
void container_changed(struct container *c);

/* launch.c: the runtime has ended: the container is there, or could not be made. */
void launch_ended(struct container *c, int exit_code);
/* An unknown child was reaped: true when it is the container of a launch. */
bool launch_reaped(struct shim *s, pid_t pid, int exit_code, int signo);

/* For launch.c: the terminal is taken; the container is there; its first process has ended; it could
 * not be made. */
int container_console(struct container *c);
void container_is_up(struct container *c);
void container_end(struct container *c, int exit_code, int signo);
void container_fail(struct container *c, int error);

void stream_goes_on(struct stream_io *s);	/* one that waits */

/* attach.c: SHIM_ATTACH. fds are then the caller's, also when it fails. */
int attach_open(struct container *c, const struct shim_attach *order, int fds[3], unsigned *ret_n);
void taps_end(struct stream_io *s);		/* what is copied already still gets to its reader */

void stop_begin(struct container *c, const struct shim_stop *order);
/* All containers, rank after rank; a second order can only make it sooner. */
void stop_all(struct shim *s, const struct shim_stop *order);
void stop_all_goes_on(struct shim *s);		/* one of them has ended */
void stop_hook_ended(struct container *c);	/* preStop is over */
void stop_end(struct container *c);		/* the container has ended */

/* ---- a pid namespace for the whole pod ---- */

struct pause {			/* its first process, which does nothing but reap */
	int pidfd, own_ns;	/* -1 until it is needed */
};

/* Children made between the two are born in the pod's pid namespace. */
int pause_enter(struct shim *s);
int pause_enter_of(struct shim *s, const char *name);	/* in that of a container that runs */
void pause_leave(struct shim *s);

/* ---- state file ---- */

int state_open(struct shim *s);			/* "state" in the working directory */
void state_write(const struct container *c);

/* ---- connections ---- */

int server_listen(struct shim *s);		/* "shim.sock" in the working directory */
int server_add(struct shim *s, int fd);		/* a connection, which the server then owns */
void server_tell(struct container *c);		/* its STATE, to all */
void server_exited(struct session *e, int exit_code, int signo);

/* ---- the whole ---- */

struct shim {
	struct loop *loop;
	struct loop_signal sigchld;
	int state_fd;
	struct loop_io listener;
	struct conn *conns;
	struct container *containers;	/* in the order of their index */
	unsigned count;
	bool stopping;			/* a STOP of all is under way: */
	struct shim_stop stop;
	int64_t stop_began;		/* monotonic */
	struct session *sessions;
	struct asker *askers;		/* without a question */
	struct log_room *room;
	struct pause pause;
	int userns;			/* the pod's own; -1: its users are the host's */
	int host_mounts;		/* the host's mount namespace; -1: no container mounts there */
	bool sandboxed, own_net;
	int sandbox_error;		/* 0 or -errno: then no container may start */
	struct prog_fail sandbox_fail;
};

int shim_init(struct shim *s);
int shim_run(struct shim *s);
/* SHIM_SANDBOX: the pod's namespaces become the shim's own. */
int shim_sandbox(struct shim *s, const void *prog, size_t n, struct prog_fail *fail);
