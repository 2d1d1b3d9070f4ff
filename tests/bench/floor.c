/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: what it costs when only the kernel works. For each of N pods, in the order that
 * measures best: cgroup with limits, network namespace, veth pair in one request with its peer
 * born inside, addresses and routes, overlayfs, the full mount set of a container, exec of a
 * static program that says it runs by one line on its standard output. No daemon, no shim, no
 * logs, no seccomp. With orch it shares the netlink messages of room net and the control groups of
 * room sys, nothing else.
 *
 *	floor N LOWER SCRATCH PROGRAM	prints pods/s for N pods in a row, what each took of a
 *					processor, and how long, in microseconds, single ones took
 *					(from clone to first instruction)
 *
 * Run it in a network and mount namespace of its own; it leaves its cgroups removed.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"
#include "net/net.h"
#include "shim/program.h"
#include "sys/cgroup.h"
#include "sys/netlink.h"

struct floor {
	struct net *net;
	struct cgroup_fs *cg;
	const char *lower, *scratch, *program;
	int host_netlink;
	int ready[2];
	pid_t *pids;
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void must(int r, const char *what)
{
	if (r < 0)
		die(what);
}

static void send_messages(int fd, const struct buf *m)
{
	char ack[8192];
	size_t sent = 0;

	while (sent < m->len) {
		uint32_t len = *(const uint32_t *)(m->data + sent);

		must((int)send(fd, m->data + sent, len, 0), "netlink send");
		must((int)recv(fd, ack, sizeof(ack), 0), "netlink recv");
		int error = *(const int *)(ack + 16);
		if (error && error != -EEXIST) {
			errno = -error;
			die("netlink");
		}
		sent += (len + 3) & ~3u;
	}
}

static void network(struct floor *f, uint32_t ip)
{
	BUF_AUTO host = { 0 };
	BUF_AUTO pod = { 0 };

	net_pod_link(f->net, ip, PROG_NETNS_FD, &host, &pod);
	must(unshare(CLONE_NEWNET), "unshare net");
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	must(dup3(ns, PROG_NETNS_FD, O_CLOEXEC), "netns");
	send_messages(f->host_netlink, &host);
	int inside = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	send_messages(inside, &pod);
	close(inside);
	close(ns);
	close(PROG_NETNS_FD);
}

static void node(const char *path, int minor_number)
{
	must(mknod(path, S_IFCHR | 0666, makedev(1, (unsigned)minor_number)), path);
}

#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static void mount_at(const char *target, const char *type, unsigned long flags, const char *data)
{
	must(mount(type, target, type, flags, data), target);
}

static void mounts(struct floor *f, int i)
{
	char dir[256], opts[1024];
	static const char *const masked[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys" };

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	snprintf(dir, sizeof(dir), "%s/%d/rootfs", f->scratch, i);
	snprintf(opts, sizeof(opts), "lowerdir=%s,upperdir=%s/%d/upper,workdir=%s/%d/work,volatile",
		 f->lower, f->scratch, i, f->scratch, i);
	must(mount("overlay", dir, "overlay", 0, opts), "overlay");
	must(chdir(dir), dir);
	mount_at("proc", "proc", QUIET, NULL);
	mount_at("dev", "tmpfs", MS_NOSUID, "mode=755,size=64k");
	node("dev/null", 3);
	node("dev/zero", 5);
	node("dev/full", 7);
	node("dev/random", 8);
	node("dev/urandom", 9);
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	mount_at("dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666");
	mount_at("dev/shm", "tmpfs", QUIET, "size=64m");
	mount_at("dev/mqueue", "mqueue", QUIET, NULL);
	mount_at("sys", "sysfs", QUIET | MS_RDONLY, NULL);
	for (size_t m = 0; m < ARRAY_SIZE(masked); m++) {
		must(mount(masked[m], masked[m], NULL, MS_BIND | MS_REC, NULL), masked[m]);
		must(mount(NULL, masked[m], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), masked[m]);
	}
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "/");
}

/* The child: PID 1 of its pod after the second clone; everything in place, then exec. */
static void become(struct floor *f, int i, uint32_t ip, const struct cgroup_entry *cg)
{
	for (unsigned t = 0; t < cg->ntasks; t++) {
		int tasks = open(cg->tasks[t], O_WRONLY | O_CLOEXEC);

		must((int)write(tasks, "0", 1), cg->tasks[t]);
		close(tasks);
	}
	network(f, ip);
	must(unshare(CLONE_NEWCGROUP), "cgroup ns");
	must(sethostname("floor", 5), "hostname");
	mounts(f, i);
	must(dup2(f->ready[1], STDOUT_FILENO), "stdout");
	execl(f->program, f->program, "start", NULL);
	die("exec");
}

static pid_t clone_into(const char *cgroup_dir)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
		uint64_t set_tid, set_tid_size, cgroup;
	} args = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC,
		   .exit_signal = SIGCHLD };
	int dir = *cgroup_dir ? open(cgroup_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir >= 0) {
		args.flags |= 0x200000000ULL;	/* CLONE_INTO_CGROUP */
		args.cgroup = (uint64_t)dir;
	}
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (dir >= 0)
		close(dir);
	return pid;
}

