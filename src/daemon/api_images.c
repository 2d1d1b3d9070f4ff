/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /apis/orch/v1/images: the store for people. What takes time is a process of its own whose news
 * are sent on as they come, one JSON object a line: progress, and the end, which is the only line
 * with "digest" or "error".
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/macro.h"
#include "base/reference.h"
#include "daemon/puller.h"
#include "daemon/request.h"

#define PIECE (256 * 1024)

struct task {
	struct stream stream;
	struct daemon *d;
	struct arena arena;
	struct puller *puller;
	struct buf lines;		/* not sent yet */
	bool over;
	/* login: what is kept when it is good */
	const char *registry, *user, *password;
	/* export */
	struct loop_io data;
};

/* ---- streams ---- */

static bool lines_more(struct stream *s, struct buf *out)
{
	struct task *t = container_of(s, struct task, stream);

	buf_add(out, buf_str(&t->lines), t->lines.len);
	buf_reset(&t->lines);
	return !t->over;
}

static void task_free(struct stream *s)
{
	struct task *t = container_of(s, struct task, stream);

	puller_drop(t->puller);
	loop_io_remove(t->d->loop, &t->data);
	fd_cleanup(&t->data.fd);
	buf_release(&t->lines);
	arena_release(&t->arena);
	free(t);
}

static struct task *task_new(struct request *q)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->d = q->d;
	t->stream = (struct stream){ lines_more, task_free, NULL };
	t->data.fd = -1;
	return t;
}

static void put_line(struct task *t, const struct pull_news *n)
{
	struct json j;

	json_init(&j, &t->lines, false);
	json_begin_object(&j);
	if (n->kind == PULL_FAILED) {
		json_kstr(&j, "reason", n->reason);
		json_kstr(&j, "error", n->text);
	} else if (n->kind == PULL_DONE) {
		json_kstr(&j, "digest", n->digest);
		json_kint(&j, "size", (int64_t)n->total);
	} else {
		json_kint(&j, "done", (int64_t)n->done);
		json_kint(&j, "total", (int64_t)n->total);
	}
	json_end_object(&j);
	buf_putc(&t->lines, '\n');
}

static void keep_login(struct task *t)
{
	struct err err = { 0 };

	if (images_put_credentials(t->d->images, t->registry, t->user, t->password, &err) == 0)
		put_line(t, &(struct pull_news){ .kind = PULL_DONE, .digest = t->registry });
	else
		put_line(t, &(struct pull_news){ .kind = PULL_FAILED, .reason = "InternalError",
						 .text = err.msg });
}

static void on_news(void *data, const struct pull_news *n)
{
	struct task *t = data;

	if (n->kind == PULL_DONE && t->registry)
		keep_login(t);
	else
		put_line(t, n);
	t->over = n->kind != PULL_PROGRESS;
	if (n->kind == PULL_DONE && !t->registry)
		images_forget(t->d->images);
	http_wake(&t->stream);
}

static void on_ended(void *data)
{
	struct task *t = data;

	t->puller = NULL;
}

/* The news become the reply. */
static void run(struct request *q, struct task *t, enum pull_task task, struct pull_job *job,
		int data_fd, struct puller_events ev, struct reply *r)
{
	struct err err = { 0 };
	int code = images_job(q->d->images, &t->arena, task, job, &err);

	if (code == 0)
		code = puller_start(q->d->loop, images_program(q->d->images), job, data_fd, ev,
				    &t->puller, &err);
	if (code < 0) {
		reply_error(r, &err);
		task_free(&t->stream);
		return;
	}
	r->stream = &t->stream;
}

/* The image that the query names, in full; false after a reply was made. */
static bool named_image(struct request *q, struct reference *ret, struct reply *r)
{
	const char *image = request_query(q, "image");
	struct err err = { 0 };

	if (image && reference_parse(&q->arena, image, ret, &err) == 0)
		return true;
	if (image)
		reply_error(r, &err);
	else
		reply_status(r, 400, "BadRequest", "which image? The query has no image=NAME");
	return false;
}

/* ---- tasks ---- */

