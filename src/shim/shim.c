/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shim as a whole: its start, the sandbox, and the reaping of children. See shim.h. */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "shim/execute.h"

/* Every child, also those that containers left behind: the shim is their reaper. */
static void reap(struct loop_signal *sig, int signo)
{
	struct shim *s = container_of(sig, struct shim, sigchld);

	(void)signo;
	for (;;) {
		siginfo_t info = { 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) < 0 || !info.si_pid)
			return;
		bool exited = info.si_code == CLD_EXITED;
		int killed_by = exited ? 0 : info.si_status;
		int code = exited ? info.si_status : 128 + killed_by;
		if (!container_reaped(s, info.si_pid, code, killed_by))
			session_reaped(s, info.si_pid, code, killed_by);
	}
}

int shim_init(struct shim *s)
{
	int r = loop_new(&s->loop);

	if (r == 0)
		r = loop_signal_add(s->loop, &s->sigchld, SIGCHLD, reap);
	if (r == 0)
		r = state_open(s);
	if (r == 0)
		r = server_listen(s);
	s->room = log_room_new();
	if (!s->room)
		r = -ENOMEM;
	return r;
}

int shim_run(struct shim *s)
{
	return loop_run(s->loop);
}

int shim_sandbox(struct shim *s, const void *prog, size_t n, struct prog_fail *fail)
{
	if (s->sandboxed) {
		*fail = s->sandbox_fail;
		return s->sandbox_error ? s->sandbox_error : -EALREADY;
	}
	struct prog_run *x = prog_run_new(prog, n);
	if (!x)
		return -ENOMEM;
	int r = prog_run_sandbox(x);
	*fail = x->fail;
	s->sandboxed = true;
	s->own_net = x->own_net;
	s->userns = x->userns;
	s->host_mounts = x->host_mounts;
	prog_run_free(x);
	s->sandbox_error = r;
	s->sandbox_fail = *fail;
	return r;
}
