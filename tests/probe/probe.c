/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orch-probe: what a process inside a container sees and may do, for tests to compare with what
 * was asked for. Static, so that it runs in an empty image. The first argument names the verb;
 * facts are printed as key=value lines, a list has one line per element.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"

extern char **environ;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int usage(void);

/* ---- show ---- */

/* Copies the lines of a file, with a prefix. */
static void show_lines(const char *key, const char *path)
{
	char line[8192];
	FILE *f = fopen(path, "re");

	if (!f) {
		printf("%s=!%s\n", key, strerrorname_np(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		printf("%s=%s\n", key, line);
	}
	fclose(f);
}

/* Uid, Gid, Groups, the five capability sets, NoNewPrivs, Seccomp... as "status.Name=value". */
static void show_status(void)
{
	char line[1024];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char *value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, "\t ");
		value[strcspn(value, "\n")] = '\0';
		printf("status.%s=%s\n", line, value);
	}
	if (f)
		fclose(f);
}

static void show_namespaces(void)
{
	static const char *const names[] = { "mnt", "pid", "net", "uts", "ipc", "cgroup", "user" };
	char path[64], target[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("ns.%s=%s\n", names[i], target);
	}
}

static void show_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	char target[PATH_MAX];

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == dirfd(d))
			continue;
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("fd.%s=%s\n", e->d_name, target);
	}
	closedir(d);
}

static void show_rlimits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC }, { "core", RLIMIT_CORE },
		{ "stack", RLIMIT_STACK },   { "memlock", RLIMIT_MEMLOCK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit r;
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &r) == 0)
			printf("rlimit.%s=%llu %llu\n", limits[i].name,
			       (unsigned long long)r.rlim_cur, (unsigned long long)r.rlim_max);
	}
}

static void show_signals(void)
{
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int s = 1; s < 32; s++) {
		struct sigaction sa;
		if (sigismember(&blocked, s) == 1)
			printf("blocked=%s\n", sigabbrev_np(s));
		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			printf("ignored=%s\n", sigabbrev_np(s));
	}
}

static void show_process(int argc, char **argv)
{
	char text[PATH_MAX];
	int pdeathsig = 0;

	printf("pid=%d\nppid=%d\nsid=%d\n", getpid(), getppid(), getsid(0));
	printf("uid=%d\neuid=%d\ngid=%d\negid=%d\n", getuid(), geteuid(), getgid(), getegid());
	if (gethostname(text, sizeof(text)) == 0)
		printf("hostname=%s\n", text);
	if (getcwd(text, sizeof(text)))
		printf("cwd=%s\n", text);
	for (int i = 0; i < argc; i++)
		printf("arg=%s\n", argv[i]);
	for (char **e = environ; *e; e++)
		printf("env=%s\n", *e);
	mode_t mask = umask(0);
	umask(mask);
	printf("umask=%03o\n", mask);
	syscall(SYS_prctl, 2 /* PR_GET_PDEATHSIG */, &pdeathsig);
	printf("pdeathsig=%d\ntty=%d\n", pdeathsig, isatty(0));
}

static int show(int argc, char **argv)
{
	show_process(argc, argv);
	show_status();
	show_namespaces();
	show_fds();
	show_rlimits();
	show_signals();
	show_lines("mount", "/proc/self/mountinfo");
	show_lines("cgroup", "/proc/self/cgroup");
	show_lines("oom_score_adj", "/proc/self/oom_score_adj");
	show_lines("route", "/proc/net/route");
	show_lines("dev", "/proc/net/dev");
	return 0;
}

/*
 * ---- syscall: may it be called? ----
 *
 * Where success would change something, the arguments are such that a permitted call fails with
 * another error: ENODEV, EINVAL, EBADF.
 */

