/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON and YAML of whole objects, keys sorted as kubectl sorts them, and small reading helpers. */
#include "cli/print.h"

#include <stdio.h>

#include "base/macro.h"
#include "schema/schema.h"

const char *json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

long long json_number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

json_t *json_path(json_t *o, const char *path)
{
	while (o && *path) {
		size_t n = strcspn(path, ".");

		o = json_object_getn(o, path, n);
		path += n + (path[n] == '.');
	}
	return o;
}

static char *dump(const json_t *o, size_t flags)
{
	char *text = json_dumps(o, flags | JSON_ENCODE_ANY);

	if (!text)
		abort();	/* no memory: what was parsed can be printed */
	return text;
}

const char *json_any(struct arena *a, const json_t *v)
{
	if (!v)
		return "";
	if (json_is_string(v))
		return arena_strdup(a, json_string_value(v));
	FREE_AUTO char *text = dump(v, JSON_COMPACT);
	return arena_strdup(a, text);
}

void print_json(const json_t *o)
{
	FREE_AUTO char *text = dump(o, JSON_INDENT(4) | JSON_SORT_KEYS);

	puts(text);
}

void print_yaml(const json_t *o)
{
	FREE_AUTO char *text = dump(o, JSON_COMPACT | JSON_SORT_KEYS);
	BUF_AUTO out = { 0 };

	json_to_yaml(text, &out);
	fputs(buf_str(&out), stdout);
}
