/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: the store of orchd. What takes time comes as JSON, one line after the other, the last of
 * which says how it ended (daemon/api_images.c); progress is drawn over itself on a terminal.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/print.h"
#include "cli/spool.h"

#define PASSWORD_MAX 4096

/* ---- requests ---- */

static const char *path_of(struct cli *c, const char *what, const char *key, const char *value)
{
	BUF_AUTO p = { 0 };

	buf_printf(&p, "/apis/orch/v1/images%s%s", *what ? "/" : "", what);
	if (key) {
		buf_printf(&p, "?%s=", key);
		url_encode(&p, value);
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

struct news {
	struct buf line;
	const char *about;
	bool terminal;		/* progress is worth drawing */
	bool drawn;
	bool done;
	char digest[128];
	long long size;
};

static void undraw(struct news *n)
{
	if (n->drawn)
		fputs("\r\033[K", stderr);
	n->drawn = false;
}

static void show_progress(struct news *n, json_t *o)
{
	long long done = json_number(o, "done"), total = json_number(o, "total");

	if (!n->terminal || total <= 0)
		return;
	fprintf(stderr, "\r\033[K%s: %lld of %lld MB (%lld %%)", n->about, done / 1000000,
		(total + 999999) / 1000000, done * 100 / total);
	n->drawn = true;
}

static void take_line(struct news *n)
{
	json_t *o = json_loadb(buf_str(&n->line), n->line.len, 0, NULL);

	if (json_object_get(o, "error")) {
		undraw(n);
		fprintf(stderr, "error: %s\n", json_text(o, "error"));
	} else if (json_object_get(o, "digest")) {
		undraw(n);
		n->done = true;
		n->size = json_number(o, "size");
		snprintf(n->digest, sizeof(n->digest), "%s", json_text(o, "digest"));
	} else {
		show_progress(n, o);
	}
	json_decref(o);
	buf_reset(&n->line);
}

static bool on_news(void *data, const char *p, size_t n)
{
	struct news *news = data;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			take_line(news);
		else
			buf_putc(&news->line, p[i]);
	}
	return true;
}

static int follow(struct cli *c, const char *path, const char *header, struct news *n)
{
	struct response r = { 0 };
	struct err err = { 0 };
	int status = EXIT_DONE;

	n->terminal = isatty(STDERR_FILENO);
	if (client_send(&c->client, "POST", path, header, on_news, n, &r, &err) < 0)
		status = unreachable(&err);
	else if (r.code >= 300)
		status = refused(&r);
	else if (!n->done)
		status = EXIT_ERROR;
	response_release(&r);
	buf_release(&n->line);
	return status;
}

/* ---- lists ---- */

static const char *size_text(struct cli *c, long long bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t u = 0;

	for (; v >= 1000 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1000;
	return arena_printf(&c->arena, v < 10 && u ? "%.1f%s" : "%.0f%s", v, units[u]);
}

static const char *age_text(struct cli *c, const char *when)
{
	int64_t t;

	if (time_parse(when, &t) < 0)
		return "";
	long long s = MAX(time_now() - t, 0) / NSEC;
	return s < 120 ? arena_printf(&c->arena, "%llds", s) :
	       s < 7200 ? arena_printf(&c->arena, "%lldm", s / 60) :
	       s < 172800 ? arena_printf(&c->arena, "%lldh", s / 3600) :
			    arena_printf(&c->arena, "%lldd", s / 86400);
}

/* "HOST/PATH:TAG", "HOST/PATH@DIGEST", or another transport's name as a whole. */
static void split_name(struct cli *c, const char *name, const char **ret_path, const char **ret_tag)
{
	const char *at = strrchr(name, '@'), *slash = strrchr(name, '/');
	const char *end = at ? at : slash ? strchr(slash, ':') : NULL;

	*ret_path = end ? arena_strndup(&c->arena, name, (size_t)(end - name)) : name;
	*ret_tag = at ? "<none>" : end ? end + 1 : "";
}

static void list_image(struct cli *c, json_t *i, struct rows *r)
{
	const char *path, *tag, *digest = json_text(i, "digest");
	bool wide = output_is(c, "wide");

	split_name(c, json_text(i, "name"), &path, &tag);
	if (strncmp(digest, "sha256:", 7) == 0)
		digest += 7;
	rows_add(r, 5, (const char *const[]){
			 path, tag, wide ? digest : arena_printf(&c->arena, "%.12s", digest),
			 age_text(c, json_text(i, "pulled")), size_text(c, json_number(i, "size")) });
}

static void print_usage_line(struct cli *c, json_t *u)
{
	fprintf(stderr, "%lld images, %lld layers: %s unpacked, %s as pulled, %s not used; %s of %s "
		"free on the disk\n", json_number(u, "images"), json_number(u, "layers"),
		size_text(c, json_number(u, "layerBytes")), size_text(c, json_number(u, "blobBytes")),
		size_text(c, json_number(u, "unusedBytes")), size_text(c, json_number(u, "diskFree")),
		size_text(c, json_number(u, "diskBytes")));
}

static int image_ls(struct cli *c)
{
	struct rows r = { 0 };
	int status;
	json_t *all = fetch(c, "GET", path_of(c, "", NULL, NULL), NULL, &status), *i;
	size_t n;

	if (!all)
		return status;
	if (output_is(c, "json") || output_is(c, "yaml")) {
		output_is(c, "json") ? print_json(all) : print_yaml(all);
		json_decref(all);
		return EXIT_DONE;
	}
	if (!c->opt.no_headers && !output_is(c, "name"))
		rows_add(&r, 5, (const char *const[]){ "IMAGE", "TAG", "DIGEST", "PULLED", "SIZE" });
	json_array_foreach(json_object_get(all, "items"), n, i) {
		if (output_is(c, "name"))
			puts(json_text(i, "name"));
		else
			list_image(c, i, &r);
	}
	rows_flush(&r);
	if (output_is(c, "wide"))
		print_usage_line(c, json_object_get(all, "usage"));
	json_decref(all);
	return EXIT_DONE;
}

static int image_inspect(struct cli *c)
{
	int status = EXIT_DONE, worst = EXIT_DONE;

	for (unsigned i = 1; i < c->nargs; i++) {
		json_t *o = fetch(c, "GET", path_of(c, "inspect", "image", c->args[i]), NULL, &status);

		if (o && output_is(c, "yaml"))
			print_yaml(o);
		else if (o)
			print_json(o);
		json_decref(o);
		worst = MAX(worst, status);
	}
	return worst;
}

/* ---- changes ---- */

static int pull_one(struct cli *c, const char *path, const char *about)
{
	struct news n = { .about = about };
	int status = follow(c, path, NULL, &n);

	if (status == EXIT_DONE)
		printf("%s\n%s, %s\n", about, n.digest, size_text(c, n.size));
	return status;
}

int image_need(struct cli *c, const char *name)
{
	struct response r = { 0 };
	struct err err = { 0 };
	struct news n = { .about = name };
	int status = EXIT_DONE;

	if (strncmp(name, "rootfs:", 7) == 0)
		return EXIT_DONE;
	if (client_request(&c->client, "GET", path_of(c, "inspect", "image", name), NULL, &r, &err) < 0)
		status = unreachable(&err);
	else if (r.code >= 300)
		status = follow(c, path_of(c, "pull", "image", name), NULL, &n);
	response_release(&r);
	return status;
}

static int image_pull(struct cli *c)
{
	int worst = EXIT_DONE;

	for (unsigned i = 1; i < c->nargs; i++)
		worst = MAX(worst, pull_one(c, path_of(c, "pull", "image", c->args[i]), c->args[i]));
	return worst;
}

static int image_rm(struct cli *c)
{
	int status = EXIT_DONE, worst = EXIT_DONE;

	for (unsigned i = 1; i < c->nargs; i++) {
		json_t *o = fetch(c, "POST", path_of(c, "remove", "image", c->args[i]), NULL, &status);

		if (o)
			printf("removed: %s\n", c->args[i]);
		json_decref(o);
		worst = MAX(worst, status);
	}
	return worst;
}

static int image_prune(struct cli *c)
{
	struct news n = { .about = "prune" };
	int status = follow(c, c->opt.all ? path_of(c, "prune", "all", "1") :
			    path_of(c, "prune", NULL, NULL), NULL, &n);

	if (status == EXIT_DONE)
		printf("freed: %s\n", size_text(c, n.size));
	return status;
}

/* With its transport; NULL: a plain name of a file. */
static const char *transport_of(struct cli *c, const char *file)
{
	static const char *const transports[] = { "oci:", "oci-archive:", "docker-archive:" };

	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		size_t n = strlen(transports[i]);

		if (strncmp(file, transports[i], n) == 0)
			return arena_strndup(&c->arena, file, n);
	}
	return NULL;
}

static int image_import(struct cli *c)
{
	const char *file = c->args[1], *name = c->nargs > 2 ? c->args[2] : NULL;
	const char *transport = transport_of(c, file);
	bool from_stdin = streq(transport ? file + strlen(transport) : file, "-");
	BUF_AUTO path = { 0 };
	struct err err = { 0 };

	if (from_stdin && !name) {
		fprintf(stderr, "error: image import - NAME: what comes in has no name\n");
		return EXIT_ERROR;
	}
	if (!transport || from_stdin) {
		if (spool_path(&c->arena, from_stdin ? "-" : file, &file, &err) < 0) {
			fprintf(stderr, "error: %s\n", err.msg);
			return EXIT_ERROR;
		}
		file = arena_printf(&c->arena, "%s%s", transport ? transport : "oci-archive:", file);
	}
	buf_puts(&path, path_of(c, "pull", "image", file));
	if (name) {
		buf_puts(&path, "&name=");
		url_encode(&path, name);
	}
	return pull_one(c, arena_strdup(&c->arena, buf_str(&path)), name ? name : file);
}

/* ---- export ---- */

static bool on_data(void *data, const char *p, size_t n)
{
	FILE *to = data;

	return fwrite(p, 1, n, to) == n;
}

static int image_export(struct cli *c)
{
	const char *file = c->nargs > 2 ? c->args[2] : "-";
	bool out = streq(file, "-");
	struct response r = { 0 };
	struct err err = { 0 };
	int status = EXIT_DONE;

	if (out && isatty(STDOUT_FILENO)) {
		fprintf(stderr, "error: an archive is nothing for a terminal; export NAME FILE\n");
		return EXIT_ERROR;
	}
	FILE *to = out ? stdout : fopen(file, "we");
	if (!to) {
		fprintf(stderr, "error: %s: %s\n", file, strerror(errno));
		return EXIT_ERROR;
	}
	if (client_stream(&c->client, path_of(c, "export", "image", c->args[1]), NULL, on_data, to,
			  &r, &err) < 0)
		status = unreachable(&err);
	else if (r.code >= 300)
		status = refused(&r);
	if ((out ? fflush(to) : fclose(to)) == EOF && status == EXIT_DONE) {
		fprintf(stderr, "error: %s: %s\n", file, strerror(errno));
		status = EXIT_ERROR;
	}
	if (status != EXIT_DONE && !out)
		unlink(file);
	response_release(&r);
	return status;
}

/* ---- credentials ---- */

static bool read_password(struct cli *c, char password[PASSWORD_MAX])
{
	if (!c->opt.password_stdin) {
		char *typed = getpass("Password: ");

		snprintf(password, PASSWORD_MAX, "%s", typed ? typed : "");
		return typed != NULL;
	}
	size_t n = fread(password, 1, PASSWORD_MAX - 1, stdin);
	password[n] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	return n > 0;
}

static int image_login(struct cli *c)
{
	struct news n = { .about = c->args[1] };
	char password[PASSWORD_MAX];

	if (!c->opt.username || !read_password(c, password)) {
		fprintf(stderr, "error: login REGISTRY -u USER, and a password\n");
		return EXIT_ERROR;
	}
	const char *pair = arena_printf(&c->arena, "%s:%s", c->opt.username, password);
	const char *header = arena_printf(&c->arena, "Authorization: Basic %s",
					  base64_encode(&c->arena, pair, strlen(pair)));

	explicit_bzero(password, sizeof(password));
	int status = follow(c, path_of(c, "login", "registry", c->args[1]), header, &n);
	if (status == EXIT_DONE)
		puts("Login Succeeded");
	return status;
}

static int image_logout(struct cli *c)
{
	int status;
	json_t *o = fetch(c, "POST", path_of(c, "logout", "registry", c->args[1]), NULL, &status);

	if (o)
		printf("Removed login credentials for %s\n", c->args[1]);
	json_decref(o);
	return status;
}

/* ---- the verb ---- */

static const struct {
	const char *name, *usage;
	unsigned least, most;	/* arguments after the name */
	verb_run run;
} subverbs[] = {
	{ "ls", "ls", 0, 0, image_ls },
	{ "list", "ls", 0, 0, image_ls },
	{ "pull", "pull NAME...", 1, UINT_MAX, image_pull },
	{ "inspect", "inspect NAME...", 1, UINT_MAX, image_inspect },
	{ "rm", "rm NAME...", 1, UINT_MAX, image_rm },
	{ "prune", "prune [--all]", 0, 0, image_prune },
	{ "import", "import FILE|- [NAME]", 1, 2, image_import },
	{ "export", "export NAME [FILE]", 1, 2, image_export },
	{ "login", "login REGISTRY -u USER [--password-stdin]", 1, 1, image_login },
	{ "logout", "logout REGISTRY", 1, 1, image_logout },
};

int verb_image(struct cli *c)
{
	for (size_t i = 0; c->nargs && i < ARRAY_SIZE(subverbs); i++) {
		if (!streq(c->args[0], subverbs[i].name))
			continue;
		if (c->nargs - 1 >= subverbs[i].least && c->nargs - 1 <= subverbs[i].most)
			return subverbs[i].run(c);
		fprintf(stderr, "error: image %s\n", subverbs[i].usage);
		return EXIT_ERROR;
	}
	fprintf(stderr, "error: image ls|pull|inspect|rm|prune|import|export|login|logout\n");
	return EXIT_ERROR;
}
