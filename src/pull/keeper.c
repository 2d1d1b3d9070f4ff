/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One loop over the fetcher's socket, the unpackers, and whoever reads our news: when nobody does
 * any more, the pull ends, and what came so far is resumed by the next. Layers are unpacked while
 * others are on their way.
 */
#include "pull/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/reference.h"
#include "base/sock.h"
#include "base/within.h"
#include "image/store.h"
#include "image/unpack.h"
#include "pull/fetcher.h"
#include "pull/sandbox.h"

#define UNPACKERS 3
#define BLOBS_MAX (IMAGE_LAYERS_MAX + 16)	/* that one image may ask for */
#define EXPORT_FD 3
#define SMALL (4 << 20)		/* what is there and so small is handed back to be read */

struct unpacker {
	struct unpack run;
	bool busy;
	char digest[IMAGE_DIGEST_MAX];
};

struct layer {
	char digest[IMAGE_DIGEST_MAX], diff[IMAGE_DIGEST_MAX];
};

struct keeper {
	struct arena arena;
	const struct pull_job *job;
	struct reference ref;
	struct image_store *store;
	uid_t uid;
	int out, sock, memory, dir;	/* dir: where FETCH_FILE looks */
	const char *scratch;		/* dir, made for this pull; NULL: it is the user's */
	pid_t fetcher;
	struct image_blob blobs[BLOBS_MAX];
	unsigned nblobs;
	struct layer layers[BLOBS_MAX];	/* that wait to be unpacked */
	unsigned nlayers, next_layer;
	struct unpacker unpackers[UNPACKERS];
	uint64_t record;		/* length of the record; 0: not yet there */
	bool logged_in;
	unsigned retry_after;
	char reason[40];
};

/* ---- news ---- */

static void tell(struct keeper *k, const struct pull_news *n)
{
	BUF_AUTO line = { 0 };

	pull_news_format(n, &line);
	if (write(k->out, line.data, line.len) < 0)
		return;		/* nobody listens: the loop finds out */
}

static void tell_failure(struct keeper *k, const struct err *err)
{
	BUF_AUTO text = { 0 };

	if (k->job->task != PULL_IMAGE)
		buf_puts(&text, err->msg);
	else
		buf_printf(&text, "failed to pull and unpack image \"%s\": %s", k->ref.name ?
			   k->ref.name : k->job->image, err->msg);
	tell(k, &(struct pull_news){
		.kind = PULL_FAILED, .retry_after = k->retry_after, .text = buf_str(&text),
		.reason = *k->reason ? k->reason : "ErrImagePull",
	});
}

/* ---- what the fetcher asks ---- */

static bool digest_given(const char digest[IMAGE_DIGEST_MAX])
{
	return memchr(digest, '\0', IMAGE_DIGEST_MAX) && digest_valid(digest);
}

static int answer(struct keeper *k, struct fetch_msg *m, int fd, struct err *err)
{
	ssize_t n = sock_send(k->sock, m, sizeof(*m), &fd, fd >= 0);

	return n == (ssize_t)sizeof(*m) ? 0 : err_set(err, -EPIPE, "the fetcher is gone");
}

static int answer_error(struct keeper *k, struct fetch_msg *m, const struct err *why,
			struct err *err)
{
	m->status = why->code;
	snprintf(m->text, sizeof(m->text), "%s", why->msg);
	return answer(k, m, -1, err);
}

static int answer_present(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	FD_AUTO fd = -1;

	m->status = FETCH_PRESENT;
	if (m->total <= SMALL)
		image_store_open_blob(k->store, m->digest, &fd, NULL);
	return answer(k, m, fd, err);
}

static int begin_blob(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	struct err why = { 0 };
	struct image_blob *b = &k->blobs[k->nblobs];
	int r = image_store_begin_blob(k->store, m->digest, b, &m->done, &why);

	if (r == -EEXIST)
		return answer_present(k, m, err);
	if (r < 0)
		return answer_error(k, m, &why, err);
	k->nblobs++;
	m->status = FETCH_WANTED;
	r = answer(k, m, b->fd, err);
	fd_cleanup(&b->fd);	/* a copy in an unpacker would look like one who still writes */
	b->fd = -1;
	return r;
}

