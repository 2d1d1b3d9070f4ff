/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading, checking and complaining about manifests offline; see manifests.h. */
#include "cli/manifests.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "schema/yaml.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int cannot(const char *what, const char *path)
{
	fprintf(stderr, "error: %s %s: %s\n", what, path, strerror(errno));
	return EXIT_ERROR;
}

static int load_file(struct loaded *l, const char *path, const char *place, bool context)
{
	BUF_AUTO text = { 0 };
	struct err err = { 0 };
	int r = streq(path, "-") ?
			file_read_fd(STDIN_FILENO, "standard input", YAML_MAX_BYTES, &text, &err) :
			file_read(path, YAML_MAX_BYTES, &text, &err);

	if (r < 0 && r != -EFBIG) {
		fprintf(stderr, "error: %s\n", err.msg);
		return EXIT_ERROR;
	}
	struct loaded_file *f = arena_push(&l->arena, l);
	f->manifest = r < 0 ? manifest_failed(path, err.msg) :
			      manifest_load(path, buf_str(&text), text.len);
	f->place = arena_strdup(&l->arena, place);
	f->context = context;
	return EXIT_DONE;
}

static bool is_replaced(const struct loaded *l, const char *place, bool anywhere)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const char *other = l->v[i].place;

		if (l->v[i].context)
			continue;
		if (streq(other, place) || (anywhere && streq(other, base_name(place))))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a directory is read for. */
struct reading {
	bool context, anywhere;
};

/* All manifests below dir, in the order of their names. below: the place of dir, "" or "shop/". */
static int load_dir(struct loaded *l, const char *dir, const char *below, const struct reading *how)
{
	struct { char **v; uint32_t n; } names = { 0 };
	struct dirent *e;
	DIR *d = opendir(dir);
	int status = EXIT_DONE;

	if (!d)
		return cannot("can't read", dir);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			*arena_push(&l->arena, &names) = arena_strdup(&l->arena, e->d_name);
	closedir(d);
	l->whole = true;
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_name);
	for (uint32_t i = 0; i < names.n && !status; i++) {
		const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";
		const char *path = arena_printf(&l->arena, "%s%s%s", dir, slash, names.v[i]);
		const char *place = arena_printf(&l->arena, "%s%s", below, names.v[i]);
		struct stat st;

		if (stat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			status = load_dir(l, path, arena_printf(&l->arena, "%s/", place), how);
		else if (manifest_wanted(place) &&
			 !(how->context && is_replaced(l, place, how->anywhere)))
			status = load_file(l, path, place, how->context);
	}
	return status;
}

int manifests_load_as(struct loaded *l, const char *path, const char *place)
{
	return load_file(l, path, place, false);
}

int manifests_load(struct loaded *l, const char *path, const char *stack)
{
	static const struct reading own = { false, false };
	const char *below = stack ? arena_printf(&l->arena, "%s/", stack) : "";
	struct stat st = { 0 };

	if (!streq(path, "-") && stat(path, &st) < 0)
		return cannot("can't read", path);
	if (S_ISDIR(st.st_mode))
		return load_dir(l, path, below, &own);
	return load_file(l, path, arena_printf(&l->arena, "%s%s", below, base_name(path)), false);
}

int manifests_load_context(struct loaded *l, const char *dir, bool anywhere)
{
	return load_dir(l, dir, "", &(struct reading){ true, anywhere });
}

/* Declares every namespace in use: without the directory nobody knows which ones there are. */
static struct manifest *all_namespaces(const struct loaded *l)
{
	BUF_AUTO text = { 0 };
	struct strmap seen = { 0 };
	struct arena a = { 0 };

