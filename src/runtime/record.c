/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a later orchd needs to adopt a pod, in its run directory: pod, a line of our own and the
 * object as it was made, in JSON; env-NAME, the environment of a container for exec, NUL after
 * each; and state, which is the shim's (shim/protocol.h). The run directory does not outlive a
 * reboot, so nothing is synced. A directory without a whole pod file never had a shim.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/sandbox.h"

#define STATE_CONTAINERS_MAX 256
#define STATE_SIZE_MAX (sizeof(struct shim_state_header) + \
			STATE_CONTAINERS_MAX * sizeof(struct shim_container))

static void path_in(const char *run_dir, const char *name, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/%s", run_dir, name);
}

/* ---- pod ---- */

static void record_text(const struct sandbox *p, struct buf *out)
{
	struct json j;
	char ip[16];

	ip4_format(p->ip, ip);
	buf_printf(out, "ip %s created %" PRId64 " stopped %" PRId64 " config %" PRIx64
		   " ids %" PRIu32 "%s%s\n", ip, p->created_at, p->stopped_at, p->config_digest,
		   p->ids, p->handler ? " handler " : "", p->handler ? p->handler : "");
	json_init(&j, out, false);
	object_json(&j, &p->object, 0);
}

int record_create(const struct sandbox *p, struct err *err)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	record_text(p, &text);
	path_in(p->run_dir, "pod", path);
	return file_write(path, text.data, text.len, 0600, err);
}

int record_write(const struct sandbox *p, struct err *err)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	record_text(p, &text);
	path_in(p->run_dir, "pod", path);
	return file_write_atomic(path, text.data, text.len, 0600, false, err);
}

int record_read(const char *run_dir, struct arena *a, struct record *ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX], ip[16];

	path_in(run_dir, "pod", path);
	int r = file_read(path, 0, &text, err);
	if (r < 0)
		return r;
	const char *json = strchr(buf_str(&text), '\n');
	ret->ids = 0;		/* which nobody wrote before there were user namespaces */
	ret->handler[0] = '\0';
	if (!json || sscanf(text.data,
			    "ip %15s created %" SCNd64 " stopped %" SCNd64 " config %" SCNx64
			    " ids %" SCNu32 " handler %63s", ip, &ret->created_at,
			    &ret->stopped_at, &ret->config_digest, &ret->ids, ret->handler) < 4 ||
	    ip4_parse(ip, &ret->ip) < 0)
		return err_set(err, -EBADMSG, "%s is not what orchd writes", path);
	json++;
	return object_parse(a, json, text.len - (size_t)(json - text.data), &ret->object, err);
}

void record_remove(const struct sandbox *p)
{
	char path[PATH_MAX];

	path_in(p->run_dir, "pod", path);
	unlink(path);
}

/* ---- env-NAME ---- */

int record_write_env(const struct sandbox *p, const char *container, const struct strs *env,
		     struct err *err)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	for (uint32_t i = 0; i < env->n; i++)
		buf_add(&text, env->v[i], strlen(env->v[i]) + 1);
	snprintf(path, sizeof(path), "%s/env-%s", p->run_dir, container);
	return file_write(path, text.data, text.len, 0600, err);
}

int record_read_env(struct arena *a, const struct sandbox *p, const char *container,
		    struct strs *ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/env-%s", p->run_dir, container);
	int r = file_read(path, 0, &text, err);
	if (r < 0)
		return r;
	for (const char *s = text.data; s < text.data + text.len; s += strlen(s) + 1)
		*arena_push(a, ret) = arena_strdup(a, s);
	return 0;
}

/* ---- state ---- */

/* Field 22 of proc_pid_stat(5); 0: no such process. */
static uint64_t start_time(pid_t pid)
{
	BUF_AUTO text = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read(path, 4096, &text, NULL) < 0 || !text.len)
		return 0;
	const char *s = strrchr(text.data, ')');
	for (int field = 2; s && field < 22; field++)
		s = strchr(s + 1, ' ');
	return s ? strtoull(s + 1, NULL, 10) : 0;
}

/* The pidfd is opened first: then the start time tells whose it is. */
static int find_process(const struct shim_state_header *h, int *ret_pidfd)
{
	int fd = h->pid > 0 ? (int)syscall(SYS_pidfd_open, h->pid, 0) : -1;

	if (fd < 0)
		return 0;
	if (start_time(h->pid) != h->start_time) {
		close(fd);
		return 0;
	}
	*ret_pidfd = fd;
	return h->pid;
}

static void take_states(struct sandbox *p, const struct buf *text, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct shim_container st;
		size_t at = sizeof(struct shim_state_header) + i * sizeof(st);

		if (at + sizeof(st) > text->len)
			return;
		memcpy(&st, text->data + at, sizeof(st));
		st.name[sizeof(st.name) - 1] = '\0';
		struct container_run *run = sandbox_run(p, st.name);
		if (!run || st.phase > SHIM_FAILED)
			continue;
		run->st = st;
		run->attempt = st.attempt;
		if (st.phase == SHIM_FAILED)
			fail_of_run(p, run);
	}
}

int record_read_state(struct sandbox *p, pid_t *ret_pid, int *ret_pidfd)
{
	struct shim_state_header h;
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	*ret_pid = 0;
	path_in(p->run_dir, "state", path);
	int r = file_read(path, STATE_SIZE_MAX, &text, NULL);
	if (r < 0)
		return r;
	if (text.len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, text.data, sizeof(h));
	if (h.magic != SHIM_MAGIC || h.version != PROG_VERSION)
		return -EBADMSG;
	take_states(p, &text, h.count);
	*ret_pid = find_process(&h, ret_pidfd);
	return 0;
}
