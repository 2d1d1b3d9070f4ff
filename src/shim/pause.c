/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shareProcessNamespace: a pid namespace lives as long as its first process, so the pod's is held
 * by one of ours. It ends with the shim, and everything in the namespace with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clone.h"
#include "base/macro.h"
#include "shim/ops.h"
#include "shim/shim.h"

/* SA_NOCLDWAIT: orphans of the pod vanish when they end; sigaction(2). */
static void idle(int userns)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN, .sa_flags = SA_NOCLDWAIT };

	if (userns >= 0 && (setns(userns, CLONE_NEWUSER) < 0 || userns_become_root() < 0))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	child_default_signals();
	sigaction(SIGCHLD, &ignore, NULL);
	close_range(0, ~0U, 0);
	for (;;)
		pause();
}

/* The way back, before any leads away. */
static int know_own(struct shim *s)
{
	if (s->pause.own_ns < 0)
		s->pause.own_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	return s->pause.own_ns < 0 ? -errno : 0;
}

static int start(struct shim *s)
{
	int pidfd = -1;
	int r = know_own(s);

	if (r < 0)
		return r;
	long pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, 0);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		idle(s->userns);
	s->pause.pidfd = pidfd;
	return 0;
}

int pause_enter(struct shim *s)
{
	int r = s->pause.pidfd < 0 ? start(s) : 0;

	if (r < 0)
		return r;
	return setns(s->pause.pidfd, CLONE_NEWPID) < 0 ? -errno : 0;
}

int pause_enter_of(struct shim *s, const char *name)
{
	const struct container *c = container_find(s, name);
	int r = c && container_is_there(c) ? know_own(s) : -ESRCH;

	if (r < 0)
		return r;
	return setns(c->pidfd, CLONE_NEWPID) < 0 ? -errno : 0;
}

void pause_leave(struct shim *s)
{
	setns(s->pause.own_ns, CLONE_NEWPID);
}