static void start(struct floor *f, int i)
{
	struct cgroup_limits limits = { .cpu_milli = 500, .cpu_request = 100, .memory = 64 << 20 };
	struct cgroup_entry entry;
	struct err err = { 0 };
	char path[256];
	uint32_t ip;

	snprintf(path, sizeof(path), "pod%d", i);
	if (cgroup_ensure(f->cg, path, &limits, true, &err) < 0 ||
	    net_addr_alloc(f->net, &ip, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(EXIT_FAILURE);
	}
	cgroup_entry(f->cg, path, &entry);
	static const char *const dirs[] = { "", "/upper", "/work", "/rootfs" };
	for (size_t d = 0; d < ARRAY_SIZE(dirs); d++) {
		snprintf(path, sizeof(path), "%s/%d%s", f->scratch, i, dirs[d]);
		must(mkdir(path, 0755), path);
	}
	f->pids[i] = clone_into(entry.dir);
	must(f->pids[i], "clone3");
	if (f->pids[i] == 0)
		become(f, i, ip, &entry);
}

static void wait_ready(struct floor *f, int n)
{
	char c[4096];

	while (n > 0) {
		ssize_t r = read(f->ready[0], c, sizeof(c));

		must((int)r, "ready");
		for (ssize_t i = 0; i < r; i++)
			n -= c[i] == '\n';
	}
}

static void stop(struct floor *f, int from, int to)
{
	char path[256];

	for (int i = from; i < to; i++)
		kill(f->pids[i], SIGKILL);
	for (int i = from; i < to; i++) {
		waitpid(f->pids[i], NULL, 0);
		snprintf(path, sizeof(path), "pod%d", i);
		cgroup_remove(f->cg, path, NULL);
	}
}

/* What the floor and what became of its children have computed so far, in milliseconds. */
static double cpu_ms(const struct floor *f, int n)
{
	double sum = 0;

	for (int i = -1; i < n; i++) {
		BUF_AUTO text = { 0 };
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/schedstat", i < 0 ? getpid() : f->pids[i]);
		if (file_read(path, 256, &text, NULL) == 0)
			sum += strtod(buf_str(&text), NULL) / 1e6;
	}
	return sum;
}

#define SINGLES 35

/* Prints how long each took, in microseconds. */
static void one_by_one(struct floor *f, int from)
{
	for (int i = 0; i < SINGLES; i++) {
		int64_t begin = time_mono();

		start(f, from + i);
		wait_ready(f, 1);
		printf("%s%.0f", i ? ", " : "", (double)(time_mono() - begin) / 1000);
		stop(f, from + i, from + i + 1);
		usleep(50000);		/* a lone pod meets a quiet machine */
	}
}

int main(int argc, char **argv)
{
	struct net_settings settings = { .table = "orch_floor" };
	struct floor f = { 0 };
	struct err err = { 0 };
	char root[64];

	if (argc != 5) {
		fprintf(stderr, "usage: floor N LOWER SCRATCH PROGRAM\n");
		return 2;
	}
	int n = atoi(argv[1]);
	f.lower = argv[2];
	f.scratch = argv[3];
	f.program = argv[4];
	f.pids = calloc((size_t)n + SINGLES, sizeof(*f.pids));
	cidr4_parse("10.201.0.0/16", &settings.pod_cidr);
	cidr4_parse("10.202.0.0/16", &settings.service_cidr);
	snprintf(root, sizeof(root), "orch-floor-%d", getpid());
	if (net_new(&settings, &f.net, &err) < 0 || cgroup_fs_new(root, &f.cg, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return EXIT_FAILURE;
	}
	f.host_netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	must(pipe(f.ready), "pipe");

	double idle = cpu_ms(&f, 0);
	int64_t begin = time_mono();
	for (int i = 0; i < n; i++)
		start(&f, i);
	wait_ready(&f, n);
	double seconds = (double)(time_mono() - begin) / NSEC;
	double cpu = (cpu_ms(&f, n) - idle) / n;
	stop(&f, 0, n);
	printf("{\"pods_per_s\": %.1f, \"cpu_ms\": %.3f, \"one_pod_us\": [", n / seconds, cpu);
	one_by_one(&f, n);
	printf("]}\n");
	cgroup_remove(f.cg, "", NULL);
	net_clear(f.net, NULL);
	return EXIT_SUCCESS;
}