	for (uint32_t i = 0; i < l->n; i++) {
		const struct object_list *o = &l->v[i].manifest->objects;

		for (uint32_t k = 0; k < o->n; k++)
			if (o->v[k].kind->id == KIND_NAMESPACE)
				strmap_set(&a, &seen, o->v[k].meta->name, "declared");
	}
	for (uint32_t i = 0; i < l->n; i++) {
		const struct object_list *o = &l->v[i].manifest->objects;

		for (uint32_t k = 0; k < o->n; k++) {
			const char *ns =
				o->v[k].kind->namespaced ? o->v[k].meta->namespace : "default";

			if (streq(ns, "default") || strmap_get(&seen, ns))
				continue;
			strmap_set(&a, &seen, ns, "used");
			buf_printf(
				&text,
				"---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: \"%s\"\n",
				ns);
		}
	}
	arena_release(&a);
	return manifest_load("", buf_str(&text), text.len);
}

static bool is_own(const struct loaded_file *f, const struct msg *g)
{
	const struct msgs *m = &f->manifest->msgs;

	for (uint32_t i = 0; i < m->n; i++)
		if (m->v[i].line == g->line && m->v[i].col == g->col &&
		    streq(m->v[i].text, g->text))
			return true;
	return false;
}

/* Is this message to be passed on? Not about context, and no guess about what was not looked at. */
static bool is_said(const struct loaded *l, const struct msg *g)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i].manifest->path, g->file))
			return !l->v[i].context && (l->whole || !g->warning || is_own(&l->v[i], g));
	return false;
}

void manifests_check(struct loaded *l, struct msgs *ret)
{
	struct manifest **good = arena_array(&l->arena, struct manifest *, l->n + 1);
	struct manifest **broken = arena_array(&l->arena, struct manifest *, l->n + 1);
	uint32_t ngood = 0, nbroken = 0;
	struct manifest *extra = l->whole ? NULL : all_namespaces(l);

	for (uint32_t i = 0; i < l->n; i++) {
		struct manifest *m = l->v[i].manifest;

		if (m->broken)
			broken[nbroken++] = m;
		else
			good[ngood++] = m;
	}
	if (extra)
		good[ngood++] = extra;
	struct set *s = set_build(good, ngood, broken, nbroken, NULL, NULL);
	*ret = (struct msgs){ .arena = &l->arena };
	for (uint32_t i = 0; i < s->msgs.n; i++) {
		const struct msg *g = &s->msgs.v[i];

		if (is_said(l, g))
			msgs_add(ret, g->warning, arena_strdup(&l->arena, g->file), g->line, g->col,
				 g->path, "%s", g->text);
	}
	set_unref(s);
	manifest_unref(extra);
}

static const struct manifest *manifest_of(const struct loaded *l, const char *file)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i].manifest->path, file))
			return l->v[i].manifest;
	return NULL;
}

unsigned manifests_style(const struct cli *c)
{
	if (!isatty(STDERR_FILENO))
		return 0;
	return c->opt.no_color || getenv("NO_COLOR") ? PRINT_CARETS : PRINT_CARETS | PRINT_COLORS;
}

void manifests_print(const struct loaded *l, const struct msgs *m, unsigned style)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct manifest *of =
			style & PRINT_CARETS ? manifest_of(l, m->v[i].file) : NULL;
		const char *color = m->v[i].warning ? "\033[33m" : "\033[31m";
		BUF_AUTO text = { 0 };

		if (style & PRINT_COLORS)
			buf_puts(&text, color);
		msg_print(&m->v[i], &text);
		if (style & PRINT_COLORS) {
			text.len--;		/* the end of the line is not coloured */
			buf_puts(&text, "\033[0m\n");
		}
		if (of)
			msg_print_caret(&m->v[i], of->text, of->size, &text);
		fputs(buf_str(&text), stderr);
	}
}

void manifests_complain(const struct loaded *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!l->v[i].context)
			manifests_print(l, &l->v[i].manifest->msgs, 0);
}

void manifests_release(struct loaded *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		manifest_unref(l->v[i].manifest);
	arena_release(&l->arena);
	*l = (struct loaded){ 0 };
}
