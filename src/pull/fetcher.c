/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image consists of, part by part; see fetcher.h. */
#include "pull/fetcher.h"

#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "base/sock.h"
#include "base/units.h"
#include "image/config.h"

#define INDEX_DEPTH 2			/* indexes in indexes */
#define PROGRESS_EVERY (300 * MSEC)
#define BUSY_US 100000			/* between two questions whether others have done */

void digest_of(const void *data, size_t n, char ret[DIGEST_TEXT])
{
	char hex[DIGEST_HEX];

	digest_hex(data, n, hex);
	snprintf(ret, DIGEST_TEXT, "sha256:%s", hex);
}

/* ---- the keeper ---- */

int fetcher_tell(struct fetcher *f, const struct fetch_msg *m, struct err *err)
{
	ssize_t n = sock_send(f->keeper, m, sizeof(*m), NULL, 0);

	return n == (ssize_t)sizeof(*m) ? 0 : err_set(err, -EPIPE, "the puller's keeper is gone");
}

int fetcher_ask(struct fetcher *f, struct fetch_msg *m, int *ret_fd, struct err *err)
{
	int fd = -1, r = fetcher_tell(f, m, err);
	unsigned nfds = 1;

	if (r < 0)
		return r;
	if (sock_recv(f->keeper, m, sizeof(*m), &fd, &nfds) != (ssize_t)sizeof(*m))
		return err_set(err, -EPIPE, "the puller's keeper is gone");
	*ret_fd = nfds ? fd : -1;
	return m->status < 0 ? err_set(err, m->status, "%s", m->text) : 0;
}

void fetcher_progress(struct fetcher *f, uint64_t received)
{
	struct fetch_msg m = { .op = FETCH_PROGRESS, .total = f->total };
	int64_t now = time_mono();

	if (!f->total || now - f->told_at < PROGRESS_EVERY)
		return;
	f->told_at = now;
	m.done = MIN(f->before + received, f->total);
	fetcher_tell(f, &m, NULL);
}

static void on_progress(void *data)
{
	struct fetcher *f = data;

	fetcher_progress(f, f->http.received);
}

/* ---- parts ---- */

static int tell_blob(struct fetcher *f, enum fetch_op op, const struct part *p, struct err *err)
{
	struct fetch_msg m = { .op = op, .total = p->d.size };

	snprintf(m.digest, sizeof(m.digest), "%s", p->d.digest);
	snprintf(m.diff, sizeof(m.diff), "%s", p->diff ? p->diff : "");
	return fetcher_tell(f, &m, err);
}

/* Its contents are where they go. Whether they are what the digest says the keeper finds out. */
int fetcher_arrived(struct fetcher *f, struct part *p, struct err *err)
{
	int r = 0;

	p->arrived = true;
	if (p->fd < 0)
		return 0;
	close(p->fd);
	p->fd = -1;
	r = tell_blob(f, FETCH_COMMIT, p, err);
	return r < 0 || !p->diff ? r : tell_blob(f, FETCH_LAYER, p, err);
}

/* What the store has of it; a descriptor to fill or to read in *ret_fd. */
static int ask_blob(struct fetcher *f, const struct part *p, enum fetch_state *ret, int *ret_fd,
		    uint64_t *ret_have, struct err *err)
{
	struct fetch_msg m = { .op = FETCH_BLOB, .total = p->d.size };

	snprintf(m.digest, sizeof(m.digest), "%s", p->d.digest);
	snprintf(m.diff, sizeof(m.diff), "%s", p->diff ? p->diff : "");
	int r = fetcher_ask(f, &m, ret_fd, err);
	*ret = (enum fetch_state)m.status;
	*ret_have = m.done;
	return r;
}

static int check_digest(const char *what, const struct buf *text, const char *digest,
			struct err *err)
{
	char is[DIGEST_TEXT];

	digest_of(buf_str(text), text->len, is);
	if (streq(is, digest))
		return 0;
	return err_set(err, -EBADMSG, "%s: its digest should be %s and is %s", what, digest, is);
}

