/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What orchd and a pod's shim say to each other: SOCK_SEQPACKET messages, first over the socket
 * pair that the shim inherits as descriptor 3, later over RUN/pods/UID/shim.sock, to which a new
 * orchd connects after a restart. A message is struct shim_msg and a payload. Any number of
 * connections is served; each gets every STATE.
 *
 * The shim's durable memory is the file RUN/pods/UID/state: struct shim_state_header and one
 * struct shim_container per container, rewritten in place with one pwrite(2) per change before the
 * change is told to anyone. It outlives orchd and the shim, and names the shim's pid, so that
 * exit codes are never lost. Strings are NUL-terminated and cut to fit.
 */
#pragma once

#include <stdint.h>

#include "shim/program.h"

#define SHIM_MAGIC 0x6f726368u
#define SHIM_NAME 64		/* a container name is a DNS label of at most 63 */
#define SHIM_MSG_MAX (256 * 1024)
#define SHIM_MESSAGE_MAX 4096	/* bytes of a termination message */
#define SHIM_WHY 160		/* bytes that say why a probe or hook has failed */
#define SHIM_FD 3		/* the inherited connection */

enum shim_type {
	/* orchd -> shim */
	SHIM_HELLO,	/* answered by one STATE per container, then RESULT */
	SHIM_SANDBOX,	/* payload: program; once; answered by RESULT */
	SHIM_START,	/* struct shim_start, program; answered by RESULT, then STATE */
	SHIM_STOP,	/* struct shim_stop: drain, signal, wait, kill; goes on without orchd */
	SHIM_SIGNAL,	/* struct shim_signal */
	SHIM_PROBE,	/* struct shim_probe, program of an exec probe; replaces the one before */
	SHIM_HOOK,	/* struct shim_hook, program of an exec hook; replaces the one before */
	SHIM_EXEC,	/* struct shim_exec, program; RESULT carries the descriptors, then EXITED */
	SHIM_RESIZE,	/* struct shim_resize: window size of a tty exec */
	SHIM_ATTACH,	/* struct shim_attach; RESULT carries descriptors to read the container's
			 * output and, unless it is a terminal's, error output from, then one to write
			 * to its input, if that was asked for and is open */
	SHIM_ROOT,	/* struct shim_root; RESULT carries the root directory of a container that runs, as
			 * its first process sees it (O_PATH) */
	SHIM_CONNECT,	/* struct shim_connect; RESULT carries a TCP connection to the pod's own
			 * loopback address, which may still be on its way (connect(2), EINPROGRESS) */
	SHIM_QUIT,	/* no container runs: exit; answered by RESULT when refused (EBUSY) */
	/* shim -> orchd */
	SHIM_STATE,	/* struct shim_container */
	SHIM_RESULT,	/* struct shim_result */
	SHIM_EXITED,	/* struct shim_exited: a SHIM_EXEC process ended */
};

/* A nursery (shim/nursery.c) gets the directory of a pod as its whole message, with the connection and
 * perhaps a cgroup2 directory. It answers with this, and a pidfd. */
struct shim_born {
	int32_t pid;		/* or -errno */
};

struct shim_msg {
	uint32_t magic, version;
	uint32_t type;		/* enum shim_type */
	uint32_t seq;		/* chosen by the sender of a command, returned in RESULT, EXITED */
};

enum shim_phase {
	SHIM_CREATED,		/* known, never started; or an OCI runtime is making it */
	SHIM_RUNNING,
	SHIM_EXITED_PHASE,	/* ended; exit_code, signal, oom_killed are valid */
	SHIM_FAILED,		/* could not be started; fail says why */
};

/* Bits of shim_container.probed and .passed; probes that are not configured have neither. */
enum shim_probe_kind { SHIM_READINESS, SHIM_LIVENESS, SHIM_STARTUP, SHIM_PROBES };

enum shim_hook_kind { SHIM_POST_START, SHIM_PRE_STOP, SHIM_HOOKS };

/* Of the hook after the start: until it has passed the container does not count as started, and its
 * probes wait. */
enum shim_hook_state { SHIM_HOOK_NONE, SHIM_HOOK_RUNS, SHIM_HOOK_PASSED, SHIM_HOOK_FAILED };

struct shim_end {		/* how a run ended */
	int32_t exit_code;	/* 128+signal when killed */
	int32_t signal;		/* 0 when it exited */
	uint32_t oom_killed;
	uint32_t reserved;
	int64_t started_at, finished_at;	/* ns since the epoch */
};

struct shim_container {
	char name[SHIM_NAME];
	uint32_t phase;		/* enum shim_phase */
	uint32_t attempt;	/* 0 for the first run; names the log file */
	uint32_t backoff;	/* orchd's note: restarts since the last clean run */
	int32_t pid;		/* in the host's pid namespace */
	int64_t started_at;
	uint32_t configured;	/* bit per enum shim_probe_kind */
	uint32_t decided;	/* the probe has a verdict: a threshold was reached */
	uint32_t passed;	/* the verdict */
	uint32_t warned;	/* the verdict came with a warning: probe_message */
	uint32_t reserved;
	uint32_t stopping;	/* a STOP is under way */
	uint32_t post_start;	/* enum shim_hook_state */
	uint32_t message_size;	/* of the file "message-NAME", the run's termination message */
	struct shim_end end;	/* of this run, once EXITED */
	struct shim_end last;	/* of the run before */
	int64_t told_at[SHIM_PROBES];	/* ns since the epoch: when a verdict came with a message */
	char probe_message[SHIM_PROBES][SHIM_WHY];	/* why the last probe failed, or its warning */
	char hook_message[SHIM_HOOKS][SHIM_WHY];	/* why the hook failed */
	struct prog_fail fail;
};

