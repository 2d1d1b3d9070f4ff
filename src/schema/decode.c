/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From tree to struct. A mapping is decoded key by key in the order of the file, each value by
 * the function of its kind; then come required fields, defaults, and the type's check. A check
 * sees a struct only when everything in it has the right shape, so it need not look for what a
 * decoding error left out. Fields that the server sets are stepped over, except in records.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/check.h"
#include "schema/scalar.h"
#include "schema/schema.h"
#include "schema/walk.h"

#define ERRORS_MAX 200		/* of one document; who made more wants to see the first */
#define UNKNOWN_MAX 20		/* of one mapping */

struct decode {
	struct arena *a;
	struct msgs *msgs;
	const char *file;
	struct buf path;
	bool record;
	unsigned errors;
	unsigned broken;	/* errors after which values are missing */
};

/* value: the member, zeroed. 0 or -EINVAL after telling why. */
typedef int (*decoder)(struct decode *d, const struct field *f, const struct ynode *n, void *value);
static int decode_struct(struct decode *d, const struct type *t, const struct ynode *n,
			 const char *const *skip, void *dst);

static int fail(struct decode *d, const struct ynode *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int fail(struct decode *d, const struct ynode *n, const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	if (++d->errors > ERRORS_MAX)
		return -EINVAL;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (d->errors == ERRORS_MAX)
		buf_puts(&text, "; further errors of this document are left out");
	msgs_add(d->msgs, false, d->file, n->line, n->col, buf_str(&d->path), "%s", buf_str(&text));
	return -EINVAL;
}

static int broken(struct decode *d, const struct ynode *n, const char *expected, const char *hint)
{
	static const char *const shapes[] = { [Y_MAP] = "a mapping", [Y_SEQ] = "a list" };
	static const char *const types[] = {
		[SCALAR_STR] = "the string", [SCALAR_NULL] = "null",
		[SCALAR_BOOL] = "the boolean", [SCALAR_INT] = "the number",
		[SCALAR_FLOAT] = "the number",
	};

	d->broken++;
	if (n->kind != Y_SCALAR)
		return fail(d, n, "expected %s, not %s", expected, shapes[n->kind]);
	enum scalar_type type = scalar_resolve(n).type;
	const char *quote = type == SCALAR_STR ? "\"" : "";
	if (type == SCALAR_NULL)
		return fail(d, n, "expected %s, not null%s", expected, hint);
	return fail(d, n, "expected %s, not %s %s%.60s%s%s", expected, types[type], quote, n->text,
		    quote, hint);
}

/* A string as C has it: no NUL in it. */
static int take_text(struct decode *d, const struct ynode *n, const char **ret)
{
	if (strlen(n->text) != n->len) {
		d->broken++;
		return fail(d, n, "a NUL character cannot stand in a string");
	}
	*ret = arena_strndup(d->a, n->text, n->len);
	return 0;
}

static int decode_str(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	(void)f;
	if (n->kind != Y_SCALAR)
		return broken(d, n, "a string", "");
	if (scalar_resolve(n).type != SCALAR_STR) {
		const char *hint = arena_printf(d->a, "; quote it: \"%.60s\"", n->text);
		return broken(d, n, "a string", hint);
	}
	return take_text(d, n, value);
}

static int decode_bool(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	bool quoted = false;

	(void)f;
	if (ynode_bool(n, value))
		return 0;
	if (n->kind == Y_SCALAR && !n->plain)
		quoted = scalar_resolve_text(n->text).type == SCALAR_BOOL;
	return broken(d, n, "true or false", quoted ? "; remove the quotes" : "");
}

static int out_of_range(struct decode *d, const struct field *f, const struct ynode *n,
			int64_t lo, int64_t hi)
{
	if (hi >= INT32_MAX && lo > INT32_MIN && n->text[0] == '-')
		return fail(d, n, "%s is less than %" PRId64, n->text, lo);
	if (!f->max)
		return fail(d, n, "%s is out of range", n->text);
	return fail(d, n, "%s is not in %" PRId64 "-%" PRId64, n->text, lo, hi);
}

static int decode_int(struct decode *d, const struct field *f, const struct ynode *n, int64_t lo,
		      int64_t hi, int64_t *ret)
{
	if (n->kind != Y_SCALAR)
		return broken(d, n, "an integer", "");
	struct scalar s = scalar_resolve(n);
	if (s.type == SCALAR_STR) {
		enum scalar_type bare = n->plain ? SCALAR_STR : scalar_resolve_text(n->text).type;
		return broken(d, n, "an integer", bare == SCALAR_INT ? "; remove the quotes" : "");
	}
	if (n->plain && scalar_bad_octal(n->text))
		return broken(d, n, "an integer", ": digits after a leading 0 are octal");
	if (f->max && !d->record) {
		lo = f->min;
		hi = f->max;
	}
	if (s.type == SCALAR_FLOAT && s.f == trunc(s.f)) {
		if (fabs(s.f) > 9e15)
			return out_of_range(d, f, n, lo, hi);
		s.i = (int64_t)s.f;
	} else if (s.type != SCALAR_INT) {
		return broken(d, n, "an integer", "");
	}
	*ret = s.i;
	return s.i < lo || s.i > hi ? out_of_range(d, f, n, lo, hi) : 0;
}

static int decode_i32(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	int64_t v = 0;
	int r = decode_int(d, f, n, INT32_MIN, INT32_MAX, &v);

	if (r == 0)
		*(int32_t *)value = (int32_t)v;
	return r;
}

static int decode_i64(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	int64_t v = 0;
	int r = decode_int(d, f, n, INT64_MIN, INT64_MAX, &v);

	if (r == 0)
		*(int64_t *)value = v;
	return r;
}

static int unknown_word(struct decode *d, const struct field *f, const struct ynode *n)
{
	const char *near = suggest(n->text, f->values->values + 1);
	BUF_AUTO text = { 0 };

	for (const char *const *w = f->values->values + 1; *w; w++) {
		const char *between = w[1] ? ", " : " or ";
		buf_printf(&text, "%s%s", text.len ? between : "", *w);
	}
	if (near)
		return fail(d, n, "\"%.60s\" is not %s; did you mean \"%s\"?", n->text,
			    buf_str(&text), near);
	return fail(d, n, "\"%.60s\" is not %s", n->text, buf_str(&text));
}

static int decode_enum(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	if (n->kind != Y_SCALAR || scalar_resolve(n).type != SCALAR_STR)
		return broken(d, n, "a word", "");
	for (unsigned i = 1; f->values->values[i]; i++) {
		if (streq(f->values->values[i], n->text)) {
			*(unsigned *)value = i;
			return 0;
		}
	}
	return unknown_word(d, f, n);
}

/* Numbers count by what they mean (0x10 is 16), decimal fractions by their text (1.10). */
static int decode_qty(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	(void)f;
	if (n->kind != Y_SCALAR)
		return broken(d, n, "a quantity", "");
	struct scalar s = scalar_resolve(n);
	if (s.type == SCALAR_BOOL || s.type == SCALAR_NULL)
		return broken(d, n, "a quantity", "");
	const char *text = n->text;
	if (s.type == SCALAR_INT && (text[0] < '1' || text[strspn(text, "0123456789")]))
		text = arena_printf(d->a, "%" PRId64, s.i);
	if (strlen(n->text) == n->len && quantity_parse(d->a, text, value) == 0)
		return 0;
	return fail(d, n, "\"%.60s\" is no quantity, like 500m, 2, 128Mi or 1G", n->text);
}

static int decode_intstr(struct decode *d, const struct field *f, const struct ynode *n,
			 void *value)
{
	struct intstr *v = value;
	int64_t num = 0;

	if (n->kind != Y_SCALAR)
		return broken(d, n, "a number or a string", "");
	struct scalar s = scalar_resolve(n);
	if (s.type == SCALAR_STR)
		return take_text(d, n, &v->str);
	if (s.type == SCALAR_BOOL || s.type == SCALAR_NULL)
		return broken(d, n, "a number or a string", "");
	int r = decode_int(d, f, n, INT32_MIN, INT32_MAX, &num);
	v->num = (int32_t)num;
	return r;
}

static int decode_time(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	(void)f;
	if (n->kind != Y_SCALAR || scalar_resolve(n).type != SCALAR_STR)
		return broken(d, n, "a time like 2026-11-21T10:00:00Z", "");
	if (time_parse(n->text, value) == 0)
		return 0;
	return fail(d, n, "\"%.60s\" is no time like 2026-11-21T10:00:00Z", n->text);
}

static int decode_obj(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	void *sub = arena_alloc(d->a, f->sub->size);

	*(void **)value = sub;
	return decode_struct(d, f->sub, n, NULL, sub);
}

static int decode_inline(struct decode *d, const struct field *f, const struct ynode *n,
			 void *value)
{
	return decode_struct(d, f->sub, n, NULL, value);
}

static int decode_list(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	struct list *l = value;
	int ret = 0;

	if (n->kind != Y_SEQ)
		return broken(d, n, "a list", "");
	l->v = arena_alloc(d->a, n->n * f->sub->size);
	l->n = n->n;
	for (uint32_t i = 0; i < n->n; i++) {
		size_t before = path_index(&d->path, i);
		int r = decode_struct(d, f->sub, n->values[i], NULL, list_at(l, f->sub, i));
		path_cut(&d->path, before);
		ret = ret ? ret : r;
	}
	return ret;
}

static void run_check(struct decode *d, const struct field *f, const struct ynode *n,
		      const void *value)
{
	struct check c = { .msgs = d->msgs, .file = d->file, .node = n, .path = &d->path };
	unsigned before = d->msgs->errors;

	if (!f->check || d->record || d->errors >= ERRORS_MAX)
		return;
	f->check(&c, value);
	d->errors += d->msgs->errors - before;
}

static int decode_strs(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	struct strs *l = value;
	int ret = 0;

	if (n->kind != Y_SEQ)
		return broken(d, n, "a list of strings", "");
	l->v = arena_array(d->a, const char *, n->n);
	l->n = n->n;
	for (uint32_t i = 0; i < n->n; i++) {
		size_t before = path_index(&d->path, i);
		int r = decode_str(d, f, n->values[i], &l->v[i]);
		if (r == 0)
			run_check(d, f, n->values[i], &l->v[i]);
		else
			l->v[i] = "";
		path_cut(&d->path, before);
		ret = ret ? ret : r;
	}
	return ret;
}

static int decode_ints(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	struct ints *l = value;
	int ret = 0;

	if (n->kind != Y_SEQ)
		return broken(d, n, "a list of integers", "");
	l->v = arena_array(d->a, int64_t, n->n);
	l->n = n->n;
	for (uint32_t i = 0; i < n->n; i++) {
		size_t before = path_index(&d->path, i);
		int r = decode_i64(d, f, n->values[i], &l->v[i]);
		if (r == 0)
			run_check(d, f, n->values[i], &l->v[i]);
		path_cut(&d->path, before);
		ret = ret ? ret : r;
	}
	return ret;
}

static int map_key(struct decode *d, const struct ynode *key, const char **ret)
{
	if (!scalar_is_key(key)) {
		d->broken++;
		return fail(d, key, SCALAR_NO_KEY, key->text);
	}
	*ret = arena_strdup(d->a, key->text);
	return 0;
}

/* What the three maps have in common: sorted pairs that begin with the key. */
struct map_shape {
	size_t pair, value;	/* size of a pair, where its value begins */
	decoder decode;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Most are written in order. */
static void sort_pairs(struct list *l, size_t pair)
{
	for (uint32_t i = 1; i < l->n; i++) {
		char *at = (char *)l->v + i * pair;

		if (by_key(at - pair, at) <= 0)
			continue;
		qsort(l->v, l->n, pair, by_key);
		return;
	}
}

static int decode_pairs(struct decode *d, const struct field *f, const struct ynode *n,
			const struct map_shape *shape, struct list *l)
{
	int ret = 0;

	if (n->kind != Y_MAP)
		return broken(d, n, "a mapping", "");
	l->v = arena_alloc(d->a, n->n * shape->pair);
	for (uint32_t i = 0; i < n->n; i++) {
		char *pair = (char *)l->v + l->n * shape->pair;
		size_t before = path_entry(&d->path, n->keys[i]->text);
		int r = map_key(d, n->keys[i], (const char **)pair);
		if (r == 0)
			r = shape->decode(d, f, n->values[i], pair + shape->value);
		if (r == 0) {
			run_check(d, f, n->values[i], pair);
			l->n++;
		} else {
			memset(pair, 0, shape->pair);
		}
		path_cut(&d->path, before);
		ret = ret ? ret : r;
	}
	sort_pairs(l, shape->pair);
	return ret;
}

/* As in Go, null is the empty string in a map of strings. */
static int entry_str(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	if (ynode_is_null(n)) {
		*(const char **)value = "";
		return 0;
	}
	return decode_str(d, f, n, value);
}

static int entry_bytes(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	struct bytes *v = value;
	void *data = NULL;

	(void)f;
	if (ynode_is_null(n)) {
		v->data = "";
		return 0;
	}
	if (n->kind != Y_SCALAR || (n->plain && scalar_resolve(n).type == SCALAR_BOOL))
		return broken(d, n, "base64 text", "");
	if (base64_decode(d->a, n->text, n->len, &data, &v->len) < 0)
		return fail(d, n, "not base64; plain text belongs in stringData or data");
	v->data = data;
	return 0;
}

static int decode_map(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	static const struct map_shape shape = {
		sizeof(struct strpair), offsetof(struct strpair, v), entry_str,
	};
	return decode_pairs(d, f, n, &shape, value);
}

static int decode_qmap(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	static const struct map_shape shape = {
		sizeof(struct qtypair), offsetof(struct qtypair, v), decode_qty,
	};
	return decode_pairs(d, f, n, &shape, value);
}

static int decode_bmap(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	static const struct map_shape shape = {
		sizeof(struct bytepair), offsetof(struct bytepair, v), entry_bytes,
	};
	return decode_pairs(d, f, n, &shape, value);
}

static int decode_any(struct decode *d, const struct field *f, const struct ynode *n, void *value)
{
	size_t before = d->path.len;
	BUF_AUTO text = { 0 };
	struct json j;
	struct err err;

	(void)f;
	json_init(&j, &text, false);
	if (ynode_json(n, &j, &d->path, &err) == 0) {
		*(const char **)value = arena_strdup(d->a, buf_str(&text));
		return 0;
	}
	d->broken++;
	fail(d, &(struct ynode){ .line = err.line, .col = err.col }, "%s", err.msg);
	path_cut(&d->path, before);
	return -EINVAL;
}

static const struct { decoder decode; bool checks_itself; } kinds[] = {
	[K_BOOL] = { decode_bool, false }, [K_I32] = { decode_i32, false },
	[K_I64] = { decode_i64, false }, [K_STR] = { decode_str, false },
	[K_ENUM] = { decode_enum, false }, [K_QTY] = { decode_qty, false },
	[K_INTSTR] = { decode_intstr, false }, [K_TIME] = { decode_time, false },
	[K_OBJ] = { decode_obj, false }, [K_INLINE] = { decode_inline, false },
	[K_LIST] = { decode_list, false }, [K_STRS] = { decode_strs, true },
	[K_INTS] = { decode_ints, true },
	[K_MAP] = { decode_map, true }, [K_QMAP] = { decode_qmap, true },
	[K_BMAP] = { decode_bmap, true }, [K_ANY] = { decode_any, false },
};

/* null, and "" where a word is wanted, are as if the field were not there. */
static bool absent(const struct field *f, const struct ynode *n)
{
	return ynode_is_null(n) || (f->kind == K_ENUM && n->kind == Y_SCALAR && n->len == 0);
}

/* An empty list or string asks for nothing: no reason to turn a manifest away. */
static void refuse(struct decode *d, const struct field *f, const struct ynode *n)
{
	bool empty = n->kind == Y_SCALAR ? n->len == 0 : n->kind == Y_SEQ && n->n == 0;

	if (!empty && !d->record)
		fail(d, n, "not supported by orch: %s", f->doc);
}

/* Does the value ask for what happens without the field, too: nothing, false, or its default? */
static bool asks_nothing(struct decode *d, const struct field *f, const struct ynode *n,
			 const void *value)
{
	union { struct quantity q; struct intstr i; int64_t n; const void *p; } dflt = { 0 };

	if (n->kind != Y_SCALAR)
		return n->n == 0;
	if (f->dflt) {
		default_from_text(d->a, f, &dflt);
		return value_equal(f, value, &dflt);
	}
	return f->kind == K_BOOL ? value_is_zero(f, value) : f->kind == K_STR && n->len == 0;
}

static void note(struct decode *d, const struct field *f, const struct ynode *n,
		 const void *value)
{
	if (!d->record && !asks_nothing(d, f, n, value))
		msgs_add(d->msgs, true, d->file, n->line, n->col, buf_str(&d->path),
			 "known to Kubernetes, not acted on by orch");
}

static void take_field(struct decode *d, const struct type *t, unsigned row,
		       const struct ynode *n, void *dst)
{
	const struct field *f = &t->fields[row];
	void *value = field_at(dst, f);
	unsigned broken_before = d->broken;
	int r = kinds[f->kind].decode(d, f, n, value);

	((struct node *)dst)->set |= UINT64_C(1) << row;
	/* of a struct whose parts have their shape only a check can have failed */
	if (r < 0)
		d->broken += !f->sub && d->broken == broken_before;
	else if (!kinds[f->kind].checks_itself)
		run_check(d, f, n, value);
	if (r == 0 && (f->flags & F_NOTED))
		note(d, f, n, value);
}

static void decode_field(struct decode *d, const struct type *t, unsigned row,
			 const struct ynode *n, void *dst)
{
	const struct field *f = &t->fields[row];

	if (absent(f, n) || ((f->flags & F_SERVER) && !d->record))
		return;
	size_t before = path_key(&d->path, f->key);
	if (f->flags & F_REFUSED)
		refuse(d, f, n);
	else
		take_field(d, t, row, n, dst);
	path_cut(&d->path, before);
}

static bool listed(const char *const *words, const char *word)
{
	for (; words && *words; words++) {
		if (streq(*words, word))
			return true;
	}
	return false;
}

/* People write fields in about the order of the rows: the search goes round from the row after the
 * last one that was found. */
static int row_of(const struct type *t, const char *key, unsigned from)
{
	for (unsigned n = 0, i = from; n < t->nfields; n++, i++) {
		i = i < t->nfields ? i : 0;
		if (*t->fields[i].key == *key && streq(t->fields[i].key, key))
			return (int)i;
	}
	return -1;
}

static void unknown_field(struct decode *d, const struct type *t, const struct ynode *key)
{
	const char *keys[65] = { NULL };

	for (unsigned i = 0; i < MIN(t->nfields, 64u); i++)
		keys[i] = t->fields[i].key;
	const char *near = suggest(key->text, keys);
	if (near)
		fail(d, key, "unknown field \"%.60s\"; did you mean \"%s\"?", key->text, near);
	else
		fail(d, key, "unknown field \"%.60s\"", key->text);
}

static void require(struct decode *d, const struct type *t, const struct ynode *n, const void *dst)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		if (!(t->fields[i].flags & F_REQUIRED) || field_set(dst, i))
			continue;
		size_t before = path_key(&d->path, t->fields[i].key);
		fail(d, n, "missing; it is required");
		path_cut(&d->path, before);
		d->broken++;
	}
}

