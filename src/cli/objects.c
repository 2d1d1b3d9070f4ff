/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole objects in the formats that scripts read; see objects.h. */
#include "cli/objects.h"

#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"

struct format {
	const char *name;	/* ends with = when a template follows */
	int (*print)(struct cli *c, json_t *items, json_t *whole, const char *template);
};

static int as_json(struct cli *c, json_t *items, json_t *whole, const char *template)
{
	(void)c, (void)items, (void)template;
	print_json(whole);
	return EXIT_DONE;
}

static int as_yaml(struct cli *c, json_t *items, json_t *whole, const char *template)
{
	(void)c, (void)items, (void)template;
	print_yaml(whole);
	return EXIT_DONE;
}

static int as_names(struct cli *c, json_t *items, json_t *whole, const char *template)
{
	json_t *o;
	size_t i;

	(void)whole, (void)template;
	json_array_foreach(items, i, o) {
		const struct kind *k = kind_find(json_text(o, "apiVersion"), json_text(o, "kind"));

		printf("%s/%s\n", k ? target_resource(c, k, k->singular) : json_text(o, "kind"),
		       json_text(json_object_get(o, "metadata"), "name"));
	}
	return EXIT_DONE;
}

static int as_jsonpath(struct cli *c, json_t *items, json_t *whole, const char *template)
{
	BUF_AUTO text = { 0 };
	int status = jsonpath(c, whole, template, &text);

	(void)items;
	fputs(buf_str(&text), stdout);
	return status;
}

struct columns {
	const char *heads[COLUMNS_MAX], *paths[COLUMNS_MAX];
	unsigned n;
};

/* "NAME:.metadata.name,IP:.status.podIP" */
static int parse_columns(struct cli *c, const char *spec, struct columns *ret)
{
	for (const char *p = spec; *p && ret->n < COLUMNS_MAX; ret->n++) {
		size_t len = strcspn(p, ","), head = strcspn(p, ":,");

		if (head == len) {
			fprintf(stderr, "error: unexpected custom-columns spec: %.*s, expected "
				"<header>:<json-path-expr>\n", (int)len, p);
			return EXIT_ERROR;
		}
		ret->heads[ret->n] = arena_strndup(&c->arena, p, head);
		ret->paths[ret->n] = arena_strndup(&c->arena, p + head + 1, len - head - 1);
		p += len + (p[len] == ',');
	}
	if (!ret->n)
		fprintf(stderr,
			"error: custom-columns format specified but no custom columns given\n");
	return ret->n ? EXIT_DONE : EXIT_ERROR;
}

static int as_columns(struct cli *c, json_t *items, json_t *whole, const char *template)
{
	const char *cells[COLUMNS_MAX];
	struct columns l = { .n = 0 };
	struct rows r = { 0 };
	int status = parse_columns(c, template, &l);
	json_t *o;
	size_t i;

	(void)whole;
	if (!status && !c->opt.no_headers)
		rows_add(&r, l.n, l.heads);
	json_array_foreach(items, i, o) {
		for (unsigned k = 0; k < l.n && !status; k++) {
			BUF_AUTO text = { 0 };

			status = jsonpath(c, o, l.paths[k], &text);
			cells[k] = text.len ? arena_strdup(&c->arena, text.data) : "<none>";
		}
		if (status)
			break;
		rows_add(&r, l.n, cells);
	}
	rows_flush(&r);
	return status;
}

static const struct format formats[] = {
	{ "custom-columns=", as_columns }, { "json", as_json }, { "jsonpath=", as_jsonpath },
	{ "name", as_names }, { "yaml", as_yaml },
};

static const struct format *find_format(const struct cli *c, const char **ret_template)
{
	for (size_t i = 0; c->opt.output && i < ARRAY_SIZE(formats); i++) {
		size_t n = strlen(formats[i].name);
		bool open = formats[i].name[n - 1] == '=';

		if (strncmp(c->opt.output, formats[i].name, n) || (!open && c->opt.output[n]))
			continue;
		*ret_template = c->opt.output + n;
		return &formats[i];
	}
	return NULL;
}

bool format_is_table(const struct cli *c)
{
	return !c->opt.output || output_is(c, "table") || output_is(c, "wide");
}

int format_check(const struct cli *c)
{
	const char *template;

	if (format_is_table(c) || find_format(c, &template))
		return EXIT_DONE;
	fprintf(stderr,
		"error: unable to match a printer suitable for the output format \"%s\", allowed "
		"formats are: custom-columns,json,jsonpath,name,table,wide,yaml\n",
		c->opt.output);
	return EXIT_ERROR;
}

int objects_print(struct cli *c, json_t *items, bool one)
{
	const char *template = "";
	const struct format *f = find_format(c, &template);
	json_t *whole = one ? json_incref(json_array_get(items, 0)) :
			      json_pack("{s:s, s:s, s:O, s:{s:s}}", "kind", "List", "apiVersion",
					"v1", "items", items, "metadata", "resourceVersion", "");
	int status = f->print(c, items, whole, template);

	json_decref(whole);
	return status;
}
