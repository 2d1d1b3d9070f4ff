/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches. A watch is a stream with a cursor into the view: each time anything changed it writes
 * what lies after the cursor and moves on. It remembers which objects its client knows, since an
 * object whose labels change may begin or cease to be what was asked for: the client is then told
 * that it was added or deleted, as Kubernetes does.
 */
#include "base/macro.h"
#include "daemon/query.h"
#include "daemon/table.h"

struct watch_stream {
	struct stream stream;
	struct daemon *d;
	struct query query;
	uint64_t cursor;
	/* what the client knows, by the version of creation, which no two entries share; sorted */
	struct { uint64_t *v; uint32_t n, cap; } told;
	bool from_list;		/* begin with everything there is */
	bool expired;
	struct loop_timer timer;
};

/* Where id is or would be among what was told. */
static uint32_t place(const struct watch_stream *w, uint64_t id)
{
	uint32_t lo = 0, hi = w->told.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (w->told.v[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool knows(const struct watch_stream *w, uint64_t id)
{
	uint32_t at = place(w, id);

	return at < w->told.n && w->told.v[at] == id;
}

static void learn(struct watch_stream *w, uint64_t id)
{
	uint32_t at = place(w, id);

	if (w->told.n == w->told.cap) {
		w->told.cap = w->told.cap ? w->told.cap * 2 : 32;
		w->told.v = realloc(w->told.v, w->told.cap * sizeof(*w->told.v));
		if (!w->told.v)
			abort();
	}
	memmove(w->told.v + at + 1, w->told.v + at, (w->told.n - at) * sizeof(*w->told.v));
	w->told.v[at] = id;
	w->told.n++;
}

static void forget(struct watch_stream *w, uint64_t id)
{
	uint32_t at = place(w, id);

	w->told.n--;
	memmove(w->told.v + at, w->told.v + at + 1, (w->told.n - at) * sizeof(*w->told.v));
}

static void put_event(struct buf *out, const char *type, const struct query *y,
		      const struct object *o)
{
	struct json j;

	json_init(&j, out, false);
	json_begin_object(&j);
	json_kstr(&j, "type", type);
	json_key(&j, "object");
	if (y->table) {
		json_begin_object(&j);
		json_kstr(&j, "kind", "Table");
		json_kstr(&j, "apiVersion", "meta.k8s.io/v1");
		json_key(&j, "metadata");
		json_begin_object(&j);
		json_kstr(&j, "resourceVersion", o->meta->resource_version);
		json_end_object(&j);
		table_columns(&j, y->kind->id);
		json_key(&j, "rows");
		json_begin_array(&j);
		table_row(&j, o, y->full, time_now());
		json_end_array(&j);
		json_end_object(&j);
	} else {
		object_json(&j, o, 0);
	}
	json_end_object(&j);
	buf_putc(out, '\n');
}

/* One entry as it is now: what does the client have to hear? */
static void tell(struct watch_stream *w, const struct view_entry *e, struct buf *out)
{
	bool known = knows(w, e->created);
	bool matches = !e->deleted && query_matches(&w->query, &e->object);

	if (!known && !matches)
		return;
	put_event(out, !matches ? "DELETED" : known ? "MODIFIED" : "ADDED", &w->query, &e->object);
	if (!known)
		learn(w, e->created);
	else if (!matches)
		forget(w, e->created);
}

static void tell_all(struct watch_stream *w, struct buf *out)
{
	uint32_t n;
	struct view_entry **v = view_list(w->d->view, w->query.kind->id, &n);

	for (uint32_t i = 0; i < n; i++)
		tell(w, v[i], out);
	w->from_list = false;
}

/* What the client got from the list that it goes on from, as far as that can still be told. */
static void assume_told(struct watch_stream *w)
{
	enum kind_id kind = w->query.kind->id;
	struct view_entry **v, *e;
	uint32_t n;

	v = view_list(w->d->view, kind, &n);
	for (uint32_t i = 0; i < n; i++)
		if (v[i]->created <= w->cursor && query_matches(&w->query, &v[i]->object))
			learn(w, v[i]->created);
	if (view_changes(w->d->view, kind, w->cursor, &e) < 0)
		return;
	for (; e; e = view_next_change(w->d->view, e, kind))
		if (e->deleted && e->created <= w->cursor && query_matches(&w->query, &e->object))
			learn(w, e->created);
}

static bool put_expired(struct buf *out)
{
	buf_puts(out, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
		      "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource version\","
		      "\"reason\":\"Expired\",\"code\":410}}\n");
	return false;
}

static bool watch_more(struct stream *s, struct buf *out)
{
	struct watch_stream *w = container_of(s, struct watch_stream, stream);
	enum kind_id kind = w->query.kind->id;
	struct view_entry *e = NULL;

	if (w->from_list)
		tell_all(w, out);
	else if (view_changes(w->d->view, kind, w->cursor, &e) < 0)
		return put_expired(out);
	for (; e; e = view_next_change(w->d->view, e, kind))
		tell(w, e, out);
	/* what others changed is behind us, too: the cursor must not grow old */
	w->cursor = view_version(w->d->view);
	return !w->expired;
}

static void watch_free_stream(struct stream *s)
{
	struct watch_stream *w = container_of(s, struct watch_stream, stream);

	loop_timer_cancel(w->d->loop, &w->timer);
	query_release(&w->query);
	free(w->told.v);
	free(w);
}

static void on_timeout(struct loop_timer *t)
{
	struct watch_stream *w = container_of(t, struct watch_stream, timer);

	w->expired = true;
	http_wake(&w->stream);
}

void watch_start(struct request *q, struct query *y, struct reply *r)
{
	const char *from = request_query(q, "resourceVersion");
	int64_t seconds = request_int(q, "timeoutSeconds", 0);
	struct watch_stream *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->stream = (struct stream){ watch_more, watch_free_stream, NULL };
	w->d = q->d;
	w->query = *y;
	*y = (struct query){ 0 };
	w->from_list = !from || !*from || streq(from, "0");
	w->cursor = w->from_list ? 0 : strtoull(from, NULL, 10);
	if (!w->from_list)
		assume_told(w);
	if (seconds > 0)
		loop_timer_at(q->d->loop, &w->timer, time_mono() + seconds * NSEC, on_timeout);
	r->stream = &w->stream;
}