/* Out of the list. */
static bool take_blob(struct keeper *k, const char *digest, struct image_blob *ret)
{
	for (unsigned i = 0; i < k->nblobs; i++) {
		if (!streq(k->blobs[i].digest, digest))
			continue;
		*ret = k->blobs[i];
		k->blobs[i] = k->blobs[--k->nblobs];
		return true;
	}
	return false;
}

/* Asked for again, it was not filled: whether it is there could be all that mattered. */
static int on_blob(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	struct image_blob again;

	if (!digest_given(m->digest) || !memchr(m->diff, '\0', sizeof(m->diff)))
		return err_set(err, -EPROTO, "the fetcher asks for a blob that is none");
	if (take_blob(k, m->digest, &again))
		image_store_abort_blob(&again);
	if (k->nblobs == BLOBS_MAX)
		return err_set(err, -EPROTO, "the fetcher asks for too many blobs");
	if (*m->diff && image_store_has_layer(k->store, m->digest)) {
		m->status = FETCH_UNPACKED;
		return answer(k, m, -1, err);
	}
	if (image_store_has_blob(k->store, m->digest))
		return answer_present(k, m, err);
	return begin_blob(k, m, err);
}

static int on_commit(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	struct image_blob b;

	if (!digest_given(m->digest) || !take_blob(k, m->digest, &b))
		return err_set(err, -EPROTO, "the fetcher filled what it did not ask for");
	return image_store_commit_blob(k->store, &b, m->total, err);
}

static int on_layer(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	struct layer *l = &k->layers[k->nlayers];

	if (!digest_given(m->digest) || !digest_given(m->diff) || k->nlayers == BLOBS_MAX)
		return err_set(err, -EPROTO, "the fetcher names a layer that is none");
	memcpy(l->digest, m->digest, sizeof(l->digest));
	memcpy(l->diff, m->diff, sizeof(l->diff));
	k->nlayers++;
	return 0;
}