/* Another pull may be about to write the same: it is short. Nothing is held meanwhile. */
static int ask_text(struct fetcher *f, const struct part *p, enum fetch_state *ret, int *ret_fd,
		    struct err *err)
{
	uint64_t have;
	int r;

	while ((r = ask_blob(f, p, ret, ret_fd, &have, err)) == -EBUSY)
		usleep(BUSY_US);
	return r;
}

static int keep_text(struct fetcher *f, const char *what, const char *digest,
		     const struct buf *text, struct err *err)
{
	struct part p = { .d = { .digest = digest, .size = text->len }, .what = what, .fd = -1 };
	enum fetch_state state;
	int fd = -1;
	int r = ask_text(f, &p, &state, &fd, err);

	if (r < 0 || state != FETCH_WANTED) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	p.fd = fd;
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    write(fd, buf_str(text), text->len) != (ssize_t)text->len) {
		r = err_sys(err, errno ? -errno : -ENOSPC, "%s", what);
		close(fd);
		return r;
	}
	return fetcher_arrived(f, &p, err);
}

static int stored_text(struct fetcher *f, const struct part *p, struct buf *out, struct err *err)
{
	enum fetch_state state;
	int fd = -1;
	int r = ask_text(f, p, &state, &fd, err);

	if (r == 0 && state != FETCH_WANTED && fd >= 0)
		r = file_read_fd(fd, p->what, MANIFEST_MAX, out, err);
	if (fd >= 0)
		close(fd);
	return r;
}

int fetcher_text(struct fetcher *f, const char *what, const struct descriptor *d, bool keep,
		 struct buf *out, struct err *err)
{
	struct part p = { .d = *d, .what = what, .fd = -1 };
	int r = d->size > MANIFEST_MAX ?
		err_set(err, -EBADMSG, "%s %s: %llu bytes are too many", what, d->digest,
			(unsigned long long)d->size) : 0;

	if (r == 0 && keep)
		r = stored_text(f, &p, out, err);
	if (r < 0 || out->len)
		return r < 0 ? r : check_digest(what, out, d->digest, err);
	r = f->source->parts(f, &p, 1, err);
	if (r == 0)
		r = check_digest(what, &p.text, d->digest, err);
	if (r == 0 && keep)
		r = keep_text(f, what, d->digest, &p.text, err);
	if (r == 0)
		buf_add(out, buf_str(&p.text), p.text.len);
	buf_release(&p.text);
	return r;
}

/* ---- manifests ---- */

struct found {
	const char *top;		/* digest of what the name stands for */
	const char *index;		/* digest of the index, or "" */
	const char *digest;		/* of the manifest */
	uint64_t size;
	struct manifest_doc doc;
};

/* One whose digest is known may be in the store. */
static int manifest_text(struct fetcher *f, const char *which, const struct descriptor *known,
			 struct buf *out, const char **ret_type, struct err *err)
{
	struct part p = { .d = *known, .what = "manifest", .fd = -1 };
	int r = known->digest ? stored_text(f, &p, out, err) : 0;

	*ret_type = known->type ? known->type : "";
	if (r < 0 || out->len)
		return r;
	return f->source->manifest(f, known->digest ? known->digest : which, out, ret_type, err);
}

static int get_manifest(struct fetcher *f, const char *which, const struct descriptor *known,
			struct found *ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	const char *type;
	char digest[DIGEST_TEXT];
	int r = manifest_text(f, which, known, &text, &type, err);

	if (r < 0)
		return r;
	digest_of(buf_str(&text), text.len, digest);
	ret->digest = arena_strdup(&f->arena, digest);
	ret->size = text.len;
	if (known->digest)
		r = check_digest("manifest", &text, known->digest, err);
	if (r == 0)
		r = manifest_doc_parse(&f->arena, buf_str(&text), text.len, type, &f->platform,
				       &ret->doc, err);
	return r < 0 ? r : keep_text(f, "manifest", digest, &text, err);
}

