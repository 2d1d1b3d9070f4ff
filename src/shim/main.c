/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orch-shim POD_RUN_DIR: the supervisor of one pod, started by orchd with its first connection as
 * descriptor 3. It prints nothing: its exit status is 1 when it could not start. Only SHIM_QUIT
 * and SIGKILL end it, and with it everything it has started.
 *
 * orch-shim PODS_DIR ROOM: where orchd has supervisors made (nursery.c).
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "shim/nursery.h"
#include "shim/shim.h"

/* Nothing inherited but the connection; 0 to 2 lead nowhere, and the number that programs know
 * the new network namespace by is taken. */
static int own_descriptors(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || close_range(SHIM_FD + 1, ~0U, 0) < 0)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		if (dup2(null, i) < 0 || fcntl(i, F_SETFD, 0) < 0)
			return -1;
	}
	if (dup3(null, PROG_NETNS_FD, O_CLOEXEC) < 0)
		return -1;
	if (null > SHIM_FD)
		close(null);
	return 0;
}

static void ignore_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

/* The pod's containers are to be killed first; a refusal (no CAP_SYS_RESOURCE) is fine. */
static void protect_from_oom(void)
{
	FD_AUTO fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "-999", 4);
}

/*
 * Named by hand, as the program is mostly run from a sealed copy, by a descriptor. Not dumpable: a
 * process that joins a container is for a moment visible there, and nobody inside may trace it or
 * open what it has open.
 */
static int become_supervisor(const char *dir)
{
	if (chdir(dir) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NAME, "orch-shim", 0, 0, 0) < 0)
		return -1;
	setsid();
	umask(0);
	ignore_signals();
	protect_from_oom();
	return 0;
}

/* The inherited connection; without one orchd connects to the socket. */
static void adopt_connection(struct shim *s)
{
	struct stat sb;

	if (fstat(SHIM_FD, &sb) < 0 || !S_ISSOCK(sb.st_mode))
		return;
	fcntl(SHIM_FD, F_SETFD, FD_CLOEXEC);
	fcntl(SHIM_FD, F_SETFL, O_NONBLOCK);
	server_add(s, SHIM_FD);
}

int main(int argc, char **argv)
{
	struct shim s = { .state_fd = -1, .userns = -1, .host_mounts = -1,
			  .pause = { .pidfd = -1, .own_ns = -1 } };
	const char *dir = argv[1];
	char given[PATH_MAX];

	if (argc == 3) {
		if (nursery_run(argv, given, sizeof(given)) < 0)
			return 0;
		dir = given;
	} else if (argc != 2) {
		return 1;
	}
	if (own_descriptors() < 0 || become_supervisor(dir) < 0 || shim_init(&s) < 0)
		return 1;
	adopt_connection(&s);
	return shim_run(&s) < 0;
}
