/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What control makes and must find again: ReplicaSets of Deployments, the history that undo goes
 * back to, and others like them. They come and go one by one, so that each lives in an arena of its
 * own. The status of a ReplicaSet is not saved, control works it out again. A pod template is stored
 * a second time with only what the user wrote: its hash covers just that, and must be the same after
 * a restart, or an upgrade with other defaults.
 */
#include "store/state.h"

#include "base/macro.h"
#include "schema/schema.h"

static uint32_t place(const struct store *s, const struct object_key *key, bool *ret_found)
{
	uint32_t lo = 0, hi = s->derived.n;

	*ret_found = false;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct object_key k = object_key(&s->derived.v[mid]);
		int c = object_key_cmp(&k, key);

		if (c == 0) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for one more at i. Memory that runs out ends the process, as in arenas. */
static void open_gap(struct store *s, uint32_t i)
{
	struct object_list *l = &s->derived;
	size_t after = l->n - i;

	l->v = reallocarray(l->v, l->n + 1, sizeof(*l->v));
	s->derived_records = reallocarray(s->derived_records, l->n + 1,
					     sizeof(*s->derived_records));
	if (!l->v || !s->derived_records)
		abort();
	memmove(l->v + i + 1, l->v + i, after * sizeof(*l->v));
	memmove(s->derived_records + i + 1, s->derived_records + i,
		after * sizeof(*s->derived_records));
	s->derived_records[i] = (struct derived_record){ 0 };
	l->n++;
}

static void put_at(struct store *s, uint32_t i, bool found, const struct object *o)
{
	struct arena a;

	arena_init(&a);
	struct object copy = object_copy(&a, o);
	if (!found)
		open_gap(s, i);
	arena_release(&s->derived_records[i].arena);	/* o may live there: copied first */
	s->derived_records[i].arena = a;
	s->derived.v[i] = copy;
	s->derived.v[i].stamp = ++s->derived_stamps;
}

/* The same object without what is not saved; body is where its copy lies. */
static struct object saved_part(const struct object *o, struct replicaset *body)
{
	struct object ret = *o;

	if (o->kind->id != KIND_REPLICASET)
		return ret;
	*body = *o->replicaset;
	body->status = (struct replicaset_status){ 0 };
	ret.replicaset = body;
	ret.meta = &body->metadata;
	return ret;
}

static bool saved_alike(const struct object *x, const struct object *y)
{
	struct replicaset bodies[2];
	struct object a = saved_part(x, &bodies[0]), b = saved_part(y, &bodies[1]);

	return schema_equal(a.kind->type, a.body, b.body);
}

void store_derived_put(struct store *s, const struct object *o)
{
	struct object_key key = object_key(o);
	bool found;
	uint32_t i = place(s, &key, &found);

	if (!found || !saved_alike(&s->derived.v[i], o))
		s->derived_dirty = true;
	put_at(s, i, found, o);
}

void store_derived_del(struct store *s, const struct object_key *key)
{
	struct object_list *l = &s->derived;
	bool found;
	uint32_t i = place(s, key, &found);

	if (!found)
		return;
	arena_release(&s->derived_records[i].arena);
	l->n--;
	memmove(l->v + i, l->v + i + 1, (l->n - i) * sizeof(*l->v));
	memmove(s->derived_records + i, s->derived_records + i + 1,
		(l->n - i) * sizeof(*s->derived_records));
	s->derived_dirty = true;
}

void derived_release(struct store *s)
{
	for (uint32_t i = 0; i < s->derived.n; i++)
		arena_release(&s->derived_records[i].arena);
	free(s->derived_records);
	free(s->derived.v);
}

const struct object_list *store_derived(const struct store *s)
{
	return &s->derived;
}

static void object_text(const struct object *o, struct buf *out)
{
	struct replicaset body;
	struct object plain = saved_part(o, &body);
	struct json j;

	json_init(&j, out, false);
	object_json(&j, &plain, 0);
}

static void template_text(const struct object *o, struct buf *out)
{
	const struct pod_template *t = object_template(o);
	struct json j;

	json_init(&j, out, false);
	if (t)
		schema_json_value(&j, &pod_template_type, t, DUMP_WRITTEN);
}

static void record_write(struct json *j, const struct object *o)
{
	struct object_key key = object_key(o);
	BUF_AUTO object = { 0 };
	BUF_AUTO template = { 0 };

	object_text(o, &object);
	template_text(o, &template);
	json_begin_object(j);
	state_key_write(j, &key);
	state_time_write(j, "created", o->meta->creation_timestamp);
	json_kstr(j, "object", buf_str(&object));
	json_kstr(j, "template", buf_str(&template));
	json_end_object(j);
}

int derived_save(struct store *s, struct err *err)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, true);
	json_begin_array(&j);
	for (uint32_t i = 0; i < s->derived.n; i++)
		record_write(&j, &s->derived.v[i]);
	json_end_array(&j);
	buf_putc(&out, '\n');
	int r = state_file_write(&s->derived_file, &out, err);
	if (r == 0)
		s->derived_dirty = false;
	return r;
}

/* Replaces *t, decoded from the whole object, by what the user wrote, completed again. Labels and
 * annotations stay: control adds to them. */
static int template_read(struct arena *a, const char *text, struct pod_template *t, struct err *err)
{
	struct pod_template *written = arena_new(a, struct pod_template);
	struct msgs m = { .arena = a };
	struct yaml_docs docs = { 0 };

	if (yaml_parse(a, "", text, strlen(text), &docs, &m) < 0 || docs.n != 1 ||
	    schema_decode_record(a, &pod_template_type, "", docs.v[0].root, "template", NULL, written,
				 &m) < 0)
		return err_set(err, -EBADMSG, "the template is damaged: %s", m.n ? m.v[0].text : "empty");
	pod_spec_complete(a, &written->spec);
	written->metadata.labels = t->metadata.labels;
	written->metadata.annotations = t->metadata.annotations;
	*t = *written;
	return 0;
}

static int record_read(struct arena *a, const struct state_file *f, size_t i, json_t *record,
		       struct object *ret, struct err *err)
{
	const char *created, *object, *template;
	struct err why = { 0 };
	json_error_t jwhy;

	if (json_unpack_ex(record, &jwhy, 0, "{s:s, s:s, s:s}", "created", &created, "object", &object,
			   "template", &template) < 0)
		return state_bad(f, i, err, "%s", jwhy.text);
	if (object_parse(a, object, strlen(object), ret, &why) < 0)
		return state_bad(f, i, err, "%s", why.msg);
	struct pod_template *t = object_template(ret);
	if (!t && ret->kind->id == KIND_REPLICASET)
		return state_bad(f, i, err, "there is no template");
	if (t && template_read(a, template, t, &why) < 0)
		return state_bad(f, i, err, "%s", why.msg);
	if (time_parse(created, &ret->meta->creation_timestamp) < 0)
		return state_bad(f, i, err, "\"%s\" is not a time", created);
	return 0;
}

int derived_load(struct store *s, struct err *err)
{
	JSON_AUTO *list = NULL;
	int r = state_file_read(&s->derived_file, &list, err);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		struct object o = { 0 };
		struct arena scratch;
		bool found;

		arena_init(&scratch);
		r = record_read(&scratch, &s->derived_file, i, json_array_get(list, i), &o, err);
		if (r == 0) {
			struct object_key key = object_key(&o);
			uint32_t at = place(s, &key, &found);
			put_at(s, at, found, &o);
		}
		arena_release(&scratch);
	}
	return r;
}
