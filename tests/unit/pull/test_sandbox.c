/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fetcher's cage from inside: a process enters it and tries what a fetcher that somebody has
 * taken over would try. Each attempt has the error by which the cage refuses it, so that another
 * obstacle (an owner, a mode) does not count. Entering needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "pull/sandbox.h"

#define NOBODY 65533
#define ENTER_FAILED 101

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	return fd < 0 ? errno : (close(fd), 0);
}

static int read_passwd(void) { return try_open("/etc/passwd", O_RDONLY); }
static int read_root(void) { return try_open("/", O_RDONLY | O_DIRECTORY); }
static int read_hosts(void) { return try_open("/etc/hosts", O_RDONLY); }
static int make_file(void) { return try_open("/tmp/.orch-test-cage", O_WRONLY | O_CREAT); }
static int new_namespace(void) { return unshare(CLONE_NEWUSER) < 0 ? errno : 0; }
static int send_signal(void) { return kill(getpid(), 0) < 0 ? errno : 0; }

static int make_directory(void)
{
	return mkdir("/tmp/.orch-test-cage", 0700) < 0 ? errno : 0;
}

static int new_process(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? errno : 0;
}

static int execute(void)
{
	char *const none[] = { NULL };

	execve("/bin/true", none, none);
	return errno;
}

static int make_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : (close(fd), 0);
}

static int speak_unix(void) { return make_socket(AF_UNIX); }
static int speak_inet(void) { return make_socket(AF_INET); }

static int serve(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(50999) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;

	close(fd);
	return r;
}

static const struct attempt {
	const char *what;
	int (*does)(void);
	int error;
	int landlock;		/* the oldest version that refuses it; 0: seccomp does */
} attempts[] = {
	{ "read what is needed for names", read_hosts, 0, 0 },
	{ "speak with a registry", speak_inet, 0, 0 },
	{ "read another file that all may read", read_passwd, EACCES, 1 },
	{ "list a directory", read_root, EACCES, 1 },
	{ "make a file where all may", make_file, EACCES, 1 },
	{ "make a directory where all may", make_directory, EPERM, 0 },
	{ "serve", serve, EACCES, 4 },
	{ "speak with a process of this machine", speak_unix, EPERM, 0 },
	{ "start a process", new_process, EPERM, 0 },
	{ "execute a program", execute, EPERM, 0 },
	{ "make a namespace", new_namespace, EPERM, 0 },
	{ "send a signal", send_signal, EPERM, 0 },
};

static int landlock_version(void)
{
	int r = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return r < 0 ? 0 : r;
}

/* In a process of its own, which tells the error by its exit status. */
static int in_the_cage(const struct attempt *a)
{
	struct err err = { 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sandbox_enter(NOBODY, &err) < 0 ? ENTER_FAILED : a->does());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_what_a_fetcher_cannot_do(void **state)
{
	int version = landlock_version();
	unsigned faults = 0;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const struct attempt *a = &attempts[i];
		int error = a->landlock <= version ? in_the_cage(a) : a->error;

		if (error != a->error) {
			print_error("%s: %d instead of %d\n", a->what, error, a->error);
			faults++;
		}
	}
	assert_int_equal(faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_a_fetcher_cannot_do) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
