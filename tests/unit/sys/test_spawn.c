/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real children, and what they see: descriptors, directory, session, signals, environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "sys/spawn.h"

static int wait_child(pid_t pid, int pidfd)
{
	siginfo_t info = { 0 };

	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	assert_int_equal(info.si_pid, pid);
	close(pidfd);
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* Runs sh -c script; what it prints is returned in out. */
static int run(const char *script, struct spawn s, char *out, size_t n)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct err err = { 0 };
	int p[2], pidfd = -1;
	pid_t pid = -1;
	ssize_t got;
	size_t len = 0;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	s.path = "/bin/sh";
	s.argv = argv;
	s.fds[0] = -1;
	s.fds[1] = p[1];
	s.fds[2] = -1;
	s.nfds = MAX(s.nfds, 3U);
	assert_int_equal(spawn(&s, &pid, &pidfd, &err), 0);
	close(p[1]);
	while ((got = read(p[0], out + len, n - 1 - len)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	close(p[0]);
	return wait_child(pid, pidfd);
}

static void test_output_and_exit_code(void **state)
{
	char out[256];

	(void)state;
	assert_int_equal(run("echo hello; exit 7", (struct spawn){ 0 }, out, sizeof(out)), 7);
	assert_string_equal(out, "hello\n");
}

static void test_environment_and_directory(void **state)
{
	const char *envp[] = { "A=b c", NULL };
	char out[256];

	(void)state;
	assert_int_equal(run("echo \"$A,$HOME\"; pwd", (struct spawn){ .envp = envp, .cwd = "/usr" },
			     out, sizeof(out)), 0);
	assert_string_equal(out, "b c,\n/usr\n");
}

/* Descriptors that swap places, and one that was opened without O_CLOEXEC. */
static void test_descriptors(void **state)
{
	struct spawn s = { .nfds = 5 };
	char out[256];
	int leak = open("/dev/zero", O_RDONLY), a = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(leak >= 0 && a >= 0);
	s.fds[3] = a;
	s.fds[4] = -1;
	assert_int_equal(run("cd /proc/self/fd; for f in 0 3 4; do readlink $f; done; "
			     "set -- [0-9]*; echo $#", s, out, sizeof(out)), 0);
	close(leak);
	close(a);
	/* 0 to 4, and nothing else but what the shell itself opens to read the directory */
	assert_true(streq(out, "/dev/null\n/etc/passwd\n/dev/null\n5\n") ||
		    streq(out, "/dev/null\n/etc/passwd\n/dev/null\n6\n"));
}

static void test_signals_are_default(void **state)
{
	sigset_t set, old;
	char out[256];

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run("grep -E 'SigBlk|SigIgn' /proc/self/status", (struct spawn){ 0 }, out,
			     sizeof(out)), 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void test_session(void **state)
{
	char out[256];

	(void)state;
	/* field 6 of stat is the session, field 1 the pid */
	assert_int_equal(run("read -r pid _ _ _ _ session _ </proc/$$/stat; [ $pid = $session ]",
			     (struct spawn){ .session = true }, out, sizeof(out)), 0);
	assert_int_equal(run("read -r pid _ _ _ _ session _ </proc/$$/stat; [ $pid = $session ]",
			     (struct spawn){ 0 }, out, sizeof(out)), 1);
}

static void test_failures(void **state)
{
	const char *argv[] = { "x", NULL };
	struct spawn s = { .path = "/nonexistent/program", .argv = argv, .fds = { -1 }, .nfds = 1 };
	struct err err = { 0 };
	int pidfd = -7;
	pid_t pid = -7;

	(void)state;
	assert_int_equal(spawn(&s, &pid, &pidfd, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/program"));
	assert_int_equal(pid, -7);
	assert_int_equal(pidfd, -7);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);	/* nothing left to reap */

	s.path = "/bin/true";
	s.cwd = "/nonexistent";
	assert_int_equal(spawn(&s, &pid, &pidfd, &err), -ENOENT);
	s.cwd = NULL;
	s.cgroup_dir = "/nonexistent";
	assert_int_equal(spawn(&s, &pid, &pidfd, &err), -ENOENT);
	s.cgroup_dir = "/tmp";
	assert_int_equal(spawn(&s, &pid, &pidfd, &err), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_exit_code),
		cmocka_unit_test(test_environment_and_directory),
		cmocka_unit_test(test_descriptors), cmocka_unit_test(test_signals_are_default),
		cmocka_unit_test(test_session), cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
