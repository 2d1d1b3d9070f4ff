/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers: starting a run, and what is done when its first process has ended. With that
 * process its whole pid namespace is gone, so the pipes hold all it ever wrote; they are emptied
 * into the log before anybody hears of the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/units.h"
#include "shim/execute.h"
#include "shim/outfit.h"
#include "shim/shim.h"
#include "shim/text.h"

/* At most so much of one stream before the other sources get their turn. */
#define PUMP_MAX (256 * 1024)

/* So often processes that fork while they are killed are looked for again. */
#define KILL_ROUNDS 1000

struct container *container_find(struct shim *s, const char *name)
{
	struct container *c = s->containers;

	while (c && !streq(c->st.name, name))
		c = c->next;
	return c;
}

struct container *container_get(struct shim *s, const char *name)
{
	struct container *c = container_find(s, name), **end = &s->containers;

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	*c = (struct container){ .shim = s, .index = s->count++, .pidfd = -1, .in = -1,
				 .launch.console = -1 };
	TEXT_COPY(c->st.name, name);
	c->log.fd = c->log.dir = -1;
	c->out.log.fd = c->err.log.fd = -1;
	while (*end)
		end = &(*end)->next;
	*end = c;
	return c;
}

void container_changed(struct container *c)
{
	state_write(c);
	server_tell(c);
}

/* ---- out of memory kills ---- */

/* The number after "oom_kill " in memory.events (v2) or memory.oom_control (v1). */
static uint64_t oom_kills(const char *path)
{
	static const char key[] = "oom_kill ";
	char text[1024];
	FD_AUTO fd = *path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (const char *p = text; (p = strstr(p, key)); p++) {
		if (p == text || p[-1] == '\n')
			return text_parse(p + sizeof(key) - 1, NULL);
	}
	return 0;
}

/* ---- termination messages ---- */

