/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of unpacking; see unpack.h. The caller forks the applier, which forks the reader
 * and reports through a pipe; only the caller puts the finished layer in its place. The children
 * are copies of the caller: one that holds secrets must not be the caller.
 */
#include "image/unpack.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/macro.h"
#include "image/confine.h"
#include "image/store_dir.h"
#include "image/unpack_apply.h"
#include "image/unpack_read.h"

#define PIPE_SIZE (1 << 20)

const struct unpack_limits unpack_limits_default = {
	.bytes = 64ULL << 30, .entries = 2000000, .ratio = 1000, .cpu_s = 1800,
};

struct report {
	int code;
	bool there;			/* somebody else has made the layer meanwhile */
	char message[sizeof(((struct err *)NULL)->msg)];
	struct unpack_done done;
};

/* What the applier is to do: the tree is dir itself, or its sub-directory "tree" for a layer. */
struct work {
	struct image_store *store;	/* NULL: plain */
	const struct unpack_want *want;
	int blob, dir, lock, report;
	bool plain;
};

/* ---- the reader ---- */

static pid_t start_reader(const struct work *w, int *ret_fd, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "pipe");
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	pid_t pid = fork();
	if (pid == 0) {
		int r = confine_reader(w->blob, ends[1], w->want->uid, w->want->limits.cpu_s);

		_exit(r < 0 ? 1 : unpack_read(0, 1, &w->want->limits, w->plain) < 0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_sys(err, -errno, "fork");
	}
	*ret_fd = ends[0];
	return pid;
}

/* Says why it ended when it could not say so itself. */
static int reap_reader(pid_t pid, int r, struct err *err)
{
	int status = 0;

	if (r < 0 && r != -EPIPE)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r != -EPIPE || !WIFSIGNALED(status))
		return r;
	if (WTERMSIG(status) == SIGXCPU)
		return err_set(err, -ETIME, "the layer takes too long to read");
	return err_set(err, -EBADMSG, "the reader of the layer was ended by signal %d (%s)",
		       WTERMSIG(status), strsignal(WTERMSIG(status)));
}

/* ---- the applier ---- */

static int write_description(const struct work *w, const struct applied *a, struct err *err)
{
	struct layer l = {
		.bytes = a->bytes, .entries = a->entries, .root_opaque = a->root_opaque,
		.implies = a->implied.len > 0,
	};
	FD_AUTO dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	snprintf(l.digest, sizeof(l.digest), "%s", w->want->digest);
	snprintf(l.diff, sizeof(l.diff), "%s", a->diff);
	if (w->want->diff && !streq(w->want->diff, a->diff))
		return err_set(err, -EBADMSG, "the layer's contents are %s, the image's configuration "
			       "says %s", a->diff, w->want->diff);
	return layer_write(dir, &l, &a->implied, err);
}

static int apply(const struct work *w, int in, struct applied *a, struct err *err)
{
	FD_AUTO root = w->plain ? fcntl(w->dir, F_DUPFD_CLOEXEC, 0) :
		       openat(w->dir, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = root < 0 ? -errno : confine_applier(w->dir);

	if (r < 0)
		return err_sys(err, r, "cannot confine the unpacker");
	r = unpack_apply(in, root, &w->want->limits, w->plain, a, err);
	return r < 0 || w->plain ? r : write_description(w, a, err);
}

static int wait_for_others(const struct work *w, bool *ret_there, struct err *err)
{
	while (w->lock >= 0 && flock(w->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, -errno, "lock of the layer");
	*ret_there = w->store && image_store_has_layer(w->store, w->want->digest);
	return 0;
}

/*
 * Not the locks of other layers, which the caller has open: two that wait for each other's would
 * do so forever.
 */
static void close_others(const struct work *w)
{
	/* the store stays held, so that nobody sweeps it as long as this process writes to it */
	int keep[] = {
		w->blob, w->dir, w->lock, w->report, w->store ? w->store->dir : -1,
		w->store ? w->store->held : -1,
	};
	int from = 3;

	for (;;) {
		int next = INT_MAX;

		for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
			if (keep[i] >= from)
				next = MIN(next, keep[i]);
		if (next > from)
			syscall(SYS_close_range, (unsigned)from, (unsigned)next - 1, 0U);
		if (next == INT_MAX)
			return;
		from = next + 1;
	}
}

static int applier_work(const struct work *w, struct report *rep, struct err *err)
{
	struct applied a = { 0 };
	FD_AUTO in = -1;
	int r = wait_for_others(w, &rep->there, err);

	if (r < 0 || rep->there)
		return r;
	pid_t reader = start_reader(w, &in, err);

	if (reader < 0)
		return reader;
	r = apply(w, in, &a, err);
	fd_cleanup(&in);
	in = -1;
	r = reap_reader(reader, r, err);
	rep->done = (struct unpack_done){ .bytes = a.bytes, .entries = a.entries };
	snprintf(rep->done.diff, sizeof(rep->done.diff), "%s", a.diff);
	buf_release(&a.implied);
	return r;
}

static _Noreturn void applier_main(const struct work *w, pid_t parent)
{
	struct report rep = { 0 };
	struct err err = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGCHLD, SIG_DFL);
	umask(0);
	close_others(w);
	if (write(w->report, "", 1) != 1)
		_exit(1);
	rep.code = applier_work(w, &rep, &err);
	snprintf(rep.message, sizeof(rep.message), "%s", err.msg);
	_exit(write(w->report, &rep, sizeof(rep)) != sizeof(rep));
}

static int start_applier(struct work *w, pid_t *ret_pid, int *ret_fd, struct err *err)
{
	int ends[2];
	char closed;
	pid_t self = getpid();

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "pipe");
	w->report = ends[1];
	pid_t pid = fork();
	if (pid == 0)
		applier_main(w, self);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_sys(err, -errno, "fork");
	}
	/* until it has closed its copies, what the caller downloads has one more writer */
	while (read(ends[0], &closed, 1) < 0 && errno == EINTR)
		;
	*ret_pid = pid;
	*ret_fd = ends[0];
	return 0;
}

