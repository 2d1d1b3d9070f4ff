/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a record; see record.h. A field is one row: its key, its kind and where it is in the
 * struct. Rows are in the order of the text; a list is any number of lines of its key, the others
 * are one line each. Reading and writing walk the same rows, so neither knows more than the other.
 */
#include "image/record.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/reference.h"

#define HEAD "orch-image 1\n"
#define LIST_MAX 4096

enum kind { TEXT, DIGEST, DIGEST_OR_NONE, SIZE, TIME, LIST, LAYERS };

static const struct field {
	const char *key;
	enum kind kind;
	size_t offset;
} fields[] = {
#define ROW(key, kind, member) { key, kind, offsetof(struct image_record, member) }
	ROW("ref", TEXT, ref),
	ROW("digest", DIGEST, digest),
	ROW("type", TEXT, media_type),
	ROW("size", SIZE, manifest_size),
	ROW("index", DIGEST_OR_NONE, index),
	ROW("config", DIGEST, config),
	ROW("configsize", SIZE, config_size),
	ROW("platform", TEXT, platform),
	ROW("created", TIME, created_at),
	ROW("pulled", TIME, pulled_at),
	ROW("layer", LAYERS, layers),
	ROW("entrypoint", LIST, entrypoint),
	ROW("cmd", LIST, cmd),
	ROW("env", LIST, env),
	ROW("workdir", TEXT, workdir),
	ROW("user", TEXT, user),
	ROW("ids", TEXT, ids),
	ROW("stop", TEXT, stop_signal),
	ROW("port", LIST, ports),
	ROW("volume", LIST, volumes),
	ROW("label", LIST, labels),
#undef ROW
};

/* ---- writing ---- */

static void put_line(struct buf *out, const char *key, const char *value)
{
	buf_puts(out, key);
	buf_putc(out, ' ');
	for (; *value; value++) {
		if (*value == '\n')
			buf_puts(out, "\\n");
		else if (*value == '\\')
			buf_puts(out, "\\\\");
		else
			buf_putc(out, *value);
	}
	buf_putc(out, '\n');
}

static void put_layers(struct buf *out, const char *key, const struct image_layers *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		buf_printf(out, "%s %s %s %" PRIu64 " %s\n", key, l->v[i].digest, l->v[i].diff,
			   l->v[i].size, l->v[i].media_type);
}

static void put_field(struct buf *out, const struct field *f, const struct image_record *r)
{
	const void *p = (const char *)r + f->offset;

	switch (f->kind) {
	case TEXT:
	case DIGEST:
	case DIGEST_OR_NONE:
		put_line(out, f->key, *(const char *const *)p);
		break;
	case SIZE:
		buf_printf(out, "%s %" PRIu64 "\n", f->key, *(const uint64_t *)p);
		break;
	case TIME:
		buf_printf(out, "%s %" PRId64 "\n", f->key, *(const int64_t *)p);
		break;
	case LIST:
		for (const char *const *v = *(const char *const *const *)p; *v; v++)
			put_line(out, f->key, *v);
		break;
	case LAYERS:
		put_layers(out, f->key, p);
		break;
	}
}

int record_format(const struct image_record *r, struct buf *out, struct err *err)
{
	struct image_record copy;
	struct arena a = { 0 };
	size_t start = out->len;

	buf_puts(out, HEAD);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put_field(out, &fields[i], r);
	buf_puts(out, "end\n");
	int k = record_parse(&a, out->data + start, out->len - start, &copy, err);
	arena_release(&a);
	return k < 0 ? err_set(err, -EINVAL, "%s", err ? err->msg : "") : 0;
}

/* ---- reading ---- */

struct text { const char *p, *end; };

/* The value of the next line when that is one of key; NULL: it is not. */
static const char *line_of(struct text *t, const char *key, size_t *ret_n)
{
	size_t n = strlen(key);
	const char *eol = memchr(t->p, '\n', (size_t)(t->end - t->p));

	if (!eol || (size_t)(eol - t->p) <= n || memcmp(t->p, key, n) != 0 || t->p[n] != ' ')
		return NULL;
	const char *value = t->p + n + 1;
	*ret_n = (size_t)(eol - value);
	t->p = eol + 1;
	return value;
}

/* Undoes the escapes; NULL for a NUL and for what is no escape. */
static const char *text_of(struct arena *a, const char *s, size_t n)
{
	char *to = arena_alloc(a, n + 1), *p = to;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '\\') {
			c = ++i < n ? s[i] : '\0';
			if (c != '\\' && c != 'n')
				return NULL;
			c = c == 'n' ? '\n' : c;
		} else if (!c) {
			return NULL;
		}
		*p++ = c;
	}
	return to;
}