static long try_mount(void) { return mount("none", "/", "no-such-fs", 0, NULL); }
static long try_umount(void) { return umount2("/proc/self", MNT_DETACH); }
static long try_unshare(void) { return unshare(CLONE_NEWNS); }
static long try_userns(void) { return unshare(CLONE_NEWUSER); }
static long try_setns(void) { return setns(open("/proc/self/ns/mnt", O_RDONLY), 0); }
static long try_keyctl(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }
static long try_chroot(void) { return chroot("/"); }
static long try_mknod(void) { long r = mknod("/tmp/.probe", S_IFCHR | 0600, 0x103); return r ? r : unlink("/tmp/.probe"); }
static long try_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long try_bpf(void) { char attr[64] = { 0 }; return syscall(SYS_bpf, 5, attr, sizeof(attr)); }
static long try_reboot(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long try_settime(void) { return adjtimex(&(struct timex){ .modes = ADJ_TICK, .tick = 1 }); }
static long try_init_module(void) { return syscall(SYS_finit_module, -1, "", 0); }
static long try_kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_perf(void) { char attr[128] = { 0 }; return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0); }
static long try_sethostname(void) { return syscall(SYS_sethostname, "", -1); }
static long try_raw_socket(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long try_packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long try_io_uring(void) { char p[256] = { 0 }; return syscall(SYS_io_uring_setup, 1, p); }
static long try_nice(void) { return setpriority(PRIO_PROCESS, 0, -5); }
static long try_getpid(void) { return syscall(SYS_getpid); }

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{ "mount", try_mount },		{ "umount", try_umount },
	{ "unshare", try_unshare },	{ "userns", try_userns },
	{ "setns", try_setns },		{ "keyctl", try_keyctl },
	{ "chroot", try_chroot },	{ "mknod", try_mknod },
	{ "ptrace", try_ptrace },	{ "bpf", try_bpf },
	{ "reboot", try_reboot },	{ "settime", try_settime },
	{ "init_module", try_init_module }, { "kexec", try_kexec },
	{ "perf", try_perf },		{ "sethostname", try_sethostname },
	{ "raw_socket", try_raw_socket }, { "packet_socket", try_packet_socket },
	{ "io_uring", try_io_uring },	{ "nice", try_nice },
	{ "getpid", try_getpid },
};

/*
 * Each in a child: some of them would change what the next one finds. Where that is allowed the
 * child first leaves the mount and host name namespaces, so that even a verb that was run on a
 * host by mistake, or a row that was written carelessly, changes nothing that others see.
 */
static int leave_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 ? 0 :
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int try_syscalls(int argc, char **argv)
{
	for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
		bool named = argc < 3;
		for (int i = 2; i < argc; i++)
			named |= strcmp(argv[i], calls[c].name) == 0;
		if (named)
			attempt(calls[c].name, calls[c].call, leave_namespaces);
	}
	return 0;
}

/* ---- resources ---- */

static int alloc(int argc, char **argv)
{
	size_t mb = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

	for (size_t i = 0; i < mb; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) {
			printf("alloc=%s\n", strerrorname_np(errno));
			return 1;
		}
		memset(p, 1, 1 << 20);
	}
	printf("alloc=OK\n");
	fflush(stdout);
	if (argc > 3)		/* "hold" */
		pause();
	return 0;
}

