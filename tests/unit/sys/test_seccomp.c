/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter is executed here by a small interpreter of classic BPF: what it answers is what the
 * kernel would do, for every number, without installing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/macro.h"
#include "sys/privilege.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define ALLOW SECCOMP_RET_ALLOW
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

static unsigned steps;

static uint32_t bpf_run(const struct buf *filter, const struct seccomp_data *d)
{
	const struct sock_filter *f = (const struct sock_filter *)filter->data;
	size_t n = filter->len / sizeof(*f);
	uint32_t a = 0;

	steps = 0;
	for (size_t pc = 0;; pc++, steps++) {
		assert_true(pc < n);
		switch (f[pc].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f[pc].k + 4 <= sizeof(*d) && f[pc].k % 4 == 0);
			memcpy(&a, (const char *)d + f[pc].k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K: a &= f[pc].k; break;
		case BPF_JMP | BPF_JA: pc += f[pc].k; break;
		case BPF_JMP | BPF_JEQ | BPF_K: pc += a == f[pc].k ? f[pc].jt : f[pc].jf; break;
		case BPF_JMP | BPF_JGE | BPF_K: pc += a >= f[pc].k ? f[pc].jt : f[pc].jf; break;
		case BPF_JMP | BPF_JSET | BPF_K: pc += a & f[pc].k ? f[pc].jt : f[pc].jf; break;
		case BPF_RET | BPF_K: return f[pc].k;
		default: fail_msg("instruction %zu has code %#x", pc, f[pc].code);
		}
	}
}

static uint32_t ask(const struct buf *filter, uint32_t arch, int nr, uint64_t arg0)
{
	struct seccomp_data d = { .nr = nr, .arch = arch, .args = { arg0 } };

	return bpf_run(filter, &d);
}

static void filter_for(uint64_t caps, struct buf *ret)
{
	struct err err = { 0 };

	assert_int_equal(seccomp_default(caps, ret, &err), 0);
	assert_int_equal(ret->len % sizeof(struct sock_filter), 0);
}

static void test_allowed(void **state)
{
	static const int calls[] = {
		SYS_read, SYS_write, SYS_openat, SYS_close, SYS_mmap, SYS_execve, SYS_exit_group,
		SYS_futex, SYS_epoll_pwait, SYS_accept4, SYS_getrandom, SYS_rseq, SYS_statx,
		SYS_prlimit64, SYS_seccomp, SYS_faccessat2, SYS_openat2,
	};
	BUF_AUTO f = { 0 };

	(void)state;
	filter_for(cap_default_set(), &f);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (ask(&f, NATIVE, calls[i], 0) != ALLOW)
			fail_msg("call %d is not allowed", calls[i]);
}

static void test_refused(void **state)
{
	static const int calls[] = {
		SYS_mount, SYS_umount2, SYS_pivot_root, SYS_unshare, SYS_setns, SYS_reboot,
		SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_bpf,
		SYS_perf_event_open, SYS_swapon, SYS_sethostname, SYS_settimeofday, SYS_keyctl,
		SYS_add_key, SYS_open_by_handle_at, SYS_userfaultfd, SYS_io_uring_setup, SYS_acct,
		SYS_quotactl, SYS_fsopen, SYS_move_mount, SYS_open_tree, SYS_syslog,
	};
	BUF_AUTO f = { 0 };

	(void)state;
	filter_for(cap_default_set(), &f);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (ask(&f, NATIVE, calls[i], 0) != ERRNO(EPERM))
			fail_msg("call %d is not refused", calls[i]);
}

static void test_unknown(void **state)
{
	BUF_AUTO f = { 0 };

	(void)state;
	filter_for(cap_default_set(), &f);
	assert_int_equal(ask(&f, NATIVE, SYS_clone3, 0), ERRNO(ENOSYS));
	assert_int_equal(ask(&f, NATIVE, 511, 0), ERRNO(ENOSYS));
	assert_int_equal(ask(&f, NATIVE, 100000, 0), ERRNO(ENOSYS));
	assert_int_equal(ask(&f, NATIVE, -1, 0), ERRNO(ENOSYS));
	/* x32: the native architecture with bit 30; i386: another architecture */
	assert_int_equal(ask(&f, NATIVE, SYS_read | 0x40000000, 0), ERRNO(ENOSYS));
	assert_int_equal(ask(&f, AUDIT_ARCH_I386, SYS_read, 0), ERRNO(ENOSYS));
}