/* Unset fields of this struct; those of structs in the file have had theirs. */
static void own_defaults(struct decode *d, const struct type *t, void *dst)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		void *value = field_at(dst, f);

		if (field_set(dst, i))
			continue;
		if (f->kind == K_INLINE)
			schema_defaults(d->a, f->sub, value);
		else if (f->dflt)
			default_from_text(d->a, f, value);
	}
}

static int decode_struct(struct decode *d, const struct type *t, const struct ynode *n,
			 const char *const *skip, void *dst)
{
	struct node *node = dst;
	unsigned before = d->errors, broken_before = d->broken, unknown = 0, next = 0;

	if (n->kind != Y_MAP)
		return broken(d, n, "a mapping", "");
	node->line = n->line;
	node->col = n->col;
	for (uint32_t i = 0; i < n->n; i++) {
		int row = row_of(t, n->keys[i]->text, next);
		if (row >= 0)
			decode_field(d, t, (unsigned)row, n->values[i], dst);
		else if (!listed(skip, n->keys[i]->text) && !d->record && unknown++ < UNKNOWN_MAX)
			unknown_field(d, t, n->keys[i]);
		next = (unsigned)row + 1;
	}
	if (!d->record)
		require(d, t, n, dst);
	own_defaults(d, t, dst);
	if (t->check && !d->record && d->broken == broken_before && d->errors < ERRORS_MAX) {
		struct check c = { .msgs = d->msgs, .file = d->file, .node = n, .path = &d->path };
		unsigned told = d->msgs->errors;
		t->check(&c, dst);
		d->errors += d->msgs->errors - told;
	}
	return d->errors == before ? 0 : -EINVAL;
}

static int decode_root(struct decode d, const struct type *t, const struct ynode *n,
		       const char *path, const char *const *skip, void *dst)
{
	buf_puts(&d.path, path ? path : "");
	int r = decode_struct(&d, t, n, skip, dst);
	buf_release(&d.path);
	return r;
}

int schema_decode(struct arena *a, const struct type *t, const char *file, const struct ynode *n,
		  const char *path, const char *const *skip, void *dst, struct msgs *m)
{
	struct decode d = { .a = a, .msgs = m, .file = file };

	return decode_root(d, t, n, path, skip, dst);
}

int schema_decode_record(struct arena *a, const struct type *t, const char *file,
			 const struct ynode *n, const char *path, const char *const *skip,
			 void *dst, struct msgs *m)
{
	struct decode d = { .a = a, .msgs = m, .file = file, .record = true };

	return decode_root(d, t, n, path, skip, dst);
}
