/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "orch-probe escape MARKER": the classic ways out of a container, each tried in a child, with one
 * line NAME=ERRNO or NAME=OK for what the kernel said; OK is what should not be. MARKER is the path
 * of a file of the node that the container has no business with. Where a way in would be a way to
 * break the machine that the tests run on, the attempt stops at the open door: nothing is written
 * that was not there before.
 */
#include "escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ZERO makedev(1, 5)

static const char *marker = "/";

static long failed(int error)
{
	errno = error;
	return -1;
}

/* ---- files of the kernel ---- */

static const char *const doors[] = {
	"/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
	"/proc/sys/vm/drop_caches", "/proc/sys/fs/binfmt_misc/register", "/proc/irq/0/smp_affinity",
	"/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/power/state", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent",
	"/sys/fs/cgroup/pids/notify_on_release", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
	"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs",
	"/sys/fs/cgroup/memory.max", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/sda",
	"/dev/vda", "/dev/loop-control", "/dev/fuse", "/dev/net/tun", "/dev/tty0", "/dev/console",
};

/* Masked: what can be read of them is nothing. */
static const char *const secrets[] = {
	"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/interrupts",
	"/proc/kmsg", "/proc/latency_stats", "/sys/firmware/memmap/0/start",
};

static void tell(const char *name, long r)
{
	printf("%s=%s\n", name, r < 0 ? strerrorname_np(errno) : "OK");
}

static void try_doors(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		int fd = open(doors[i], O_WRONLY | O_CLOEXEC);

		tell(doors[i], fd);
		if (fd >= 0)
			close(fd);
	}
}

static void try_secrets(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		int fd = open(secrets[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		char byte;
		ssize_t n = fd < 0 ? -1 : read(fd, &byte, 1);

		tell(secrets[i], n == 0 ? failed(ENODATA) : n);
		if (fd >= 0)
			close(fd);
	}
}

/* ---- devices ---- */

/* The node's zero stands for its disks. */
static long open_device(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/.escape", dir);
	if (mknod(path, S_IFCHR | 0666, ZERO) < 0)
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = errno;

	unlink(path);
	return fd < 0 ? failed(error) : fd;
}

static long device_in_tmp(void) { return open_device("/tmp"); }
static long device_in_dev(void) { return open_device("/dev"); }
static long device_in_shm(void) { return open_device("/dev/shm"); }
static long device_in_root(void) { return open_device("/"); }
static long device_in_volume(void) { return open_device("/volume"); }

/* ---- mounts ---- */

static long mount_tmpfs(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static long mount_proc(void) { return mount("proc", "/tmp", "proc", 0, NULL); }
/* Who has a cgroup namespace may mount what is below its group, but that is the node's. */
static long mount_cgroup(void)
{
	if (mount("none", "/tmp", "cgroup", 0, "memory") < 0)
		return -1;
	int fd = open("/tmp/release_agent", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? open("/tmp/memory.limit_in_bytes", O_WRONLY | O_CLOEXEC) : fd;
}

static long bind_root(void) { return mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL); }
static long remount_sys(void) { return mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long remount_proc(void) { return mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long unmask(void) { return umount2("/proc/kcore", MNT_DETACH); }
static long shared_root(void) { return mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL); }
static long pivot(void) { return chdir("/") < 0 ? -1 : syscall(SYS_pivot_root, ".", "."); }
static long fs_open(void) { return fsopen("tmpfs", 0); }
static long tree_open(void) { return open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE); }

static long set_attr(void)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	return mount_setattr(AT_FDCWD, "/proc/sys", 0, &attr, sizeof(attr));
}

/* ---- out of the root ---- */

static long sees_marker(const char *root)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, marker);
	return access(path, F_OK);
}

static long by_path(void) { return sees_marker("/../../../../../../.."); }
static long by_init_root(void) { return sees_marker("/proc/1/root"); }
static long by_init_cwd(void) { return sees_marker("/proc/1/cwd/../../../../../.."); }
static long by_link(void) { return symlink("/", "/tmp/.out") < 0 && errno != EEXIST ? -1 : sees_marker("/tmp/.out"); }

/* chroot(2) moves the root below the working directory, which then is outside of it. */
static long by_chroot(void)
{
	if ((mkdir("/tmp/.jail", 0755) < 0 && errno != EEXIST) || chroot("/tmp/.jail") < 0)
		return -1;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return -1;
	return chroot(".") < 0 ? -1 : sees_marker("");
}

/* Any descriptor that was left open. */
static long by_descriptor(void)
{
	char root[64];

	for (int fd = 3; fd < 1024; fd++) {
		snprintf(root, sizeof(root), "/proc/self/fd/%d/../../../../../..", fd);
		if (sees_marker(root) == 0)
			return 0;
	}
	return failed(ENOENT);
}

/* The root directory of most file systems has inode number 2. */
static long by_handle(void)
{
	struct {
		struct file_handle head;
		uint32_t ino[2];
	} h = { .head = { .handle_bytes = 8, .handle_type = 1 }, .ino = { 2, 0 } };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return open_by_handle_at(root, &h.head, O_RDONLY);
}

/* ---- namespaces ---- */

static long new_user(void) { return unshare(CLONE_NEWUSER); }
static long new_mounts(void) { return unshare(CLONE_NEWNS); }

static long new_clone(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		_exit(0);
	return pid;
}

static long new_clone3(void)
{
	struct { uint64_t flags, v[10]; } a = { .flags = CLONE_NEWUSER };

	long pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid == 0)
		_exit(0);
	return pid;
}

static long enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : setns(fd, 0);
}

static long enter_mnt(void) { return enter("/proc/1/ns/mnt"); }
static long enter_net(void) { return enter("/proc/1/ns/net"); }
static long enter_pid(void) { return enter("/proc/1/ns/pid"); }