static int end_applier(pid_t pid, int fd, struct report *rep, struct err *err)
{
	ssize_t n;

	do
		n = read(fd, rep, sizeof(*rep));
	while (n < 0 && errno == EINTR);
	close(fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(*rep))
		return err_set(err, -EPIPE, "the unpacker was killed");
	rep->message[sizeof(rep->message) - 1] = '\0';
	return rep->code < 0 ? err_set(err, rep->code, "%s", rep->message) : 0;
}

/* ---- layers ---- */

/* Already ended, and in the same form. */
static int nothing_to_do(struct unpack *u, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "pipe");
	close(ends[1]);
	u->fd = ends[0];
	return 0;
}

/* The lock's open file is shared with the applier, so it lasts until both are done with it. */
static int make_place(struct unpack *u, int *ret_dir, struct err *err)
{
	char name[sizeof(u->dir) + 8], id[LAYER_ID];
	int s = u->store->dir;
	unsigned random;

	layer_id(u->digest, id);
	snprintf(name, sizeof(name), "new/%s.lock", id);
	u->lock = openat(s, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, -errno, "getrandom");
	snprintf(u->dir, sizeof(u->dir), "new/%s.%08x", id, random);
	snprintf(name, sizeof(name), "%s/tree", u->dir);
	if (u->lock < 0 || mkdirat(s, u->dir, 0700) < 0 || mkdirat(s, name, 0755) < 0 ||
	    fchmodat(s, name, 0755, 0) < 0)
		return err_sys(err, -errno, "%s/%s", u->store->path, u->dir);
	*ret_dir = openat(s, u->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_dir < 0 ? err_sys(err, -errno, "%s/%s", u->store->path, u->dir) : 0;
}

static void leave_place(struct unpack *u)
{
	if (*u->dir)
		store_discard(u->store, u->dir, NULL);
	fd_cleanup(&u->lock);
	u->lock = -1;
}

int unpack_begin(struct image_store *s, const struct unpack_want *want, struct unpack *ret,
		 struct err *err)
{
	struct unpack u = { .store = s, .fd = -1, .lock = -1 };
	FD_AUTO blob = -1;
	FD_AUTO dir = -1;
	int r;

	snprintf(u.digest, sizeof(u.digest), "%s", want->digest);
	if (image_store_has_layer(s, want->digest)) {
		r = nothing_to_do(&u, err);
		*ret = u;
		return r;
	}
	r = image_store_open_blob(s, want->digest, &blob, err);
	if (r == 0)
		r = make_place(&u, &dir, err);
	if (r == 0) {
		struct work w = {
			.store = s, .want = want, .blob = blob, .dir = dir, .lock = u.lock,
		};

		r = start_applier(&w, &u.pid, &u.fd, err);
	}
	if (r < 0)
		leave_place(&u);
	else
		*ret = u;
	return r;
}

/* The rename makes it a layer, unless another one was there first. */
static int put_in_place(struct unpack *u, struct err *err)
{
	char name[STORE_NAME_MAX], id[LAYER_ID];

	layer_id(u->digest, id);
	snprintf(name, sizeof(name), "layers/%s", id);
	if (renameat(u->store->dir, u->dir, u->store->dir, name) == 0) {
		u->dir[0] = '\0';
		return 0;
	}
	if (errno != EEXIST && errno != ENOTEMPTY)
		return err_sys(err, -errno, "%s/%s", u->store->path, name);
	struct layer l;
	return store_open_layer(u->store, u->digest, &l, NULL, err);
}

int unpack_end(struct unpack *u, struct unpack_done *ret, struct err *err)
{
	struct report rep = { 0 };
	int r = 0;

	if (u->pid == 0) {
		close(u->fd);
		*ret = (struct unpack_done){ 0 };
		return 0;
	}
	r = end_applier(u->pid, u->fd, &rep, err);
	if (r == 0 && !rep.there)
		r = put_in_place(u, err);
	leave_place(u);
	if (r == 0)
		*ret = rep.done;
	return r;
}

void unpack_kill(struct unpack *u)
{
	if (u->pid > 0) {
		kill(u->pid, SIGKILL);
		while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
			;
		leave_place(u);
	}
	fd_cleanup(&u->fd);
	*u = (struct unpack){ .fd = -1, .lock = -1 };
}

int unpack_archive(int file, const char *dir, const struct unpack_limits *limits, uid_t uid,
		   struct err *err)
{
	const struct unpack_want want = { .limits = *limits, .uid = uid };
	struct report rep = { 0 };
	FD_AUTO root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct work w = { .want = &want, .blob = file, .dir = root, .lock = -1, .plain = true };
	pid_t pid = -1;
	int fd = -1;

	if (root < 0)
		return err_sys(err, -errno, "%s", dir);
	int r = start_applier(&w, &pid, &fd, err);
	return r < 0 ? r : end_applier(pid, fd, &rep, err);
}
