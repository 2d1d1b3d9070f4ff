/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See outfit.h. */
#include "shim/outfit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/macro.h"
#include "base/sock.h"
#include "shim/text.h"

/* The shim's end of an output does not block; the container's is its own. */
static int make_pipe(struct outfit *o, int i)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	o->own[i] = ends[i == 0];
	o->stdio[i] = ends[i != 0];
	if (i)
		fcntl(o->own[i], F_SETFL, O_NONBLOCK);
	return 0;
}

static int no_input(struct outfit *o)
{
	o->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return o->stdio[0] < 0 ? -errno : 0;
}

static int make_console(struct outfit *o)
{
	int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, o->console);

	return r < 0 ? -errno : 0;
}

/* In the pod's directory, which the shim is in. */
static int listen_for_console(struct outfit *o, const char *dir)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct text t = TEXT(sa.sun_path);

	text_put(text_put(&t, dir), "/console");
	o->console[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (o->console[0] < 0 || bind(o->console[0], (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(o->console[0], 1) < 0)
		return -errno;
	return 0;
}

/* An OCI runtime makes its standard input the container's user's, which /dev/null must not become:
 * that is the host's. */
static int make_stdio(struct outfit *o, const struct shim_start *order)
{
	uint32_t wanted = order->stdio;
	bool launched = *order->launch_dir;

	if (wanted & SHIM_STDIO_TTY)
		return launched ? listen_for_console(o, order->launch_dir) : make_console(o);
	int r = launched || wanted & SHIM_STDIO_IN ? make_pipe(o, 0) : no_input(o);
	if (r == 0)
		r = make_pipe(o, 1);
	return r < 0 ? r : make_pipe(o, 2);
}

int outfit_prepare(struct outfit *o, const struct shim_start *order)
{
	if (*order->cgroup_dir) {
		o->cgroup = open(order->cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (o->cgroup < 0)
			return -errno;
	}
	return make_stdio(o, order);
}

void outfit_wear(const struct outfit *o, struct prog_run *x)
{
	memcpy(x->stdio, o->stdio, sizeof(x->stdio));
	x->cgroup = o->cgroup;
	x->console = o->console[1];
}

/* More than a byte may come with it: an OCI runtime tells the terminal's name. */
static int receive_master(struct outfit *o, int from)
{
	unsigned n = 1;
	char text[64];

	if (sock_recv(from, text, sizeof(text), &o->own[1], &n) <= 0 || n != 1)
		return -EPROTO;
	fcntl(o->own[1], F_SETFL, O_NONBLOCK);
	o->own[0] = fcntl(o->own[1], F_DUPFD_CLOEXEC, 3);
	return o->own[0] < 0 ? -errno : 0;
}

int outfit_worn(struct outfit *o)
{
	return o->console[1] < 0 ? 0 : receive_master(o, o->console[0]);
}

int outfit_accept(struct outfit *o, int listener)
{
	FD_AUTO fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -errno : receive_master(o, fd);
}

void outfit_release(struct outfit *o)
{
	int *const fds[] = {
		&o->stdio[0], &o->stdio[1], &o->stdio[2], &o->own[0], &o->own[1], &o->own[2],
		&o->cgroup, &o->console[0], &o->console[1],
	};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(fd_take(fds[i]));
	}
}
