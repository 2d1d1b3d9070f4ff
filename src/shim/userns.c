/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User namespaces of pods. The shim stays in the host's, since it mounts what is the host's; the
 * pod's is kept as a descriptor. A child that is about to be shut up in it makes one clone; the
 * network, IPC and UTS namespaces that are born with it belong to it (user_namespaces(7)), and the
 * shim enters them. Containers are set up by the host's root and enter last, so what they have
 * mounted is locked for whoever is root inside. Their pid namespaces belong to the host's users,
 * which lets it mount their /proc where the host's own is partly hidden.
 *
 * Who enters keeps the host's ids until it changes them: only then is it somebody inside.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "shim/ops.h"
#include "shim/text.h"

#define PROC_FILE 48

/* What the child does: be there, until the shim has what it wants or is gone. */
static void idle(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	close_range(0, ~0U, 0);
	for (;;)
		pause();
}

static const char *proc_file(char buf[PROC_FILE], pid_t pid, const char *name)
{
	struct text t = { buf, 0, PROC_FILE };

	text_put(text_put(text_num(text_put(&t, "/proc/"), (uint64_t)pid), "/"), name);
	return buf;
}

static int write_map(pid_t pid, const char *name, uint64_t first, uint64_t count)
{
	char path[PROC_FILE], line[48];
	struct text t = TEXT(line);
	FD_AUTO fd = open(proc_file(path, pid, name), O_WRONLY | O_CLOEXEC);

	text_num(text_put(text_num(text_put(&t, "0 "), first), " "), count);
	return fd < 0 || write(fd, line, t.len) < 0 ? -errno : 0;
}

static int take_namespaces(struct prog_run *x, const struct prog_op *op, pid_t pid, int pidfd)
{
	char path[PROC_FILE];
	int r = write_map(pid, "uid_map", op->a, PROG_USERNS_IDS);

	if (r == 0)
		r = write_map(pid, "gid_map", op->a, PROG_USERNS_IDS);
	if (r == 0 && op->b && setns(pidfd, (int)op->b) < 0)
		r = -errno;
	if (r == 0) {
		x->userns = open(proc_file(path, pid, "ns/user"), O_RDONLY | O_CLOEXEC);
		r = x->userns < 0 ? -errno : 0;
	}
	return r;
}

int op_userns(struct prog_run *x, const struct step *st)
{
	unsigned long flags = CLONE_NEWUSER | CLONE_PIDFD | SIGCHLD | (unsigned long)st->op->b;
	siginfo_t info;
	int pidfd = -1;

	if (!x->in_shim || x->userns >= 0)
		return -EINVAL;
	long pid = syscall(SYS_clone, flags, NULL, &pidfd, NULL, 0);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		idle();
	int r = take_namespaces(x, st->op, (pid_t)pid, pidfd);
	kill((pid_t)pid, SIGKILL);
	waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
	close(pidfd);
	return r == 0 && st->op->b & CLONE_NEWNET ? process_own_netns(x) : r;
}

void userns_give_stdio(uint64_t first, bool tty)
{
	struct stat sb;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &sb) == 0 && (tty || S_ISFIFO(sb.st_mode)) &&
		    fchown(fd, (uid_t)first, tty ? (gid_t)-1 : (gid_t)first) < 0)
			return;
	}
}

int userns_become_root(void)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 ||
	    syscall(SYS_setresuid, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int op_enter(struct prog_run *x, const struct step *st)
{
	if (x->in_shim || x->userns < 0)
		return -EINVAL;
	userns_give_stdio(st->op->a, x->console >= 0);
	if (setns(x->userns, CLONE_NEWUSER) < 0 || unshare((int)st->op->b) < 0)
		return -errno;
	x->armed = false;
	return userns_become_root();
}