static double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Burns CPU for so long and tells how much of it was given. */
static int spin(int argc, char **argv)
{
	double until = seconds(CLOCK_MONOTONIC) + (argc > 2 ? atof(argv[2]) : 1);

	while (seconds(CLOCK_MONOTONIC) < until)
		;
	printf("cpu=%.3f\n", seconds(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}

static int fork_many(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1, made = 0;

	for (; made < n; made++) {
		pid_t pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0) {
			printf("fork=%s\n", strerrorname_np(errno));
			break;
		}
	}
	printf("forked=%d\n", made);
	return 0;
}

/* ---- listen: a small HTTP server ---- */

static volatile sig_atomic_t asked_to_end;

static void on_term(int signo)
{
	(void)signo;
	asked_to_end = 1;
}

struct client {
	int fd;
	size_t n;
	char head[4096];
};

#define CLIENTS 4096

struct server {
	int fd;
	const char *text;
	char name[256];
	struct client *clients[CLIENTS];
	unsigned n;
};

static void drop_client(struct server *s, unsigned i)
{
	close(s->clients[i]->fd);
	free(s->clients[i]);
	s->clients[i] = s->clients[--s->n];
}

/* Answers one request; false: close. While ending it says so, and the client goes elsewhere. */
static bool respond(const struct server *s, struct client *c)
{
	char body[1024], answer[1536];
	bool bad = strncmp(c->head, "GET /fail", 9) == 0;
	bool close_it = asked_to_end || strcasestr(c->head, "\r\nConnection: close");
	int n = snprintf(body, sizeof(body), "%s %s\n", s->name, s->text);
	int m = snprintf(answer, sizeof(answer),
			 "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
			 "Connection: %s\r\n\r\n%s",
			 bad ? "503 Service Unavailable" : "200 OK", n,
			 close_it ? "close" : "keep-alive", body);

	return send(c->fd, answer, (size_t)m, MSG_NOSIGNAL) == m && !close_it;
}

static bool serve_client(const struct server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->head + c->n, sizeof(c->head) - 1 - c->n, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->n += (size_t)n;
	c->head[c->n] = '\0';
	for (char *end; (end = strstr(c->head, "\r\n\r\n"));) {
		if (!respond(s, c))
			return false;
		c->n -= (size_t)(end + 4 - c->head);
		memmove(c->head, end + 4, c->n + 1);
	}
	return c->n < sizeof(c->head) - 1;
}

static void accept_client(struct server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC), on = 1;
	struct client *c = fd < 0 || s->n == CLIENTS ? NULL : calloc(1, sizeof(*c));

	if (!c) {
		if (fd >= 0)
			close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	s->clients[s->n++] = c;
}

/* Ends once it was asked to and nobody is connected any more. */
static int serve(struct server *s)
{
	static struct pollfd polled[CLIENTS + 1];
	double patience = 0;

	while (!asked_to_end || s->n) {
		if (asked_to_end && !patience)
			patience = seconds(CLOCK_MONOTONIC) + 2;
		if (patience && seconds(CLOCK_MONOTONIC) > patience)
			break;
		unsigned n = s->n;
		for (unsigned i = 0; i < n; i++)
			polled[i] = (struct pollfd){ .fd = s->clients[i]->fd, .events = POLLIN };
		polled[n] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
		if (poll(polled, n + 1, 100) < 0 && errno != EINTR)
			return 1;
		for (unsigned i = n; i-- > 0;) {
			if (polled[i].revents && !serve_client(s, s->clients[i]))
				drop_client(s, i);
		}
		if (polled[n].revents)
			accept_client(s);
	}
	printf("ended\n");
	return 0;
}

/* listen PORT TEXT [--abrupt]: with it SIGTERM ends the process at once. */
static int listen_http(int argc, char **argv)
{
	static struct server s;
	struct sockaddr_in a = { .sin_family = AF_INET };
	int on = 1;

	if (argc < 4)
		return usage();
	a.sin_port = htons((uint16_t)atoi(argv[2]));
	s.text = argv[3];
	gethostname(s.name, sizeof(s.name) - 1);
	if (argc < 5 || strcmp(argv[4], "--abrupt") != 0)
		signal(SIGTERM, on_term);
	else
		signal(SIGTERM, _exit);
	s.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s.fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s.fd, 1024) < 0) {
		printf("listen=%s\n", strerrorname_np(errno));
		return 1;
	}
	printf("listening\n");
	fflush(stdout);
	return serve(&s);
}

/* ---- small ones ---- */

/* write-log N: numbered lines, every second one to stderr. */
static int write_log(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 10;

	for (long i = 0; i < n; i++)
		fprintf(i % 2 ? stderr : stdout, "line %ld\n", i);
	return 0;
}

/* flood BYTES [LINE]: lines of that length as fast as they are taken; 0: without any end. */
static int flood(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1 << 20;
	size_t line = argc > 3 ? strtoul(argv[3], NULL, 10) : 100;
	static char block[65536];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = !line || (i + 1) % line ? 'x' : '\n';
	size_t whole = line ? sizeof(block) / line * line : sizeof(block);
	while (n) {
		ssize_t w = write(1, block, n < whole ? n : whole);
		if (w < 0)
			return 1;
		n -= (size_t)w < n ? (size_t)w : n;
	}
	return 0;
}