static bool number_of(const char *s, size_t n, uint64_t *ret)
{
	uint64_t v = 0;

	if (n == 0 || n > 18 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*ret = v;
	return true;
}

static bool is_word(const char *p)
{
	for (; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\')
			return false;
	return true;
}

static bool layer_of(struct arena *a, const char *s, size_t n, struct image_layer *ret)
{
	const char *part[4];
	size_t len[4];

	if (memchr(s, '\0', n))
		return false;
	for (int i = 0; i < 4; i++) {
		const char *space = i < 3 ? memchr(s, ' ', n) : s + n;

		if (!space)
			return false;
		part[i] = s;
		len[i] = (size_t)(space - s);
		s = space + 1;
		n -= MIN(n, len[i] + 1);
	}
	ret->digest = arena_strndup(a, part[0], len[0]);
	ret->diff = arena_strndup(a, part[1], len[1]);
	ret->media_type = arena_strndup(a, part[3], len[3]);
	return digest_valid(ret->digest) && digest_valid(ret->diff) &&
	       number_of(part[2], len[2], &ret->size) &&
	       is_word(ret->media_type);
}

static bool read_layers(struct text *t, const struct field *f, struct arena *a,
			struct image_layers *ret)
{
	const char *s;
	size_t n;

	while ((s = line_of(t, f->key, &n))) {
		if (ret->n == IMAGE_LAYERS_MAX || !layer_of(a, s, n, arena_push(a, ret)))
			return false;
	}
	return true;
}

static bool read_list(struct text *t, const struct field *f, struct arena *a,
		      const char *const **ret)
{
	struct { const char **v; uint32_t n; } l = { 0 };
	const char *s;
	size_t n;

	while ((s = line_of(t, f->key, &n))) {
		const char *v = text_of(a, s, n);

		if (!v || l.n == LIST_MAX)
			return false;
		*arena_push(a, &l) = v;
	}
	arena_push(a, &l);	/* NULL */
	*ret = l.v;
	return true;
}

static bool read_value(const struct field *f, struct arena *a, const char *s, size_t n, void *p)
{
	const char *text;
	uint64_t v;

	switch (f->kind) {
	case SIZE:
		return number_of(s, n, p);
	case TIME:
		if (!number_of(s, n, &v))
			return false;
		*(int64_t *)p = (int64_t)v;
		return true;
	default:
		text = text_of(a, s, n);
		*(const char **)p = text;
		return text && (f->kind == TEXT || (f->kind == DIGEST_OR_NONE && !*text) ||
				digest_valid(text));
	}
}

static bool read_field(struct text *t, const struct field *f, struct arena *a,
		       struct image_record *r)
{
	void *p = (char *)r + f->offset;
	size_t n;

	if (f->kind == LAYERS)
		return read_layers(t, f, a, p);
	if (f->kind == LIST)
		return read_list(t, f, a, p);
	const char *s = line_of(t, f->key, &n);
	return s && read_value(f, a, s, n, p);
}

/* What code relies on, beyond its form: execve(2), and texts that these go into. */
static bool sensible(const struct image_record *r)
{
	if (!is_word(r->ref) || !is_word(r->media_type) || !is_word(r->platform))
		return false;
	for (const char *p = r->ids; *p; p++)
		if (!strchr("0123456789:,", *p))
			return false;
	for (const char *const *e = r->env; *e; e++)
		if (**e == '=' || !strchr(*e, '='))
			return false;
	return *r->ref && r->workdir[0] == '/' && strlen(r->ref) < 1024;
}

int record_parse(struct arena *a, const char *text, size_t n, struct image_record *ret,
		 struct err *err)
{
	struct text t = { text, text + n };
	struct image_record r = { 0 };
	const size_t head = sizeof(HEAD) - 1;

	if (n > IMAGE_RECORD_MAX || n < head || memcmp(text, HEAD, head) != 0)
		return err_set(err, -EBADMSG, "this is no record of an image");
	t.p += head;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!read_field(&t, &fields[i], a, &r))
			return err_set(err, -EBADMSG, "a record's %s is not right", fields[i].key);
	if (t.end - t.p != 4 || memcmp(t.p, "end\n", 4) != 0 || !sensible(&r))
		return err_set(err, -EBADMSG, "a record is not right");
	*ret = r;
	return 0;
}
