/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate: manifests checked offline, by the code the daemon uses. -f names files anywhere
 * (Ansible's temporary ones, too); --with DIR adds the directory they will land in, so that
 * references are checked, except its files of the same name.
 */
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "model/set.h"
#include "schema/yaml.h"

struct loaded {
	struct manifest **good, **broken;
	uint32_t ngood, nbroken;
	struct arena arena;
	struct strmap text;		/* file -> its text, for caret lines */
};

static void keep(struct manifest ***v, uint32_t *n, struct manifest *m)
{
	*v = realloc(*v, (*n + 1) * sizeof(**v));
	if (!*v)
		abort();
	(*v)[(*n)++] = m;
}

static void load(struct loaded *l, const char *path)
{
	BUF_AUTO text = { 0 };
	struct err err = { 0 };
	struct manifest *m;

	if (file_read(path, YAML_MAX_BYTES, &text, &err) < 0)
		m = manifest_failed(path, err.msg);
	else
		m = manifest_load(path, buf_str(&text), text.len);
	strmap_set(&l->arena, &l->text, arena_strdup(&l->arena, path),
		   arena_strdup(&l->arena, buf_str(&text)));
	if (m->broken)
		keep(&l->broken, &l->nbroken, m);
	else
		keep(&l->good, &l->ngood, m);
}

static bool replaced(const struct cli *c, const char *name)
{
	for (unsigned i = 0; i < c->opt.nfiles; i++) {
		const char *slash = strrchr(c->opt.files[i], '/');

		if (streq(slash ? slash + 1 : c->opt.files[i], name))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All manifests below dir, in the order of their names; skip those that -f replaces. */
static void load_dir(struct cli *c, struct loaded *l, const char *dir, bool skip)
{
	struct { char **v; uint32_t n; } names = { 0 };
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			*arena_push(&c->arena, &names) = arena_strdup(&c->arena, e->d_name);
	if (d)
		closedir(d);
	qsort(names.v, names.n, sizeof(*names.v), by_name);
	for (uint32_t i = 0; i < names.n; i++) {
		const char *path = arena_printf(&c->arena, "%s/%s", dir, names.v[i]);
		struct stat st;

		if (stat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			load_dir(c, l, path, skip);
		else if (manifest_wanted(names.v[i]) && !(skip && replaced(c, names.v[i])))
			load(l, path);
	}
}

static void load_path(struct cli *c, struct loaded *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		load_dir(c, l, path, false);
	else
		load(l, path);
}

/* The source line with a caret below the column, on a terminal. */
static void print_caret(const struct loaded *l, const struct msg *m)
{
	const char *text = m->file ? strmap_get(&l->text, m->file) : NULL;

	for (uint32_t i = 1; text && i < m->line; i++) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text || !m->line)
		return;
	fprintf(stderr, "    %.*s\n    ", (int)strcspn(text, "\r\n"), text);
	for (uint32_t i = 1; i < m->col; i++)
		fputc(text[i - 1] == '\t' ? '\t' : ' ', stderr);
	fputs("^\n", stderr);
}

static void print_text(const struct cli *c, const struct loaded *l, const struct msgs *m)
{
	bool caret = isatty(STDERR_FILENO) && !c->opt.no_color;

	for (uint32_t i = 0; i < m->n; i++) {
		BUF_AUTO line = { 0 };

		msg_print(&m->v[i], &line);
		fputs(buf_str(&line), stderr);
		if (caret)
			print_caret(l, &m->v[i]);
	}
}

static void print_messages_json(const struct msgs *m)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, true);
	msgs_json(m, &j);
	puts(buf_str(&out));
}

int verb_validate(struct cli *c)
{
	struct loaded l = { 0 };

	for (unsigned i = 0; i < c->opt.nfiles; i++)
		load_path(c, &l, c->opt.files[i]);
	for (unsigned i = 0; i < c->nargs; i++)
		load_path(c, &l, c->args[i]);
	if (!c->opt.nfiles && !c->nargs)
		load_dir(c, &l, c->opt.with ? c->opt.with : "/etc/orch", false);
	else if (c->opt.with)
		load_dir(c, &l, c->opt.with, true);

	struct set *s = set_build(l.good, l.ngood, l.broken, l.nbroken, NULL, NULL);
	unsigned errors = s->msgs.errors + (c->opt.strict ? s->msgs.n - s->msgs.errors : 0);
	if (c->opt.output && streq(c->opt.output, "json"))
		print_messages_json(&s->msgs);
	else
		print_text(c, &l, &s->msgs);
	set_unref(s);
	for (uint32_t i = 0; i < l.ngood; i++)
		manifest_unref(l.good[i]);
	for (uint32_t i = 0; i < l.nbroken; i++)
		manifest_unref(l.broken[i]);
	free(l.good);
	free(l.broken);
	arena_release(&l.arena);
	return errors ? EXIT_INVALID : EXIT_DONE;
}