/* The path is the archive's word: the kernel sees to it that it does not lead out of it. */
static int on_file(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	struct err why = { 0 };
	struct stat st;

	if (k->dir < 0 || !memchr(m->text, '\0', sizeof(m->text)))
		return err_set(err, -EPROTO, "the fetcher asks for a file");
	FD_AUTO fd = open_within(k->dir, m->text, O_RDONLY | O_NOCTTY | O_NONBLOCK,
				 RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		err_sys(&why, fd, "%.200s", m->text);
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		err_set(&why, -EBADMSG, "%.200s: not a file", m->text);
	if (why.code)
		return answer_error(k, m, &why, err);
	m->status = 0;
	return answer(k, m, fd, err);
}

static int on_progress(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	(void)err;
	tell(k, &(struct pull_news){ .kind = PULL_PROGRESS, .done = m->done, .total = m->total });
	return 0;
}

static int on_record(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	if (!m->total || m->total > IMAGE_RECORD_MAX)
		return err_set(err, -EPROTO, "the fetcher's record is too long");
	k->record = m->total;
	return 0;
}

static int on_fail(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	static const char *const reasons[] = { "SignatureValidationFailed" };

	m->reason[sizeof(m->reason) - 1] = m->text[sizeof(m->text) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (streq(m->reason, reasons[i]))
			snprintf(k->reason, sizeof(k->reason), "%s", m->reason);
	k->retry_after = m->retry_after;
	return err_set(err, -EIO, "%s", m->text);
}

static int on_login(struct keeper *k, struct fetch_msg *m, struct err *err)
{
	(void)m, (void)err;
	k->logged_in = true;
	return 0;
}

static int (*const handlers[])(struct keeper *, struct fetch_msg *, struct err *) = {
	[FETCH_BLOB] = on_blob, [FETCH_COMMIT] = on_commit, [FETCH_LAYER] = on_layer,
	[FETCH_FILE] = on_file, [FETCH_PROGRESS] = on_progress, [FETCH_RECORD] = on_record,
	[FETCH_FAIL] = on_fail, [FETCH_LOGIN] = on_login,
};

static int fetcher_ended(struct keeper *k, struct err *err)
{
	int status = 0;

	while (waitpid(k->fetcher, &status, 0) < 0 && errno == EINTR)
		;
	k->fetcher = 0;
	if (WIFSIGNALED(status))
		return err_set(err, -EIO, "the fetcher was killed by signal %d", WTERMSIG(status));
	return err_set(err, -EIO, "the fetcher ended with status %d", WEXITSTATUS(status));
}

static int on_message(struct keeper *k, struct err *err)
{
	struct fetch_msg m;
	ssize_t n = sock_recv(k->sock, &m, sizeof(m), NULL, NULL);

	if (n <= 0)
		return fetcher_ended(k, err);
	if (n != (ssize_t)sizeof(m) || m.op >= ARRAY_SIZE(handlers) ||
	    (k->job->task == PULL_LOGIN && m.op < FETCH_FAIL))
		return err_set(err, -EPROTO, "the fetcher speaks nonsense");
	return handlers[m.op](k, &m, err);
}

/* ---- unpacking ---- */

static int begin_unpackers(struct keeper *k, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < UNPACKERS && k->next_layer < k->nlayers; i++) {
		const struct layer *l = &k->layers[k->next_layer];
		struct unpacker *u = &k->unpackers[i];
		struct unpack_want want = {
			.digest = l->digest, .diff = l->diff, .limits = unpack_limits_default,
			.uid = k->uid,
		};

		if (u->busy)
			continue;
		r = unpack_begin(k->store, &want, &u->run, err);
		u->busy = r == 0;
		memcpy(u->digest, l->digest, sizeof(u->digest));
		k->next_layer++;
	}
	return r;
}

static int end_unpacker(struct unpacker *u, struct err *err)
{
	struct unpack_done done;
	int r = unpack_end(&u->run, &done, err);

	u->busy = false;
	return r < 0 ? err_prefix(err, "failed to extract layer %s", u->digest) : 0;
}

static bool unpacking(const struct keeper *k)
{
	bool busy = k->next_layer < k->nlayers;

	for (unsigned i = 0; i < UNPACKERS; i++)
		busy |= k->unpackers[i].busy;
	return busy;
}

/* ---- the loop ---- */

static int turn(struct keeper *k, struct err *err)
{
	struct pollfd fds[UNPACKERS + 2] = {
		{ .fd = k->out }, { .fd = k->record ? -1 : k->sock, .events = POLLIN },
	};
	int r;

	for (unsigned i = 0; i < UNPACKERS; i++)
		fds[i + 2] = (struct pollfd){
			.fd = k->unpackers[i].busy ? k->unpackers[i].run.fd : -1, .events = POLLIN,
		};
	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR ? 0 : err_sys(err, -errno, "poll");
	if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		return err_set(err, -ECANCELED, "nobody wants it any more");
	r = fds[1].revents ? on_message(k, err) : 0;
	for (unsigned i = 0; r == 0 && i < UNPACKERS; i++)
		if (fds[i + 2].revents)
			r = end_unpacker(&k->unpackers[i], err);
	return r < 0 ? r : begin_unpackers(k, err);
}

static int work(struct keeper *k, struct err *err)
{
	int r = 0;

	while (r == 0 && !k->logged_in && (!k->record || unpacking(k)))
		r = turn(k, err);
	return r;
}

/* ---- the image ---- */

/* The fetcher's word is not believed where we know better: what was asked for. */
static int check_record(const struct keeper *k, const struct image_record *r, struct err *err)
{
	const char *name = k->job->name ? k->job->name : k->ref.name;

	if (!streq(r->ref, name) ||
	    (k->ref.digest && !streq(r->digest, k->ref.digest) && !streq(r->index, k->ref.digest)))
		return err_set(err, -EBADMSG, "the fetcher came back with another image");
	return 0;
}

static int name_image(struct keeper *k, struct err *err)
{
	char *text = arena_alloc(&k->arena, k->record + 1);
	struct image_record r;
	char ids[512] = "";
	struct pull_news done = { .kind = PULL_DONE };
	int code;

	if (pread(k->memory, text, k->record, 0) != (ssize_t)k->record)
		return err_set(err, -EIO, "the fetcher's record is cut off");
	code = record_parse(&k->arena, text, k->record, &r, err);
	if (code == 0)
		code = check_record(k, &r, err);
	if (code == 0 && *r.user)
		code = unpack_user(k->store, &r.layers, r.user, k->uid, ids, sizeof(ids), err);
	r.ids = ids;
	if (code == 0)
		code = image_store_add(k->store, &r, err);
	for (uint32_t i = 0; code == 0 && i < r.layers.n; i++)
		done.total += r.layers.v[i].size;
	done.digest = r.digest;
	if (code == 0)
		tell(k, &done);
	return code;
}

/* ---- beginning and end ---- */

static int open_directory(struct keeper *k, const char *path, struct err *err)
{
	k->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return k->dir < 0 ? err_sys(err, -errno, "%s", path) : 0;
}

static int open_archive(struct keeper *k, struct err *err)
{
	FD_AUTO file = open(k->ref.path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (file < 0)
		return err_sys(err, -errno, "%s", k->ref.path);
	k->scratch = arena_printf(&k->arena, "%s/new/archive-%d", k->job->store, getpid());
	r = file_mkdir_p(k->scratch, 0700, err);
	if (r == 0)
		r = unpack_archive(file, k->scratch, &unpack_limits_default, k->uid, err);
	return r < 0 ? r : open_directory(k, k->scratch, err);
}

static int open_store(struct keeper *k, struct err *err)
{
	int r = image_store_open(k->job->store, &k->store, err);

	if (r == 0)
		r = image_store_hold(k->store, err);
	if (r == 0)
		r = reference_parse(&k->arena, k->job->image, &k->ref, err);
	if (r < 0)
		return r;
	switch (k->ref.transport) {
	case TRANSPORT_OCI:
		return open_directory(k, k->ref.path, err);
	case TRANSPORT_OCI_ARCHIVE:
	case TRANSPORT_DOCKER_ARCHIVE:
		return open_archive(k, err);
	case TRANSPORT_ROOTFS:
		return err_set(err, -EINVAL, "a directory of this machine is not pulled");
	case TRANSPORT_REGISTRY:
		break;
	}
	return 0;
}

/* To 0..4: nothing, nothing, standard error, the socket, the memory. Everything else closes. */
static int keep_descriptors(int sock, int memory)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sock = fcntl(sock, F_DUPFD, 10);
	memory = fcntl(memory, F_DUPFD, 10);
	if (null < 0 || sock < 0 || memory < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(sock, 3) < 0 || dup2(memory, 4) < 0)
		return -errno;
	return close_range(5, ~0u, 0) < 0 ? -errno : 0;
}

static _Noreturn void fetcher_main(struct keeper *k, int sock)
{
	struct err err = { 0 };
	int r = keep_descriptors(sock, k->memory);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t i = 0; i < k->job->environment.n; i++)
		putenv((char *)k->job->environment.v[i]);
	if (r == 0)
		r = sandbox_enter(k->uid, &err);
	if (r < 0) {
		struct fetch_msg m = { .op = FETCH_FAIL, .reason = "ErrImagePull" };

		snprintf(m.text, sizeof(m.text), "sandbox: %s", err.msg);
		sock_send(3, &m, sizeof(m), NULL, 0);
		_exit(EXIT_FAILURE);
	}
	_exit(fetcher_run(k->job, 3, 4));
}