struct shim_state_header {
	uint32_t magic, version;
	int32_t pid;		/* the shim's own */
	uint32_t count;
	uint64_t start_time;	/* field 22 of /proc/PID/stat, so that a reused pid is noticed */
};

/* Whose processes a container sees. In a pid namespace of its own they all end with its first
 * process; else the shim kills what is left in its cgroup. */
enum shim_pids { SHIM_PIDS_OWN, SHIM_PIDS_POD, SHIM_PIDS_HOST, SHIM_PIDS_TARGET };

/* What a container's standard input and output are, besides a log. */
enum shim_stdio {
	SHIM_STDIO_IN = 1,	/* a pipe that somebody may attach to, else nothing */
	SHIM_STDIO_ONCE = 2,	/* its end comes with the end of the first that does */
	SHIM_STDIO_TTY = 4,	/* a terminal for all; the program has CONSOLE */
};

struct shim_start {
	char name[SHIM_NAME];
	uint32_t attempt, backoff;
	uint64_t log_max_bytes;	/* rotate after so many bytes */
	uint32_t log_max_files;
	uint32_t stop_rank;	/* a STOP of all stops one rank after the other, 0 first */
	int32_t stop_signal;	/* that a STOP without one sends; 0: SIGTERM */
	uint32_t pids;		/* enum shim_pids */
	uint32_t stdio;		/* bits of enum shim_stdio */
	uint32_t reserved;
	char target[SHIM_NAME];	/* SHIM_PIDS_TARGET: those of this container, which runs */
	char log_dir[512];	/* ".../NS_POD_UID/CONTAINER": ATTEMPT.log is written there */
	char cgroup_dir[256];	/* cgroup2 directory for CLONE_INTO_CGROUP; empty: none */
	char oom_file[256];	/* memory.events (v2) or memory.oom_control (v1): line "oom_kill N" */
	char message_file[256];	/* where the container may leave a termination message; empty: nowhere */
	char launch_dir[128];	/* the program is an OCI runtime, which ends when it has made the
				 * container: below the pod's directory, its pid is then in "pid", its
				 * terminal comes over the socket "console"; empty: the program becomes
				 * the container */
};

struct shim_stop {
	char name[SHIM_NAME];	/* empty: all containers */
	int32_t signal;		/* 0: the one that the container was started with */
	uint32_t drain_ms;	/* at most so long until no established inbound TCP connection is
				 * left in the pod; at least 50 ms when not 0 */
	uint32_t grace_ms;	/* then the signal, and after this SIGKILL; 0: SIGKILL at once */
	uint32_t reserved;
};

struct shim_signal {
	char name[SHIM_NAME];
	int32_t signal;
};

enum shim_handler {
	SHIM_HANDLER_NONE,	/* removes the probe or hook */
	SHIM_HANDLER_EXEC,	/* the program; exit code 0 passes */
	SHIM_HANDLER_HTTP,	/* send the request; 200..399 passes, of a hook any answer. To follow a
				 * redirect is for the program, if there is one: as of ASK, with the
				 * connection, the answer still in it */
	SHIM_HANDLER_TCP,	/* connect */
	SHIM_HANDLER_SLEEP,	/* let timeout_ms pass */
	SHIM_HANDLER_OUTSIDE,	/* the program, from outside: exit code 0 passes; what it says is
				 * why not, or a warning */
	SHIM_HANDLER_ASK,	/* the same of a program that stays for further questions: it gets each as
				 * a message on its standard input, a Unix socket (ask/question.h) */
	SHIM_HANDLER_FAIL,	/* fails at once: request says why */
	SHIM_HANDLERS
};

struct shim_try {
	uint32_t handler;	/* enum shim_handler */
	uint32_t timeout_ms;	/* 0: none */
	uint32_t addr;		/* IPv4, host byte order; 0: the loopback address */
	uint16_t port;
	uint16_t any_status;	/* HTTP: whatever is answered is fine */
	char request[1024];	/* HTTP: the whole request head, ready to send */
};

/* https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ */
struct shim_probe {
	char name[SHIM_NAME];
	uint32_t kind;		/* enum shim_probe_kind */
	uint32_t initial_delay_ms, period_ms;
	uint32_t success_threshold, failure_threshold;
	uint32_t reserved;
	struct shim_try how;
};

/* https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/ */
struct shim_hook {
	char name[SHIM_NAME];
	uint32_t kind;		/* enum shim_hook_kind */
	uint32_t reserved;
	struct shim_try how;
};

struct shim_exec {
	char name[SHIM_NAME];
	uint32_t tty;		/* a pty (one descriptor), else three pipe ends: in, out, err */
	uint16_t rows, cols;
};

struct shim_resize {
	uint32_t exec_seq;	/* seq of the SHIM_EXEC */
	uint16_t rows, cols;
};

struct shim_attach {
	char name[SHIM_NAME];
	uint32_t input;
	uint32_t reserved;
};

struct shim_root {
	char name[SHIM_NAME];
};

struct shim_connect {
	uint16_t port;
	uint16_t reserved[3];
};

struct shim_result {
	int32_t error;		/* errno; 0 is success */
	uint32_t reserved;
	struct prog_fail fail;
};

struct shim_exited {
	int32_t exit_code;	/* 128+signal when killed */
	int32_t signal;
};