static long enter_parent(void)
{
	long fd = syscall(SYS_pidfd_open, 1, 0);

	return fd < 0 ? -1 : setns((int)fd, CLONE_NEWNS);
}

/* ---- other processes: the first one is the pod's when its containers share theirs ---- */

static long trace(void) { return ptrace(PTRACE_SEIZE, getppid() > 1 ? 1 : getppid(), NULL, NULL); }
static long open_memory(void) { return open("/proc/1/mem", O_RDWR | O_CLOEXEC); }
static long open_exe(void) { return open("/proc/1/exe", O_RDONLY | O_CLOEXEC); }
static long list_descriptors(void) { return open("/proc/1/fd/3", O_RDONLY | O_CLOEXEC); }

static long read_memory(void)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)0x400000, 1 };

	return process_vm_readv(1, &to, 1, &from, 1, 0);
}

static long take_descriptor(void)
{
	long fd = syscall(SYS_pidfd_open, 1, 0);

	return fd < 0 ? -1 : syscall(SYS_pidfd_getfd, fd, 0, 0);
}

/* ---- the kernel ---- */

static long keyrings(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1); }
static long new_key(void) { return syscall(SYS_add_key, "user", "escape", "x", 1, KEY_SPEC_SESSION_KEYRING); }
static long find_key(void) { return syscall(SYS_request_key, "user", "escape", NULL, KEY_SPEC_SESSION_KEYRING); }
static long bpf(void) { uint32_t attr[16] = { 2, 4, 4, 1 }; return syscall(SYS_bpf, 0, attr, sizeof(attr)); }
static long perf(void) { uint32_t attr[32] = { 1, sizeof(attr) }; return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0); }
static long fault(void) { return syscall(SYS_userfaultfd, 0); }
static long ring(void) { char p[256] = { 0 }; return syscall(SYS_io_uring_setup, 1, p); }
static long log_of_kernel(void) { char text[16]; return syscall(SYS_syslog, 3, text, sizeof(text)); }
static long ports(void) { return syscall(SYS_iopl, 3); }
static long module(void) { return syscall(SYS_finit_module, 0, "", 0); }
static long clock_set(void) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); return clock_settime(CLOCK_REALTIME, &now); }
static long host_name(void) { return sethostname("escaped", 7); }
static long type_ahead(void) { int fd = open("/dev/tty", O_RDWR | O_CLOEXEC); return fd < 0 ? -1 : ioctl(fd, TIOCSTI, "x"); }

static const struct {
	const char *name;
	long (*call)(void);
} attempts[] = {
#define TRY(name) { #name, name }
	TRY(device_in_tmp), TRY(device_in_dev), TRY(device_in_shm), TRY(device_in_root),
	TRY(device_in_volume), TRY(mount_tmpfs), TRY(mount_proc), TRY(mount_cgroup), TRY(bind_root),
	TRY(remount_sys), TRY(remount_proc), TRY(unmask), TRY(shared_root), TRY(pivot), TRY(fs_open),
	TRY(tree_open), TRY(set_attr), TRY(by_path), TRY(by_init_root), TRY(by_init_cwd),
	TRY(by_link), TRY(by_chroot), TRY(by_descriptor), TRY(by_handle), TRY(new_user),
	TRY(new_mounts), TRY(new_clone), TRY(new_clone3), TRY(enter_mnt), TRY(enter_net),
	TRY(enter_pid), TRY(enter_parent), TRY(trace), TRY(open_memory), TRY(open_exe),
	TRY(list_descriptors), TRY(read_memory), TRY(take_descriptor), TRY(keyrings), TRY(new_key),
	TRY(find_key), TRY(bpf), TRY(perf), TRY(fault), TRY(ring), TRY(log_of_kernel), TRY(ports),
	TRY(module), TRY(clock_set), TRY(host_name), TRY(type_ahead),
#undef TRY
};

/* This process may be the first of its namespace, which also inherits what an attempt left behind. */
void attempt(const char *name, long (*call)(void), int (*prepare)(void))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (prepare && prepare() < 0)
			_exit(1);
		errno = 0;
		tell(name, call());
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s=SIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
}

int escape(int argc, char **argv)
{
	if (argc > 2)
		marker = argv[2];
	try_doors();
	try_secrets();
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		attempt(attempts[i].name, attempts[i].call, NULL);
	return 0;
}

/* ---- programs that are not the container's ---- */

/* Opens what a process executes and then tries to write to it: the way of CVE-2019-5736. */
static void overwrite(const char *pid)
{
	char path[64], copy[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		tell("exe", -1);
		return;
	}
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	printf("target=%s\n", target);
	snprintf(copy, sizeof(copy), "/proc/self/fd/%d", fd);
	int again = open(copy, O_RDWR | O_CLOEXEC);
	tell("write", again < 0 ? -1 : pwrite(again, "\177ELF", 4, 0));
	tell("truncate", truncate(copy, 0));
	close(fd);
}

/* "exe PID..." at once; "exe" alone: until it is killed, of every process that comes and goes. */
int escape_exe(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		overwrite(argv[i]);
	while (argc == 2) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		while (d && (e = readdir(d))) {
			char path[300], target[PATH_MAX];

			snprintf(path, sizeof(path), "/proc/%s/exe", e->d_name);
			ssize_t n = e->d_name[0] > '0' && e->d_name[0] <= '9' ?
					    readlink(path, target, sizeof(target) - 1) : -1;
			if (n > 0 && memmem(target, (size_t)n, "orch-shim", 9)) {
				printf("seen=%.*s\n", (int)n, target);
				overwrite(e->d_name);
				fflush(stdout);
			}
		}
		if (d)
			closedir(d);
	}
	return 0;
}
