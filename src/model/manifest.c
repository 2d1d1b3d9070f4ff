/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests: the objects of one file and what is wrong with it. Everything lives in the manifest's
 * arena. A file with an error gives no objects at all: what half of it says may not be what was
 * meant.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/macro.h"
#include "model/build.h"
#include "model/set.h"

static int by_place(const void *a, const void *b)
{
	const struct msg *x = a, *y = b;
	int r = strcmp(x->file, y->file);

	if (r)
		return r;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->col != y->col)
		return x->col < y->col ? -1 : 1;
	r = strcmp(x->path, y->path);
	return r ? r : strcmp(x->text, y->text);
}

static int by_severity(const void *a, const void *b)
{
	const struct msg *x = a, *y = b;

	return x->warning != y->warning ? x->warning - y->warning : by_place(a, b);
}

void msgs_order(struct msgs *m, bool errors_first)
{
	if (m->n)
		qsort(m->v, m->n, sizeof(*m->v), errors_first ? by_severity : by_place);
}

static struct manifest *manifest_new(const char *path)
{
	struct manifest *m = calloc(1, sizeof(*m));
	const char *slash = strchr(path, '/');

	if (!m)
		abort();
	m->refs = 1;
	m->msgs.arena = &m->arena;
	m->path = arena_strdup(&m->arena, path);
	m->stack = slash ? arena_strndup(&m->arena, path, (size_t)(slash - path)) : "default";
	return m;
}

/* A List of any kind: its items, which may be left out. */
static const struct ynode *list_items(const struct ynode *doc)
{
	static const struct ynode none = { .kind = Y_SEQ };
	const struct ynode *kind = doc->kind == Y_MAP ? ynode_get(doc, "kind") : NULL;
	size_t n = kind && kind->kind == Y_SCALAR ? kind->len : 0;

	if (n < 4 || !streq(kind->text + n - 4, "List") ||
	    ynode_is_null(ynode_get(doc, "apiVersion")))
		return NULL;
	const struct ynode *items = ynode_get(doc, "items");
	if (ynode_is_null(items) && n == 4)
		return &none;
	return items && items->kind == Y_SEQ ? items : NULL;
}

static void add_document(struct manifest *m, const struct ynode *doc)
{
	const struct ynode *items = list_items(doc);
	struct object o;

	for (uint32_t i = 0; items && i < items->n; i++)
		add_document(m, items->values[i]);
	if (!items && object_decode(&m->arena, m->path, doc, &o, &m->msgs) == 0 && o.kind)
		*arena_push(&m->arena, &m->objects) = o;
}

/* The usual reason why a file from elsewhere is no YAML. */
static void hint_template(struct manifest *m)
{
	const char *at = memmem(m->text, m->size, "{{", 2);
	uint32_t line = 1, col = 1;

	if (!at)
		return;
	for (uint32_t i = 0; i < m->msgs.n; i++) {
		if (strstr(m->msgs.v[i].text, "unrendered template"))
			return;
	}
	for (const char *p = m->text; p < at; p++) {
		col = *p == '\n' ? 1 : col + 1;
		line += *p == '\n';
	}
	msgs_add(&m->msgs, false, m->path, line, col, "",
		 "{{ looks like an unrendered template; orch reads plain manifests");
}

struct manifest *manifest_load(const char *path, const char *text, size_t n)
{
	struct manifest *m = manifest_new(path);
	struct yaml_docs docs = { 0 };
	struct arena trees = { 0 };	/* nothing of an object points into its tree */

	m->text = n ? memcpy(arena_alloc(&m->arena, n + 1), text, n) : "";
	m->size = n;
	digest_hex(text, n, m->digest);
	int r = yaml_parse(&trees, m->path, m->text, n, &docs, &m->msgs);
	if (r < 0)
		hint_template(m);
	for (uint32_t i = 0; r == 0 && i < docs.n; i++)
		add_document(m, docs.v[i].root);
	arena_release(&trees);
	m->broken = r < 0 || m->msgs.errors;
	if (m->broken)
		m->objects = (struct object_list){ 0 };
	msgs_order(&m->msgs, false);
	return m;
}

struct manifest *manifest_failed(const char *path, const char *why)
{
	struct manifest *m = manifest_new(path);

	m->text = "";
	m->broken = true;
	msgs_add(&m->msgs, false, m->path, 0, 0, "", "%s", why);
	return m;
}

struct manifest *manifest_ref(struct manifest *m)
{
	m->refs++;
	return m;
}

void manifest_unref(struct manifest *m)
{
	if (!m || --m->refs)
		return;
	arena_release(&m->arena);
	free(m);
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n > k && streq(s + n - k, suffix);
}

bool manifest_wanted(const char *path)
{
	static const char *const suffixes[] = { ".yaml", ".yml", ".json" };

	if (path[0] == '.' || strstr(path, "/.") || streq(path, "orchd.yaml"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (has_suffix(path, suffixes[i]))
			return true;
	}
	return false;
}
