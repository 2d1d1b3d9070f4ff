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
#include "model/foreign.h"
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

static const char *text_of(const struct ynode *doc, const char *key)
{
	const struct ynode *n = doc->kind == Y_MAP ? ynode_get(doc, key) : NULL;

	return n && n->kind == Y_SCALAR ? n->text : "";
}

/*
 * What an item of a typed list (PodList) is, when it does not say so itself: then a copy of its
 * mapping has the list's words, at the list's place.
 */
static const struct ynode *typed_item(struct manifest *m, const struct ynode *list,
				      const char *kind, const struct ynode *item)
{
	struct arena *a = &m->arena;

	if (item->kind != Y_MAP || ynode_get(item, "kind") || ynode_get(item, "apiVersion"))
		return item;
	struct ynode *copy = arena_new(a, struct ynode), *word = arena_new(a, struct ynode);
	*copy = *item;
	copy->n += 2;
	copy->keys = arena_array(a, struct ynode *, copy->n);
	copy->values = arena_array(a, struct ynode *, copy->n);
	for (uint32_t i = 0; i < list->n; i++) {
		uint32_t at = streq(list->keys[i]->text, "kind") ? 1 : 0;

		if (!at && !streq(list->keys[i]->text, "apiVersion"))
			continue;
		copy->keys[at] = list->keys[i];
		copy->values[at] = list->values[i];
	}
	*word = *copy->values[1];
	word->text = kind;
	word->len = (uint32_t)strlen(kind);
	copy->values[1] = word;
	if (item->n) {
		memcpy(copy->keys + 2, item->keys, item->n * sizeof(*item->keys));
		memcpy(copy->values + 2, item->values, item->n * sizeof(*item->values));
	}
	return copy;
}

static void add_document(struct manifest *m, const struct ynode *doc);

/* A List of anything, or a list of one kind. false: the document is none. */
static bool add_list(struct manifest *m, const struct ynode *doc)
{
	const char *api = text_of(doc, "apiVersion"), *name = text_of(doc, "kind");
	bool any = streq(name, "List") && *api;
	const char *kind = any ? NULL : kind_of_list(&m->arena, api, name);

	if (!any && !kind)
		return false;
	const struct ynode *items = ynode_get(doc, "items");
	if (ynode_is_null(items))
		return true;
	if (items->kind != Y_SEQ)
		msgs_add(&m->msgs, false, m->path, items->line, items->col, "items",
			 "expected a list of objects");
	for (uint32_t i = 0; items->kind == Y_SEQ && i < items->n; i++)
		add_document(m, kind ? typed_item(m, doc, kind, items->values[i]) :
				       items->values[i]);
	return true;
}

static void add_document(struct manifest *m, const struct ynode *doc)
{
	struct object o;

	if (!add_list(m, doc) && object_decode(&m->arena, m->path, doc, &o, &m->msgs) == 0 &&
	    o.kind)
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
