/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Room sys's control groups under the control of a test: cgroups ROOT, then one command a line
 * on stdin, one answer a line on stdout, "ok ..." or "error ...":
 *   ensure PATH LEAF CPU_MILLI CPU_REQUEST MEMORY PIDS | set PATH CPU_MILLI CPU_REQUEST MEMORY PIDS
 *   run PATH SHELL_COMMAND    (by spawn into the group; "ok PID")
 *   wait PID | usage PATH | kill PATH | remove PATH | list PATH | entry PATH | v2
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/macro.h"
#include "sys/cgroup.h"
#include "sys/spawn.h"

static int run_limits(struct cgroup_fs *fs, char *args, bool ensure, struct err *err)
{
	char path[256];
	long long cpu, request, memory, pids;
	int leaf = 0, n = -1;

	if (ensure)
		sscanf(args, "%255s %d %lld %lld %lld %lld%n", path, &leaf, &cpu, &request, &memory,
		       &pids, &n);
	else
		sscanf(args, "%255s %lld %lld %lld %lld%n", path, &cpu, &request, &memory, &pids,
		       &n);
	if (n < 0)
		return err_set(err, -EINVAL, "usage");

	struct cgroup_limits l = {
		.cpu_milli = cpu, .cpu_request = request, .memory = memory, .pids = pids,
	};

	return ensure ? cgroup_ensure(fs, path, &l, leaf, err) : cgroup_set(fs, path, &l, err);
}

static int run_ensure(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	(void)out;
	return run_limits(fs, args, true, err);
}

static int run_set(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	(void)out;
	return run_limits(fs, args, false, err);
}

/* The shell enters the v1 hierarchies itself, as a container does, then becomes the command. */
static int run_run(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	char *command = args + strcspn(args, " ");
	BUF_AUTO script = { 0 };
	struct cgroup_entry e;
	int pidfd, r;
	pid_t pid;

	if (*command)
		*command++ = '\0';
	cgroup_entry(fs, args, &e);
	for (unsigned i = 0; i < e.ntasks; i++)
		buf_printf(&script, "echo 0 >%s || exit 99; ", e.tasks[i]);
	buf_puts(&script, command);

	const char *argv[] = { "sh", "-c", script.data, NULL };
	const char *envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct spawn s = { .path = "/bin/sh", .argv = argv, .envp = envp, .fds = { -1, -1, 2 },
			   .nfds = 3, .cgroup_dir = e.dir };

	r = spawn(&s, &pid, &pidfd, err);
	if (r)
		return r;
	close(pidfd);
	buf_printf(out, "%d", pid);
	return 0;
}

static int run_wait(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	int status;

	(void)fs;
	if (waitpid(atoi(args), &status, 0) < 0)
		return err_sys(err, -errno, "waitpid");
	buf_printf(out, "%d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

static int run_usage(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	struct cgroup_usage u;
	int r = cgroup_usage(fs, args, &u, err);

	if (r == 0)
		buf_printf(out, "%llu %llu %llu %llu %llu %llu", (unsigned long long)u.cpu_ns,
			   (unsigned long long)u.memory,
			   (unsigned long long)u.memory_inactive_file,
			   (unsigned long long)u.throttled, (unsigned long long)u.oom_kills,
			   (unsigned long long)u.pids);
	return r;
}

static int run_kill(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	(void)out;
	return cgroup_kill(fs, args, err);
}

static int run_remove(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	(void)out;
	return cgroup_remove(fs, args, err);
}

static int run_list(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	struct arena a = { 0 };
	char **v;
	unsigned n;
	int r = cgroup_list(fs, args, &a, &v, &n, err);

	for (unsigned i = 0; r == 0 && i < n; i++)
		buf_printf(out, "%s ", v[i]);
	arena_release(&a);
	return r;
}

static int run_entry(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	struct cgroup_entry e;

	(void)err;
	cgroup_entry(fs, args, &e);
	buf_printf(out, "%s %s", e.dir[0] ? e.dir : "-", e.oom_file);
	for (unsigned i = 0; i < e.ntasks; i++)
		buf_printf(out, " %s", e.tasks[i]);
	return 0;
}

static int run_v2(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err)
{
	(void)args;
	(void)err;
	buf_puts(out, cgroup_fs_is_v2(fs) ? "yes" : "no");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct cgroup_fs *fs, char *args, struct buf *out, struct err *err);
} commands[] = {
	{ "ensure", run_ensure }, { "set", run_set }, { "run", run_run }, { "wait", run_wait },
	{ "usage", run_usage }, { "kill", run_kill }, { "remove", run_remove },
	{ "list", run_list }, { "entry", run_entry }, { "v2", run_v2 },
};

static void command(struct cgroup_fs *fs, char *line)
{
	struct err err = { 0 };
	BUF_AUTO out = { 0 };
	char *args = line + strcspn(line, " \n");
	int r = -EINVAL;

	line[strcspn(line, "\n")] = '\0';
	if (*args)
		*args++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(line, commands[i].name))
			r = commands[i].run(fs, args, &out, &err);
	if (r)
		printf("error %d %s\n", r, err.msg);
	else
		printf("ok %s\n", buf_str(&out));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct cgroup_fs *fs = NULL;
	struct err err = { 0 };
	char line[8192];
	int r = argc == 2 ? cgroup_fs_new(argv[1], &fs, &err) : -EINVAL;

	if (r) {
		printf("error %d %s\n", r, err.msg);
		return 1;
	}
	printf("ok\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		command(fs, line);
	cgroup_fs_free(fs);
	return 0;
}