static int find_manifest(struct fetcher *f, struct found *ret, struct err *err)
{
	const char *which = f->ref.digest ? f->ref.digest : f->ref.tag;
	struct descriptor known = { 0 };
	int r = f->source->resolve ? f->source->resolve(f, which, &known, err) : 0;

	if (f->ref.digest)
		known.digest = f->ref.digest;
	*ret = (struct found){ .index = "" };
	for (unsigned depth = 0;; depth++) {
		if (r == 0)
			r = get_manifest(f, which, &known, ret, err);
		if (r < 0)
			return r;
		if (!ret->top)
			ret->top = ret->digest;
		if (!ret->doc.is_index)
			return 0;
		if (depth == INDEX_DEPTH)
			return err_set(err, -EBADMSG, "an index of indexes of indexes");
		ret->index = ret->top;
		known = ret->doc.manifests.v[0];
	}
}

/* ---- layers ---- */

static bool is_repeated(const struct part *v, unsigned n, const char *digest)
{
	for (unsigned i = 0; i < n; i++)
		if (streq(v[i].d.digest, digest))
			return true;
	return false;
}

/* What is to be done for one layer: nothing, only to unpack it, or to fetch it. */
static int begin_layer(struct fetcher *f, struct part *p, bool *ret_busy, struct err *err)
{
	enum fetch_state state;
	uint64_t have = 0;
	int r = ask_blob(f, p, &state, &p->fd, &have, err);

	*ret_busy = r == -EBUSY;
	if (r < 0)
		return *ret_busy ? 0 : r;
	if (state == FETCH_WANTED && p->fd < 0)
		return err_set(err, -EPROTO, "the keeper sent no descriptor");
	f->before += state == FETCH_WANTED ? have : p->d.size;
	if (state == FETCH_WANTED)
		return have == p->d.size ? fetcher_arrived(f, p, err) : 0;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->arrived = true;
	return state == FETCH_UNPACKED ? 0 : tell_blob(f, FETCH_LAYER, p, err);
}

/*
 * Those that nobody else is fetching first. Only who holds nothing waits for others, so that two
 * pulls never wait for each other.
 */
static int get_layers(struct fetcher *f, struct part *v, unsigned n, struct err *err)
{
	unsigned free_ones = 0, busy_ones = 0;
	struct part *busy_parts = arena_array(&f->arena, struct part, n + 1);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		struct part p = v[i];
		bool busy;

		r = begin_layer(f, &p, &busy, err);
		if (busy)
			busy_parts[busy_ones++] = p;
		else
			v[free_ones++] = p;
	}
	if (r == 0)
		r = f->source->parts(f, v, free_ones, err);
	for (unsigned i = 0; r == 0 && i < busy_ones; i++) {
		bool busy = true;

		while (r == 0 && busy) {
			r = begin_layer(f, &busy_parts[i], &busy, err);
			if (busy)
				usleep(BUSY_US);
		}
		if (r == 0)
			r = f->source->parts(f, &busy_parts[i], 1, err);
	}
	return r;
}

static int layers(struct fetcher *f, const struct image_record *rec, struct err *err)
{
	struct part *v = arena_array(&f->arena, struct part, rec->layers.n + 1);
	unsigned n = 0;

	for (uint32_t i = 0; i < rec->layers.n; i++) {
		const struct image_layer *l = &rec->layers.v[i];

		if (is_repeated(v, n, l->digest))
			continue;
		v[n++] = (struct part){
			.d = { .type = l->media_type, .digest = l->digest, .size = l->size },
			.what = "layer", .diff = l->diff, .fd = -1,
		};
		f->total += l->size;
	}
	return get_layers(f, v, n, err);
}

/* ---- the image ---- */

static const char *platform_text(struct fetcher *f)
{
	return arena_printf(&f->arena, "linux/%s", f->platform.architecture);
}

static int describe_image(struct fetcher *f, const struct found *m, struct image_record *ret,
			  struct err *err)
{
	BUF_AUTO config = { 0 };
	int r = fetcher_text(f, "config", &m->doc.config, true, &config, err);