static int begin_fetcher(struct keeper *k, struct err *err)
{
	int pair[2];

	k->memory = memfd_create("record", MFD_CLOEXEC);
	if (k->memory < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, -errno, "socketpair");
	k->sock = pair[0];
	k->fetcher = fork();
	if (k->fetcher == 0)
		fetcher_main(k, pair[1]);
	close(pair[1]);
	return k->fetcher < 0 ? err_sys(err, -errno, "fork") : 0;
}

static void end_fetcher(struct keeper *k)
{
	if (k->fetcher <= 0)
		return;
	kill(k->fetcher, SIGKILL);
	while (waitpid(k->fetcher, NULL, 0) < 0 && errno == EINTR)
		;
}

static void release(struct keeper *k)
{
	const int fds[] = { k->sock, k->memory, k->dir };

	end_fetcher(k);
	for (unsigned i = 0; i < UNPACKERS; i++)
		if (k->unpackers[i].busy)
			unpack_kill(&k->unpackers[i].run);
	for (unsigned i = 0; i < k->nblobs; i++)
		image_store_abort_blob(&k->blobs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (k->scratch)
		file_rm_rf(k->scratch, NULL);
	if (k->store)
		image_store_close(k->store);	/* and lets go of it */
	arena_release(&k->arena);
}

static int pull_image(struct keeper *k, struct err *err)
{
	int r = open_store(k, err);

	if (r == 0)
		r = begin_fetcher(k, err);
	if (r == 0)
		r = work(k, err);
	if (r == 0)
		r = name_image(k, err);
	if (r == 0)
		image_store_settle(k->store, NULL);	/* nobody waits for it */
	return r;
}

static int log_in(struct keeper *k, struct err *err)
{
	int r = begin_fetcher(k, err);

	if (r == 0)
		r = work(k, err);
	if (r == 0)
		tell(k, &(struct pull_news){ .kind = PULL_DONE, .digest = k->job->image });
	return r;
}

static int collect(struct keeper *k, struct err *err)
{
	const struct pull_gc *want = &k->job->gc;
	const char **in_use = arena_array(&k->arena, const char *, want->in_use.n + 1);
	struct image_gc gc = { in_use, want->all, want->high, want->low, want->min_age_s };
	struct image_gc_result done;
	int r = image_store_open(k->job->store, &k->store, err);

	for (uint32_t i = 0; i < want->in_use.n; i++)
		in_use[i] = want->in_use.v[i];
	if (r == 0)
		r = image_store_gc(k->store, &gc, &done, err);
	if (r == 0)
		tell(k, &(struct pull_news){ .kind = PULL_DONE, .digest = "-", .total = done.bytes });
	if (r == 0)
		image_store_settle(k->store, NULL);	/* what pulls that were killed have left */
	return r;
}

static int export(struct keeper *k, struct err *err)
{
	int r = image_store_open(k->job->store, &k->store, err);

	if (r == 0)
		r = image_store_export(k->store, k->job->image, EXPORT_FD, err);
	if (r == 0)
		tell(k, &(struct pull_news){ .kind = PULL_DONE, .digest = k->job->image });
	return r;
}

static int (*const tasks[PULL_TASKS])(struct keeper *, struct err *) = {
	[PULL_IMAGE] = pull_image, [PULL_LOGIN] = log_in, [PULL_GC] = collect,
	[PULL_EXPORT] = export,
};

int keeper_run(const struct pull_job *job, int out)
{
	struct keeper *k = calloc(1, sizeof(*k));
	struct err err = { 0 };
	int r;

	if (!k)
		abort();
	*k = (struct keeper){ .job = job, .out = out, .sock = -1, .memory = -1, .dir = -1,
			      .uid = sandbox_uid() };
	r = tasks[job->task](k, &err);
	if (r < 0)
		tell_failure(k, &err);
	release(k);
	free(k);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