/* What was left there is of the run before. The file is in a tmpfs of the shim's own. */
static void message_clear(const struct container *c)
{
	int fd = *c->message_file ? open(c->message_file, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;

	if (fd >= 0)
		close(fd);
}

/* Kept in the run directory, which outlives the shim and its mounts. */
static void message_keep(struct container *c)
{
	char text[SHIM_MESSAGE_MAX], name[SHIM_NAME + 8];
	FD_AUTO from = *c->message_file ? open(c->message_file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = from < 0 ? -1 : read(from, text, sizeof(text));
	struct text t = TEXT(name);

	if (n <= 0)
		return;
	text_put(text_put(&t, "message-"), c->st.name);
	FD_AUTO to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to >= 0 && write(to, text, (size_t)n) == n)
		c->st.message_size = (uint32_t)n;
}

/* ---- logs ---- */

static void stream_close(struct stream_io *s, struct shim *shim)
{
	loop_io_remove(shim->loop, &s->io);
	s->waits = false;
	log_finish(&s->log, shim->room);
	taps_end(s);
}

static void stream_ready(struct loop_io *io, uint32_t events)
{
	struct stream_io *s = container_of(io, struct stream_io, io);
	struct shim *shim = s->container->shim;

	(void)events;
	if (!log_pump(&s->log, shim->room, PUMP_MAX))
		stream_close(s, shim);
}

void stream_goes_on(struct stream_io *s)
{
	if (s->waits)
		loop_io_add(s->container->shim->loop, &s->io, s->log.fd, EPOLLIN, stream_ready);
	s->waits = false;
}

static void stream_open(struct container *c, struct stream_io *s, const char *name, int fd)
{
	s->container = c;
	log_stream_init(&s->log, &c->log, name, fd);
	loop_io_add(c->shim->loop, &s->io, fd, EPOLLIN, stream_ready);
}

/* ---- starting ---- */

/* Children are then born where the order says. */
static int enter_pids(struct container *c, const struct shim_start *order)
{
	switch (order->pids) {
	case SHIM_PIDS_POD:
		return pause_enter(c->shim);
	case SHIM_PIDS_TARGET:
		TEXT_COPY(c->st.fail.what, order->target);
		return pause_enter_of(c->shim, order->target);
	default:
		return 0;
	}
}

static void leave_pids(struct container *c)
{
	if (c->pids == SHIM_PIDS_POD || c->pids == SHIM_PIDS_TARGET)
		pause_leave(c->shim);
}

/* An OCI runtime stays outside, and is given the namespace where it does not make one. */
static int find_pids(struct container *c, const struct shim_start *order, struct prog_run *x)
{
	int r = enter_pids(c, order);

	if (r < 0 || !c->launch.runs)
		return r;
	if (c->pids == SHIM_PIDS_POD || c->pids == SHIM_PIDS_TARGET) {
		x->pids = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
		r = x->pids < 0 ? -errno : 0;
	}
	leave_pids(c);
	return r;
}

static int run_program(struct container *c, const struct shim_start *order, struct outfit *o,
		       const void *prog, size_t n)
{
	struct prog_run *x = prog_run_new(prog, n);

	if (!x)
		return -ENOMEM;
	outfit_wear(o, x);
	x->userns = c->shim->userns;
	x->host_mounts = c->shim->host_mounts;
	x->pid_flags = c->pids == SHIM_PIDS_OWN && !c->launch.runs ? CLONE_NEWPID : 0;
	int r = find_pids(c, order, x);
	if (r == 0) {
		r = prog_run_container(x, &c->st.pid, &c->pidfd);
		c->st.fail = x->fail;
	}
	if (!c->launch.runs)
		leave_pids(c);
	if (x->pids >= 0)
		close(x->pids);
	prog_run_free(x);
	if (r == 0 && (r = outfit_worn(o)) < 0) {
		syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
		close(c->pidfd);
	}
	return r;
}

static void open_streams(struct container *c, bool input, struct outfit *o)
{
	c->in = input ? fd_take(&o->own[0]) : -1;
	stream_open(c, &c->out, "stdout", fd_take(&o->own[1]));
	if (!c->tty)
		stream_open(c, &c->err, "stderr", fd_take(&o->own[2]));
}

int container_console(struct container *c)
{
	struct outfit o = OUTFIT_NONE;

	if (c->launch.console < 0)
		return 0;
	int r = outfit_accept(&o, c->launch.console);
	if (r == 0)
		open_streams(c, c->launch.input, &o);
	outfit_release(&o);
	close(fd_take(&c->launch.console));
	return r;
}

static int launch(struct container *c, const struct shim_start *order, const void *prog, size_t n)
{
	struct outfit o = OUTFIT_NONE;
	int r = log_open(&c->log, order->log_dir, order->attempt, order->log_max_bytes,
			 order->log_max_files);

	TEXT_COPY(c->st.fail.what, r < 0 ? order->log_dir : "");
	if (r == 0) {
		r = outfit_prepare(&o, order);
		TEXT_COPY(c->st.fail.what, r < 0 ? order->cgroup_dir : "");
	}
	if (r == 0)
		r = run_program(c, order, &o, prog, n);
	if (r == 0 && c->launch.runs && c->tty) {
		c->launch.console = fd_take(&o.console[0]);
	} else if (r == 0) {
		open_streams(c, order->stdio & SHIM_STDIO_IN, &o);
	} else {
		c->pidfd = -1;
		log_close(&c->log);
	}
	outfit_release(&o);
	return r;
}

/* Turns the record of the run before into that of the new one. */
static void begin_run(struct container *c, const struct shim_start *order)
{
	struct shim_container *st = &c->st;

	if (st->phase == SHIM_EXITED_PHASE || st->phase == SHIM_FAILED)
		st->last = st->end;
	memset(&st->end, 0, sizeof(st->end));
	memset(&st->fail, 0, sizeof(st->fail));
	st->attempt = order->attempt;
	st->backoff = order->backoff;
	st->pid = 0;
	st->stopping = 0;
	st->started_at = time_now();
	c->began = time_mono();
	TEXT_COPY(c->cgroup_dir, order->cgroup_dir);
	TEXT_COPY(c->oom_file, order->oom_file);
	TEXT_COPY(c->message_file, order->message_file);
	c->launch = (struct launch){ .runs = *order->launch_dir, .console = -1,
				     .input = order->stdio & SHIM_STDIO_IN };
	TEXT_COPY(c->launch.dir, order->launch_dir);
	st->message_size = 0;
	message_clear(c);
	c->stop_rank = order->stop_rank;
	c->pids = order->pids;
	c->tty = order->stdio & SHIM_STDIO_TTY;
	c->stdin_once = order->stdio & SHIM_STDIO_ONCE && !c->tty;
	c->stop_signal = order->stop_signal ? order->stop_signal : SIGTERM;
	c->oom_before = oom_kills(c->oom_file);
}

/* The exit code of a container that could not be started is Kubernetes' for StartError. */
static void record_failure(struct container *c, int error)
{
	c->st.phase = SHIM_FAILED;
	c->st.pid = 0;
	c->st.fail.error = -error;
	c->st.end = (struct shim_end){
		.exit_code = 128,
		.started_at = c->st.started_at,
		.finished_at = time_now(),
	};
}

static void begin_asking(struct container *c)
{
	hooks_begin(c);
	probes_begin(c);
}

int container_start(struct container *c, const struct shim_start *order, const void *prog, size_t n)
{
	if (container_runs(c))
		return -EBUSY;
	begin_run(c, order);
	int r = launch(c, order, prog, n);
	if (r < 0) {
		record_failure(c, r);
	} else {
		c->st.phase = c->launch.runs ? SHIM_CREATED : SHIM_RUNNING;
		if (!c->launch.runs)
			begin_asking(c);
	}
	state_write(c);
	return r;
}

void container_is_up(struct container *c)
{
	c->st.phase = SHIM_RUNNING;
	c->st.started_at = time_now();
	c->began = time_mono();
	begin_asking(c);
	container_changed(c);
}

int container_signal(struct container *c, int signo)
{
	if (!container_runs(c))
		return -ESRCH;
	if (c->launch.runs && signo != SIGKILL) {
		c->launch.signal = signo;
		return 0;
	}
	return syscall(SYS_pidfd_send_signal, c->pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

/* ---- ending ---- */

/* Kills every process that the file lists; false when there was none. */
static bool kill_listed(int dir)
{
	char text[4096];
	FD_AUTO fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	for (const char *p = text; *p; p += *p == '\n') {
		uint64_t pid = text_parse(p, &p);
		if (pid)
			kill((pid_t)pid, SIGKILL);
		while (*p && *p != '\n')
			p++;
	}
	return true;
}

/*
 * Without a pid namespace of its own the container's other processes have not ended with the
 * first; nor has a container that is still being made. Not by cgroup.kill: some kernels kill what
 * CLONE_INTO_CGROUP puts into the group later, too.
 */
static void kill_rest(const struct container *c)
{
	FD_AUTO dir = (c->pids != SHIM_PIDS_OWN || c->launch.runs) && *c->cgroup_dir ?
			      open(c->cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	for (int round = 0; dir >= 0 && round < KILL_ROUNDS && kill_listed(dir); round++)
		sched_yield();
}

/* Nothing of the run goes on. */
static void close_run(struct container *c)
{
	kill_rest(c);
	stream_close(&c->out, c->shim);
	stream_close(&c->err, c->shim);
	log_close(&c->log);
	if (c->in >= 0)
		close(fd_take(&c->in));
	close(fd_take(&c->pidfd));
	probes_end(c);
	hooks_end(c);
	stop_end(c);
	message_keep(c);
	if (c->launch.console >= 0)
		close(fd_take(&c->launch.console));
	c->launch.runs = false;
}

void container_fail(struct container *c, int error)
{
	close_run(c);
	record_failure(c, error);
	container_changed(c);
	stop_all_goes_on(c->shim);
}

void container_end(struct container *c, int exit_code, int signo)
{
	bool oom = oom_kills(c->oom_file) > c->oom_before;

	close_run(c);
	c->st.phase = SHIM_EXITED_PHASE;
	c->st.pid = 0;
	c->st.stopping = 0;
	c->st.end = (struct shim_end){
		.exit_code = exit_code,
		.signal = signo,
		.oom_killed = oom && exit_code != 0,
		.started_at = c->st.started_at,
		.finished_at = time_now(),
	};
	container_changed(c);
	stop_all_goes_on(c->shim);
}

bool container_reaped(struct shim *s, pid_t pid, int exit_code, int signo)
{
	for (struct container *c = s->containers; c; c = c->next) {
		if (!container_runs(c) || c->st.pid != pid)
			continue;
		if (c->launch.runs)
			launch_ended(c, exit_code);
		else
			container_end(c, exit_code, signo);
		return true;
	}
	return launch_reaped(s, pid, exit_code, signo);
}