static void test_arguments(void **state)
{
	static const uint64_t spaces[] = {
		CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS,
		CLONE_NEWCGROUP,
	};
	BUF_AUTO f = { 0 };

	(void)state;
	filter_for(cap_default_set(), &f);
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		assert_int_equal(ask(&f, NATIVE, SYS_clone, spaces[i] | SIGCHLD), ERRNO(EPERM));
	assert_int_equal(ask(&f, NATIVE, SYS_clone, SIGCHLD), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_clone, 0x3d0f00), ALLOW);	/* pthread_create */

	assert_int_equal(ask(&f, NATIVE, SYS_socket, AF_INET), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_socket, AF_NETLINK), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_socket, AF_VSOCK), ERRNO(EPERM));
	assert_int_equal(ask(&f, NATIVE, SYS_socket, AF_ALG), ERRNO(EPERM));

	assert_int_equal(ask(&f, NATIVE, SYS_personality, 0), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_personality, 8), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_personality, 0x20008), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_personality, 0xffffffff), ALLOW);
	assert_int_equal(ask(&f, NATIVE, SYS_personality, 0x0040000), ERRNO(EPERM));
}

static void test_capabilities_widen(void **state)
{
	static const struct { int cap, call; } rows[] = {
		{ CAP_SYS_ADMIN, SYS_mount }, { CAP_SYS_ADMIN, SYS_unshare },
		{ CAP_SYS_ADMIN, SYS_clone3 }, { CAP_SYS_TIME, SYS_clock_settime },
		{ CAP_SYS_MODULE, SYS_init_module }, { CAP_BPF, SYS_bpf },
		{ CAP_SYS_BOOT, SYS_reboot }, { CAP_SYS_CHROOT, SYS_chroot },
		{ CAP_DAC_READ_SEARCH, SYS_open_by_handle_at }, { CAP_SYS_NICE, SYS_mbind },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		BUF_AUTO without = { 0 };
		BUF_AUTO with = { 0 };

		filter_for(0, &without);
		filter_for(1ULL << rows[i].cap, &with);
		assert_int_not_equal(ask(&without, NATIVE, rows[i].call, 0), ALLOW);
		assert_int_equal(ask(&with, NATIVE, rows[i].call, 0), ALLOW);
		if (rows[i].cap == CAP_SYS_ADMIN)
			assert_int_equal(ask(&with, NATIVE, SYS_clone, CLONE_NEWNS), ALLOW);
	}
}

/* The point of the search tree: no call takes long. */
static void test_depth(void **state)
{
	BUF_AUTO f = { 0 };
	unsigned most = 0;

	(void)state;
	filter_for(cap_default_set(), &f);
	for (int nr = 0; nr < 512; nr++) {
		ask(&f, NATIVE, nr, 0);
		most = MAX(most, steps);
	}
	assert_true(most <= 24);
	assert_true(f.len / sizeof(struct sock_filter) < 1000);
}

static int child_under(const struct buf *f)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(f->len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)f->data,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &prog))
		return 1;
	if (syscall(SYS_unshare, CLONE_NEWUSER) != -1 || errno != EPERM)
		return 2;
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return 3;
	if (syscall(SYS_getppid) <= 0)
		return 4;

	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? 5 : 0;
}

/* And what the kernel says to it. */
static void test_kernel(void **state)
{
	BUF_AUTO f = { 0 };
	int status;

	(void)state;
	filter_for(cap_default_set(), &f);

	pid_t pid = fork();

	if (pid == 0)
		_exit(child_under(&f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_capabilities_widen), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
