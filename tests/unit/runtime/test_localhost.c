/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seccomp profiles of the node: what the kernel refuses with them, and what is said of wrong ones. */
#include "fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/localhost.h"
#include "sys/privilege.h"

static int compile(const char *text, uint64_t caps, struct buf *out, struct err *err)
{
	char dir[] = "/tmp/orch-localhost.XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/seccomp", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/seccomp/p.json", dir);
	if (text)
		assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), 0);
	int r = localhost_profile(dir, "p.json", caps, out, err);
	assert_int_equal(file_rm_rf(dir, NULL), 0);
	return r;
}

/* The errno of umask(mask), as umask 0, below the filter; -1 when it is killed. */
static int try_umask(const struct buf *code, unsigned mask)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(code->len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)code->data,
	};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
			_exit(255);
		errno = 0;
		syscall(SYS_umask, mask);	/* libc takes it for granted */
		syscall(SYS_exit_group, errno);	/* what a sanitizer asks for in _exit() may be refused */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define ALL_BUT(rules) "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [" rules "]}"
#define UMASK(more) "{\"names\": [\"umask\", \"no_such_call\"], \"action\": \"SCMP_ACT_ERRNO\"" more "}"
#define COND(op, value, more) "{\"index\": 0, \"value\": " value ", \"op\": \"SCMP_CMP_" op "\"" more "}"

static const struct {
	const char *text;
	uint64_t caps;
	unsigned mask;
	int expected;
} rows[] = {
	{ ALL_BUT(""), 0, 7, 0 },
	{ ALL_BUT(UMASK("")), 0, 7, EPERM },
	{ ALL_BUT(UMASK(", \"errnoRet\": 38")), 0, 7, ENOSYS },
	{ ALL_BUT(UMASK(", \"args\": [" COND("EQ", "7", "") "]")), 0, 7, EPERM },
	{ ALL_BUT(UMASK(", \"args\": [" COND("EQ", "7", "") "]")), 0, 6, 0 },
	/* several for one argument: any */
	{ ALL_BUT(UMASK(", \"args\": [" COND("EQ", "7", "") ", " COND("EQ", "6", "") "]")), 0, 6,
	  EPERM },
	{ ALL_BUT(UMASK(", \"args\": [" COND("MASKED_EQ", "3", ", \"valueTwo\": 2") "]")), 0, 6,
	  EPERM },
	{ ALL_BUT(UMASK(", \"args\": [" COND("MASKED_EQ", "3", ", \"valueTwo\": 2") "]")), 0, 7, 0 },
	{ ALL_BUT(UMASK(", \"includes\": {\"caps\": [\"CAP_CHOWN\"]}")), 0, 7, 0 },
	{ ALL_BUT(UMASK(", \"includes\": {\"caps\": [\"CAP_CHOWN\"]}")), 1, 7, EPERM },
	{ ALL_BUT(UMASK(", \"excludes\": {\"caps\": [\"CAP_CHOWN\"]}")), 1, 7, 0 },
	{ ALL_BUT(UMASK(", \"excludes\": {\"caps\": [\"CAP_CHOWN\"]}")), 0, 7, EPERM },
	{ ALL_BUT(UMASK(", \"includes\": {\"minKernel\": \"4.8\"}")), 0, 7, EPERM },
	{ ALL_BUT(UMASK(", \"includes\": {\"minKernel\": \"99.0\"}")), 0, 7, 0 },
	{ ALL_BUT(UMASK(", \"includes\": {\"arches\": [\"s390x\"]}")), 0, 7, 0 },
	{ ALL_BUT("{\"name\": \"umask\", \"action\": \"SCMP_ACT_KILL_PROCESS\", \"args\": null}"), 0, 7,
	  -1 },
	{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"archMap\": [{"
	  "\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\"]}], "
	  "\"syscalls\": [{\"names\": [\"exit_group\"], \"action\": \"SCMP_ACT_ALLOW\"}]}", 0, 7,
	  ENOSYS },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		BUF_AUTO code = { 0 };
		struct err err = { 0 };

		if (compile(rows[i].text, rows[i].caps, &code, &err) < 0)
			fail_msg("%zu: %s", i, err.msg);
		int got = try_umask(&code, rows[i].mask);
		if (got != rows[i].expected)
			fail_msg("%zu: %d, not %d", i, got, rows[i].expected);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *said;
	} wrong[] = {
		{ NULL, "No such file or directory" },
		{ "{", "p.json:2:1: " },
		{ "", "no profile" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n \"syscall\": []}",
		  "p.json:2:2: unknown field \"syscall\"; did you mean \"syscalls\"?" },
		{ "{}", "defaultAction" },
		{ "{\"defaultAction\": \"ALLOW\"}", "unknown action \"ALLOW\"" },
		{ "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "unknown action" },
		{ ALL_BUT("{\"names\": [\"read\"], \"action\": \"x\"}"), "syscalls[0]: unknown action" },
		{ ALL_BUT(UMASK(", \"args\": [" COND("IS", "1", "") "]")), "unknown comparison" },
		{ ALL_BUT(UMASK(", \"args\": [{\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]")),
		  "6 is not in 0-5" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		BUF_AUTO code = { 0 };
		struct err err = { 0 };

		assert_true(compile(wrong[i].text, 0, &code, &err) < 0);
		if (!strstr(err.msg, wrong[i].said) || strncmp(err.msg, "seccomp profile: ", 17) != 0)
			fail_msg("%zu: %s", i, err.msg);
		assert_int_equal(code.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules), cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
