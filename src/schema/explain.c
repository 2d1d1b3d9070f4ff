/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows as text for people: what a field is, takes, defaults to, and what changing it does. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"
#include "schema/walk.h"

#define WIDTH 78

const char *effect_name(enum effect e)
{
	static const char *const names[] = {
		[E_NONE] = "none", [E_LIVE] = "live", [E_RESTART] = "restart",
		[E_ROLLOUT] = "rollout", [E_IMMUTABLE] = "immutable",
	};
	return names[e];
}

static const char *effect_words(enum effect e)
{
	static const char *const words[] = {
		[E_NONE] = "no effect on what runs",
		[E_LIVE] = "takes effect without a restart",
		[E_RESTART] = "restarts the containers",
		[E_ROLLOUT] = "replaces the pods",
		[E_IMMUTABLE] = "is refused: delete and create the object",
	};
	return words[e];
}

const struct field *schema_field(const struct type *t, const char *key)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		if (streq(t->fields[i].key, key))
			return &t->fields[i];
	}
	return NULL;
}

static const char *kind_name(const struct field *f)
{
	static const char *const names[] = {
		[K_BOOL] = "boolean", [K_I32] = "integer", [K_I64] = "integer", [K_STR] = "string",
		[K_ENUM] = "string", [K_QTY] = "Quantity", [K_INTSTR] = "IntOrString",
		[K_TIME] = "Time", [K_OBJ] = "Object", [K_INLINE] = "Object", [K_LIST] = "[]Object",
		[K_STRS] = "[]string", [K_INTS] = "[]integer",
		[K_MAP] = "map[string]string",
		[K_QMAP] = "map[string]Quantity", [K_BMAP] = "map[string]base64", [K_ANY] = "any",
	};
	return names[f->kind];
}

/* Text wrapped at blanks, every line indented. */
static void paragraph(struct buf *out, const char *text, unsigned indent)
{
	while (*text) {
		size_t room = WIDTH - indent, len = strlen(text);
		if (len > room) {
			for (len = room; len && text[len] != ' ';)
				len--;
			len = len ? len : strcspn(text, " ");
		}
		buf_printf(out, "%*s%.*s\n", (int)indent, "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static const char *flag_words(unsigned flags)
{
	static const struct { unsigned flag; const char *words; } table[] = {
		{ F_REQUIRED, "required" },
		{ F_SERVER, "set by orchd, ignored in manifests" },
		{ F_NOTED, "accepted, not acted on by orch" },
		{ F_REFUSED, "not supported by orch" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (flags & table[i].flag)
			return table[i].words;
	}
	return NULL;
}

static void bounds(const struct field *f, struct buf *out)
{
	if (!f->max)
		return;
	if (f->max >= INT32_MAX)
		buf_printf(out, "BOUNDS:   at least %" PRId64 "\n", f->min);
	else
		buf_printf(out, "BOUNDS:   %" PRId64 "-%" PRId64 "\n", f->min, f->max);
}

static void words_of(const struct enum_type *e, struct buf *out)
{
	buf_puts(out, "ENUM:     ");
	for (unsigned i = 1; e->values[i]; i++)
		buf_printf(out, "%s%s", i > 1 ? ", " : "", e->values[i]);
	buf_putc(out, '\n');
}

/* Where a field stands: what is above it decides about it, too. */
struct place {
	struct reach reach;
	const struct field *row;	/* NULL: the whole object */
	unsigned flags;			/* SERVER, NOTED and REFUSED of the rows above */
};

static const char *why_not(const struct explain *e, const struct place *p)
{
	unsigned own = p->row ? p->row->flags : 0;

	if (own & F_REFUSED)
		return "refused";
	if (own & F_NOTED)
		return "accepted with a warning";
	if (p->flags & (F_NOTED | F_REFUSED))
		return "part of a field that is not";
	return e->unused;
}

static void effect(const struct explain *e, const struct place *p, struct buf *out)
{
	const char *why = why_not(e, p);
	enum effect change = p->row ? effect_at(p->reach, p->row) : E_NONE;

	if (((p->row ? p->row->flags : 0) | p->flags) & F_SERVER)
		return;
	buf_printf(out, "ACTED ON: %s%s\n", why ? "no, " : "yes", why ? why : "");
	if (p->row)
		buf_printf(out, "CHANGE:   %s\n",
			   effect_words(why && change != E_IMMUTABLE ? E_NONE : change));
}

static void about_field(const struct explain *e, const struct place *p, struct buf *out)
{
	const struct field *f = p->row;
	const char *flags = flag_words(f->flags & (F_REQUIRED | F_SERVER));

	buf_printf(out, "FIELD:    %s <%s>%s%s%s\n", f->key, kind_name(f), flags ? " (" : "",
		   flags ? flags : "", flags ? ")" : "");
	if (f->dflt)
		buf_printf(out, "DEFAULT:  %s\n", *f->dflt ? f->dflt : "\"\"");
	bounds(f, out);
	if (f->values)
		words_of(f->values, out);
	if (f->list_key)
		buf_printf(out, "KEY:      %s identifies an element\n", f->list_key);
	effect(e, p, out);
	buf_putc(out, '\n');
}

/* apiVersion and kind of a whole object are rows of no type. */
static void list_header(const struct explain *e, bool recursive, struct buf *out)
{
	if (recursive)
		buf_puts(out, "  apiVersion\t<string>\n  kind\t<string>\n");
	else
		buf_printf(out, "  apiVersion\t<string> (required)\n    Always %s.\n"
			   "  kind\t<string> (required)\n    Always %s.\n", e->version, e->kind);
}

static void list_tree(const struct type *t, unsigned indent, struct buf *out)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		buf_printf(out, "%*s%s\t<%s>%s\n", (int)indent, "", f->key, kind_name(f),
			   f->flags & F_REQUIRED ? " (required)" : "");
		if (f->sub)
			list_tree(f->sub, indent + 2, out);
	}
}

static void list_fields(const struct type *t, struct buf *out)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		const char *flags = flag_words(f->flags);

		buf_printf(out, "  %s\t<%s>%s%s%s", f->key, kind_name(f), flags ? " (" : "",
			   flags ? flags : "", flags ? ")" : "");
		if (f->dflt)
			buf_printf(out, " default: %s", *f->dflt ? f->dflt : "\"\"");
		buf_putc(out, '\n');
		paragraph(out, f->doc, 4);
	}
}