static bool write_all(const char *data, size_t n)
{
	while (n) {
		ssize_t w = write(1, data, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return false;
		data += w;
		n -= (size_t)w;
	}
	return true;
}

/*
 * lines N [LONG_EVERY]: numbered lines of 100 bytes, every so many of 40,000 bytes, as fast as they
 * are taken. What follows the number is the number's last digit, so that a mix-up would show. SIGTERM
 * ends it sooner; the last line says how many there were.
 */
static int number_lines(int argc, char **argv)
{
	static char out[256 * 1024];
	size_t have = 0;
	long n = argc > 2 ? atol(argv[2]) : 1, long_every = argc > 3 ? atol(argv[3]) : 0, i;

	signal(SIGTERM, on_term);
	for (i = 0; i < n && !asked_to_end; i++) {
		size_t len = long_every && i % long_every == 0 ? 40000 : 100;
		char *line = out + have;
		snprintf(line, 16, "%09d ", (int)(i % 1000000000));
		memset(line + 10, '0' + (int)(i % 10), len - 11);
		line[len - 1] = '\n';
		have += len;
		if (have >= sizeof(out) - 65536) {
			if (!write_all(out, have))
				return 1;
			have = 0;
		}
	}
	have += (size_t)snprintf(out + have, 32, "end %ld\n", i);
	return !write_all(out, have);
}

/* ticker MICROSECONDS: a numbered line each so often, for ever. */
static int ticker(int argc, char **argv)
{
	char line[32];

	signal(SIGTERM, on_term);
	for (long i = 0; !asked_to_end; i++) {
		int n = snprintf(line, sizeof(line), "tick %ld\n", i);
		if (write(1, line, (size_t)n) != n)
			return 1;
		usleep(argc > 2 ? (useconds_t)atoi(argv[2]) : 1000);
	}
	return 0;
}

/* start: the time of the first instruction, for benchmarks; then nothing for ever. */
static int start(int argc, char **argv)
{
	struct timespec now;
	char line[32];

	(void)argc;
	(void)argv;
	clock_gettime(CLOCK_REALTIME, &now);
	int n = snprintf(line, sizeof(line), "%lld\n",
			 (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	if (write(1, line, (size_t)n) != n)
		return 1;
	signal(SIGTERM, on_term);
	while (!asked_to_end)
		pause();
	return 0;
}

static int exit_with(int argc, char **argv)
{
	return argc > 2 ? atoi(argv[2]) : 0;
}

/* As PID 1 it needs a handler to be asked at all. */
static int sleep_on(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[2], "--stubborn") == 0)
		signal(SIGTERM, SIG_IGN);
	else
		signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	printf("sleeping\n");
	fflush(stdout);
	while (!asked_to_end)
		pause();
	printf("woken\n");
	return 0;
}

/* orphans N: leaves N grandchildren to whoever reaps here. */
static int orphans(int argc, char **argv)
{
	for (int i = 0; i < (argc > 2 ? atoi(argv[2]) : 1); i++) {
		if (fork() == 0) {
			if (fork() == 0)
				usleep(1000);
			_exit(0);
		}
		wait(NULL);
	}
	return sleep_on(1, argv);
}

/* connect IP PORT: what a GET / there answers, or the error. */
static int connect_http(int argc, char **argv)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 2 };
	char answer[4096];

	if (argc < 4 || inet_pton(AF_INET, argv[2], &a.sin_addr) != 1)
		return usage();
	a.sin_port = htons((uint16_t)atoi(argv[3]));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
		printf("connect=%s\n", strerrorname_np(errno));
		return 1;
	}
	for (ssize_t n; (n = recv(fd, answer, sizeof(answer), 0)) > 0;)
		fwrite(answer, 1, (size_t)n, stdout);
	return 0;
}

static int read_file(int argc, char **argv)
{
	if (argc < 3)
		return usage();
	show_lines("line", argv[2]);
	return 0;
}

static int write_file(int argc, char **argv)
{
	if (argc < 4)
		return usage();
	int fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && write(fd, argv[3], strlen(argv[3])) >= 0;
	printf("write=%s\n", ok ? "OK" : strerrorname_np(errno));
	return !ok;
}

/* exists PATH: for exec probes. */
static int exists(int argc, char **argv)
{
	return argc < 3 || access(argv[2], F_OK) < 0;
}

static const struct {
	const char *name, *args;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "show", "", show },
	{ "syscall", "[NAME...]", try_syscalls },
	{ "alloc", "MB [hold]", alloc },
	{ "spin", "SECONDS", spin },
	{ "fork", "N", fork_many },
	{ "listen", "PORT TEXT [--abrupt]", listen_http },
	{ "connect", "IP PORT", connect_http },
	{ "write-log", "N", write_log },
	{ "flood", "BYTES [LINE]", flood },
	{ "lines", "N [LONG_EVERY]", number_lines },
	{ "ticker", "MICROSECONDS", ticker },
	{ "start", "", start },
	{ "exit", "CODE", exit_with },
	{ "sleep", "[--stubborn]", sleep_on },
	{ "orphans", "N", orphans },
	{ "read", "PATH", read_file },
	{ "write", "PATH TEXT", write_file },
	{ "exists", "PATH", exists },
	{ "escape", "MARKER", escape },
	{ "exe", "[PID...]", escape_exe },
};

static int usage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stderr, "orch-probe %s %s\n", verbs[i].name, verbs[i].args);
	return 2;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc, argv);
	}
	return usage();
}