	if (r < 0)
		return r;
	*ret = (struct image_record){
		.ref = f->job->name ? f->job->name : f->ref.name,
		.digest = m->digest, .media_type = m->doc.type, .manifest_size = m->size,
		.index = m->index, .config = m->doc.config.digest,
		.config_size = m->doc.config.size, .platform = platform_text(f),
		.pulled_at = time_now() / NSEC, .ids = "",
	};
	for (uint32_t i = 0; i < m->doc.layers.n; i++) {
		const struct descriptor *d = &m->doc.layers.v[i];

		*arena_push(&f->arena, &ret->layers) = (struct image_layer){
			.digest = d->digest, .diff = "", .media_type = d->type, .size = d->size,
		};
	}
	return image_config_parse(&f->arena, buf_str(&config), config.len, ret, err);
}

static int hand_over(struct fetcher *f, const struct image_record *rec, struct err *err)
{
	struct fetch_msg m = { .op = FETCH_RECORD };
	BUF_AUTO text = { 0 };
	int r = record_format(rec, &text, err);

	if (r < 0)
		return r;
	if (text.len > IMAGE_RECORD_MAX ||
	    pwrite(f->memory, text.data, text.len, 0) != (ssize_t)text.len)
		return err_set(err, -EFBIG, "the image's configuration is too large");
	m.total = text.len;
	return fetcher_tell(f, &m, err);
}

static int fetch_image(struct fetcher *f, struct err *err)
{
	static const char *const nothing[] = { NULL };
	struct image_record rec;
	struct found m;
	int r = policy_check(f, nothing, err);

	if (r == 0)
		r = find_manifest(f, &m, err);
	if (r < 0)
		return err_prefix(err, "failed to resolve reference \"%s\"", f->ref.name);
	r = policy_check(f, (const char *const[]){ m.digest, m.top, NULL }, err);
	if (r == 0)
		r = describe_image(f, &m, &rec, err);
	if (r == 0)
		r = layers(f, &rec, err);
	return r < 0 ? r : hand_over(f, &rec, err);
}

static int log_in(struct fetcher *f, struct err *err)
{
	struct fetch_msg m = { .op = FETCH_LOGIN };
	int r = registry_login(f, f->job->image, err);

	return r < 0 ? r : fetcher_tell(f, &m, err);
}

static void tell_failure(struct fetcher *f, const struct err *err)
{
	struct fetch_msg m = { .op = FETCH_FAIL, .retry_after = f->retry_after };

	snprintf(m.reason, sizeof(m.reason), "%s", f->reason ? f->reason : "ErrImagePull");
	snprintf(m.text, sizeof(m.text), "%s", err->msg);
	fetcher_tell(f, &m, NULL);
}

static const struct source *source_of(enum transport t)
{
	static const struct source *const sources[] = {
		[TRANSPORT_REGISTRY] = &registry_source, [TRANSPORT_OCI] = &oci_source,
		[TRANSPORT_OCI_ARCHIVE] = &oci_source, [TRANSPORT_DOCKER_ARCHIVE] = &docker_source,
	};

	return sources[t];
}

int fetcher_run(const struct pull_job *job, int keeper, int memory)
{
	struct fetcher f = {
		.job = job, .keeper = keeper, .memory = memory,
		.platform = { job->architecture, streq(job->architecture, "arm64") ? "v8" : "" },
	};
	struct err err = { 0 };
	int r = transfers_init(&f.http);

	f.http.progress = on_progress;
	f.http.data = &f;
	if (r == 0 && job->task == PULL_LOGIN) {
		r = log_in(&f, &err);
	} else if (r == 0) {
		r = reference_parse(&f.arena, job->image, &f.ref, &err);
		f.source = source_of(f.ref.transport);
		r = r < 0 ? r : fetch_image(&f, &err);
		if (f.source->close)
			f.source->close(&f);
	}
	if (r < 0)
		tell_failure(&f, &err);
	transfers_release(&f.http);
	arena_release(&f.arena);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