void api_image_pull(struct request *q, struct reply *r)
{
	const char *name = request_query(q, "name");
	struct pull_job job = { 0 };
	struct reference ref, as;
	struct err err = { 0 };

	if (!named_image(q, &ref, r))
		return;
	if (name && reference_parse(&q->arena, name, &as, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	job.image = ref.name;
	job.name = name ? as.name : NULL;
	struct task *t = task_new(q);
	run(q, t, PULL_IMAGE, &job, -1, (struct puller_events){ on_news, on_ended, t }, r);
}

void api_image_prune(struct request *q, struct reply *r)
{
	struct pull_job job = { 0 };
	struct task *t = task_new(q);

	job.gc.all = request_flag(q, "all");
	run(q, t, PULL_GC, &job, -1, (struct puller_events){ on_news, on_ended, t }, r);
}

/* "Basic BASE64" as user and password. */
static bool read_login(struct request *q, struct task *t)
{
	const char *header = request_header(q, "Authorization");
	void *bytes;
	size_t n;

	if (!header || strncmp(header, "Basic ", 6) != 0 ||
	    base64_decode(&t->arena, header + 6, strlen(header) - 6, &bytes, &n) < 0)
		return false;
	char *user = arena_strndup(&t->arena, bytes, n), *colon = strchr(user, ':');

	if (!colon || colon == user)
		return false;
	*colon = '\0';
	t->user = user;
	t->password = colon + 1;
	return true;
}

/* As a file of credentials would have it. */
static const char *login_text(struct request *q, const struct task *t)
{
	const char *pair = arena_printf(&q->arena, "%s:%s", t->user, t->password);
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_begin_object(&j);
	json_key(&j, t->registry);
	json_begin_object(&j);
	json_kstr(&j, "auth", base64_encode(&q->arena, pair, strlen(pair)));
	json_end_object(&j);
	json_end_object(&j);
	return arena_strdup(&q->arena, buf_str(&text));
}

void api_image_login(struct request *q, struct reply *r)
{
	const char *registry = request_query(q, "registry");
	struct pull_job job = { 0 };
	struct task *t = task_new(q);
	struct reference ref;

	/* a host is what an image's name can begin with */
	if (!registry || !read_login(q, t) ||
	    reference_parse(&q->arena, arena_printf(&q->arena, "%s/x", registry), &ref, NULL) < 0 ||
	    !streq(ref.path, "x") || ref.transport != TRANSPORT_REGISTRY) {
		reply_status(r, 400, "BadRequest", "a registry, a user name and a password are needed");
		task_free(&t->stream);
		return;
	}
	t->registry = arena_strdup(&t->arena, registry);
	job.image = t->registry;
	*arena_push(&t->arena, &job.auths) = login_text(q, t);
	run(q, t, PULL_LOGIN, &job, -1, (struct puller_events){ on_news, on_ended, t }, r);
}

void api_image_logout(struct request *q, struct reply *r)
{
	const char *registry = request_query(q, "registry");
	struct err err = { 0 };

	if (!registry)
		reply_status(r, 400, "BadRequest", "which registry?");
	else if (images_put_credentials(q->d->images, registry, NULL, NULL, &err) < 0)
		reply_error(r, &err);
	else
		buf_puts(&r->body, "{}");
}

/* ---- export ---- */

static bool data_more(struct stream *s, struct buf *out)
{
	struct task *t = container_of(s, struct task, stream);
	char *piece = malloc(PIECE);
	ssize_t n;

	if (!piece)
		abort();
	n = read(t->data.fd, piece, PIECE);
	if (n > 0)
		buf_add(out, piece, (size_t)n);
	free(piece);
	if (n < 0 && errno == EAGAIN) {
		loop_io_events(t->d->loop, &t->data, EPOLLIN);
		return true;
	}
	return n > 0;
}

static void on_data(struct loop_io *io, uint32_t events)
{
	struct task *t = container_of(io, struct task, data);

	(void)events;
	loop_io_events(t->d->loop, io, 0);	/* until the client has taken what there is */
	http_wake(&t->stream);
}

void api_image_export(struct request *q, struct reply *r)
{
	struct pull_job job = { 0 };
	struct image_record record;
	struct reference ref;
	struct err err = { 0 };
	int pipes[2];

	if (!named_image(q, &ref, r))
		return;
	job.image = ref.name;
	if (image_store_find(images_store(q->d->images), ref.name, &q->arena, &record, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		reply_status(r, 500, "InternalError", "pipe: %s", strerror(errno));
		return;
	}
	FD_AUTO to = pipes[1];
	struct task *t = task_new(q);
	t->data.fd = pipes[0];
	t->stream.more = data_more;
	fcntl(t->data.fd, F_SETFL, O_NONBLOCK);
	loop_io_add(q->d->loop, &t->data, t->data.fd, EPOLLIN, on_data);
	run(q, t, PULL_EXPORT, &job, to, (struct puller_events){ NULL, on_ended, t }, r);
	if (r->stream)
		r->type = "application/x-tar";
}

/* ---- at once ---- */

static void put_list(struct json *j, const char *key, const char *const *v)
{
	json_key(j, key);
	json_begin_array(j);
	for (; *v; v++)
		json_str(j, *v);
	json_end_array(j);
}

static void put_layers(struct json *j, const struct image_record *r)
{
	json_key(j, "layers");
	json_begin_array(j);
	for (uint32_t i = 0; i < r->layers.n; i++) {
		json_begin_object(j);
		json_kstr(j, "digest", r->layers.v[i].digest);
		json_kstr(j, "mediaType", r->layers.v[i].media_type);
		json_kint(j, "size", (int64_t)r->layers.v[i].size);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_config(struct json *j, const struct image_record *r)
{
	put_list(j, "entrypoint", r->entrypoint);
	put_list(j, "cmd", r->cmd);
	put_list(j, "env", r->env);
	json_kstr(j, "workdir", r->workdir);
	json_kstr(j, "user", r->user);
	json_kstr(j, "ids", r->ids);
	json_kstr(j, "stopSignal", r->stop_signal);
	put_list(j, "ports", r->ports);
	put_list(j, "volumes", r->volumes);
	put_list(j, "labels", r->labels);
}

static void put_time(struct json *j, const char *key, int64_t seconds)
{
	char text[32];

	if (!seconds)
		return;
	time_format(seconds * NSEC, text);
	json_kstr(j, key, text);
}

static void put_image(struct json *j, const struct image_record *r, bool all)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < r->layers.n; i++)
		size += r->layers.v[i].size;
	json_begin_object(j);
	json_kstr(j, "name", r->ref);
	json_kstr(j, "digest", r->digest);
	json_kstr(j, "index", r->index);
	json_kstr(j, "id", r->config);
	json_kstr(j, "platform", r->platform);
	json_kint(j, "size", (int64_t)size);
	put_time(j, "created", r->created_at);
	put_time(j, "pulled", r->pulled_at);
	put_layers(j, r);
	if (all)
		put_config(j, r);
	json_end_object(j);
}

static void put_usage(struct json *j, const struct image_store_usage *u)
{
	const struct { const char *key; uint64_t n; } rows[] = {
		{ "images", u->images }, { "layers", u->layers }, { "blobs", u->blobs },
		{ "layerBytes", u->layer_bytes }, { "blobBytes", u->blob_bytes },
		{ "partialBytes", u->partial_bytes }, { "unusedBytes", u->unused_bytes },
		{ "diskBytes", u->disk_bytes }, { "diskFree", u->disk_free },
	};

	json_begin_object(j);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		json_kint(j, rows[i].key, (int64_t)rows[i].n);
	json_end_object(j);
}

void api_images(struct request *q, struct reply *r)
{
	struct image_store *s = images_store(q->d->images);
	struct image_store_usage usage;
	struct image_records all;
	struct err err = { 0 };
	struct json j;

	if (image_store_list(s, &q->arena, &all, &err) < 0 ||
	    image_store_usage(s, &usage, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_key(&j, "items");
	json_begin_array(&j);
	for (uint32_t i = 0; i < all.n; i++)
		put_image(&j, &all.v[i], false);
	json_end_array(&j);
	json_key(&j, "usage");
	put_usage(&j, &usage);
	json_end_object(&j);
}

void api_image_inspect(struct request *q, struct reply *r)
{
	struct image_record record;
	struct reference ref;
	struct err err = { 0 };
	struct json j;

	if (!named_image(q, &ref, r))
		return;
	if (image_store_find(images_store(q->d->images), ref.name, &q->arena, &record, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	json_init(&j, &r->body, false);
	put_image(&j, &record, true);
}

void api_image_remove(struct request *q, struct reply *r)
{
	struct reference ref;
	struct err err = { 0 };

	if (!named_image(q, &ref, r))
		return;
	if (image_store_remove(images_store(q->d->images), ref.name, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	images_removed(q->d->images);
	buf_puts(&r->body, "{}");
}
