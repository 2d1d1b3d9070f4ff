/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that an OCI runtime makes. Its process is started like a container's (the program ends
 * in it instead of in the container's command), writes the container's pid into a file and ends. The
 * container is then an orphan, hence the shim's child, which has subreaper rights; what the runtime
 * leaves on disk is below the pod's directory and goes with it. From there on all is as if the shim
 * had made the container: signals, ends, and who joins it, go by the process.
 *
 * A container may end before its runtime does. Its end is kept until the runtime's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/sock.h"
#include "shim/shim.h"
#include "shim/text.h"

static const char *path_in(const struct container *c, const char *name, struct text *t)
{
	text_put(text_put(text_put(t, c->launch.dir), "/"), name);
	return t->data;
}

/* 0: there is none. */
static pid_t read_pid(const struct container *c)
{
	char path[160], text[24];
	struct text t = TEXT(path);
	FD_AUTO fd = open(path_in(c, "pid", &t), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (pid_t)text_parse(text, NULL);
}

bool launch_reaped(struct shim *s, pid_t pid, int exit_code, int signo)
{
	for (struct container *c = s->containers; c; c = c->next) {
		if (!c->launch.runs || read_pid(c) != pid)
			continue;
		c->launch.ended = pid;
		c->launch.exit_code = exit_code;
		c->launch.signo = signo;
		return true;
	}
	return false;
}

static int take_over(struct container *c, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	close(c->pidfd);
	c->pidfd = fd;
	return 0;
}

void launch_ended(struct container *c, int exit_code)
{
	pid_t pid = exit_code ? 0 : read_pid(c);
	int r = pid > 0 ? 0 : -ECHILD;

	if (r < 0 && c->stop.phase != STOP_NONE) {
		container_end(c, 128 + SIGKILL, SIGKILL);
		return;
	}
	if (r == 0 && pid != c->launch.ended)
		r = take_over(c, pid);
	if (r == 0)
		r = container_console(c);
	if (r < 0) {
		container_fail(c, r);
		return;
	}
	c->launch.runs = false;
	c->st.pid = pid;
	container_is_up(c);
	if (pid == c->launch.ended)
		container_end(c, c->launch.exit_code, c->launch.signo);
	else if (c->launch.signal)
		container_signal(c, c->launch.signal);
}