static int unknown(const struct type *t, const char *word, const char *path, struct err *err)
{
	const char *keys[65] = { NULL };

	for (unsigned i = 0; i < MIN(t->nfields, 64u); i++)
		keys[i] = t->fields[i].key;
	const char *near = suggest(word, keys);
	if (near)
		return err_set(err, -ENOENT, "there is no field \"%s\" in %s; did you mean \"%s\"?",
			       word, path, near);
	return err_set(err, -ENOENT, "there is no field \"%s\" in %s", word, path);
}

/* Where a path leads to. t becomes the type the row (or root) has. */
static int follow(const struct type **t, const char *title, const char *path, struct place *ret,
		  struct err *err)
{
	BUF_AUTO done = { 0 };

	buf_puts(&done, title);
	while (*path) {
		size_t len = strcspn(path, ".");
		BUF_AUTO word = { 0 };

		buf_add(&word, path, strcspn(path, ".["));
		if (!*t)
			return err_set(err, -ENOENT, "%s has no fields", buf_str(&done));
		if (ret->row) {
			ret->reach = reach_below(ret->reach, ret->row);
			ret->flags |= ret->row->flags & (F_SERVER | F_NOTED | F_REFUSED);
		}
		ret->row = schema_field(*t, buf_str(&word));
		if (!ret->row)
			return unknown(*t, buf_str(&word), buf_str(&done), err);
		*t = ret->row->sub;
		buf_printf(&done, ".%s", buf_str(&word));
		path += len;
		path += *path == '.';
	}
	return 0;
}

int schema_explain(const struct type *t, const struct explain *e, const char *path,
		   struct buf *out, struct err *err)
{
	struct place p = { 0 };
	int r = follow(&t, e->kind, path, &p, err);

	if (r < 0)
		return r;
	buf_printf(out, "KIND:     %s\nVERSION:  %s\n", e->kind, e->version);
	if (p.row) {
		about_field(e, &p, out);
	} else {
		effect(e, &p, out);
		buf_putc(out, '\n');
	}
	buf_puts(out, "DESCRIPTION:\n");
	paragraph(out, p.row ? p.row->doc : t->doc, 4);
	if (p.row && t && !streq(p.row->doc, t->doc))
		paragraph(out, t->doc, 4);
	if (t) {
		buf_puts(out, "\nFIELDS:\n");
		if (!p.row)
			list_header(e, e->recursive, out);
		if (e->recursive)
			list_tree(t, 2, out);
		else
			list_fields(t, out);
	}
	return 0;
}
