/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A document is one of our kinds, told by apiVersion and kind, one in a version that is converted
 * (its fields are not described), or of a kind whose name is none of ours, which is passed over. Kinds are definitions by their name, the types they lead
 * to by the C name.
 */
#include "model/json_schema.h"

#include "base/macro.h"
#include "model/checks.h"
#include "model/convert.h"
#include "schema/schema.h"

#define DRAFT "http://json-schema.org/draft-07/schema#"
#define LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN LABEL "(\\." LABEL ")*"
#define VALUE "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"

static const char *pattern_of(field_check check, unsigned *ret_max)
{
	static const struct { field_check check; const char *pattern; unsigned max; } table[] = {
		{ check_dns_label, "^" LABEL "$", 63 },
		{ check_namespace, "^(" LABEL ")?$", 63 },
		{ check_dns_subdomain, "^" SUBDOMAIN "$", 253 },
		{ check_label_key, "^(" SUBDOMAIN "/)?" VALUE "$", 317 },
		{ check_label_value, "^(" VALUE ")?$", 63 },
		{ check_config_key, "^[-A-Za-z0-9_.]+$", 253 },
		{ check_env_name, "^[ -<>-~]+$", 0 },
		{ check_port_name, "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 15 },
		{ check_http_header, "^[-A-Za-z0-9]+$", 0 },
		{ check_abs_path, "^/", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].check == check) {
			*ret_max = table[i].max;
			return table[i].pattern;
		}
	}
	return NULL;
}

static bool declared(const struct kind *k)
{
	return k->use != KIND_MADE;
}

static void put_kind(struct json *j, const char *api_version, const char *name,
		     const struct type *t)
{
	const char *const fixed[] = { "apiVersion", api_version, "kind", name, NULL };

	json_schema_members(j, t, fixed, pattern_of);
}

static void put_head(struct json *j, const char *title)
{
	json_kstr(j, "$schema", DRAFT);
	json_kstr(j, "title", title);
}

static void put_single(struct json *j, const char *api_version, const char *name,
		       const struct type *t)
{
	json_begin_object(j);
	put_head(j, name);
	put_kind(j, api_version, name, t);
	json_key(j, "definitions");
	json_begin_object(j);
	json_schema_types(j, &t, 1, pattern_of);
	json_end_object(j);
	json_end_object(j);
}

static void put_reference(struct json *j, const char *name)
{
	BUF_AUTO ref = { 0 };

	buf_printf(&ref, "#/definitions/%s", name);
	json_begin_object(j);
	json_kstr(j, "$ref", buf_str(&ref));
	json_end_object(j);
}

static void put_definitions(struct json *j)
{
	const struct type *roots[KIND_COUNT];
	unsigned n = 0;

	json_key(j, "definitions");
	json_begin_object(j);
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!declared(&kinds[i]))
			continue;
		roots[n++] = kinds[i].type;
		json_key(j, kinds[i].name);
		json_begin_object(j);
		put_kind(j, kinds[i].api_version, kinds[i].name, kinds[i].type);
		json_end_object(j);
	}
	json_schema_types(j, roots, n, pattern_of);
	json_end_object(j);
}

/* Any object of a kind that is none of ours. */
static void put_foreign(struct json *j)
{
	json_begin_object(j);
	json_kstr(j, "description", "A kind that orch passes over, with a warning.");
	json_kstr(j, "type", "object");
	json_key(j, "required");
	json_raw(j, "[\"apiVersion\",\"kind\"]");
	json_key(j, "properties");
	json_begin_object(j);
	json_key(j, "kind");
	json_begin_object(j);
	json_kstr(j, "type", "string");
	json_key(j, "not");
	json_begin_object(j);
	json_key(j, "enum");
	json_begin_array(j);
	json_str(j, "List");
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (declared(&kinds[i]))
			json_str(j, kinds[i].name);
	}
	json_end_array(j);
	json_end_object(j);
	json_end_object(j);
	json_end_object(j);
	json_end_object(j);
}

/* A kind of ours in versions that are converted before the rows see them. */
static void put_converted(struct json *j, const struct kind *k)
{
	const char *version;

	if (!version_converted(k->name, 0))
		return;
	json_begin_object(j);
	json_kstr(j, "description", "A version that orch reads as today's.");
	json_kstr(j, "type", "object");
	json_key(j, "required");
	json_raw(j, "[\"apiVersion\",\"kind\"]");
	json_key(j, "properties");
	json_begin_object(j);
	json_key(j, "apiVersion");
	json_begin_object(j);
	json_key(j, "enum");
	json_begin_array(j);
	for (unsigned i = 0; (version = version_converted(k->name, i)); i++)
		json_str(j, version);
	json_end_array(j);
	json_end_object(j);
	json_key(j, "kind");
	json_begin_object(j);
	json_kstr(j, "const", k->name);
	json_end_object(j);
	json_end_object(j);
	json_end_object(j);
}

/* kind: List, of documents. */
static void put_list(struct json *j)
{
	json_raw(j, "{\"type\":\"object\",\"description\":\"Several objects.\",\"properties\":{"
		 "\"apiVersion\":{\"const\":\"v1\"},\"kind\":{\"const\":\"List\"},"
		 "\"metadata\":{},\"items\":{\"type\":[\"array\",\"null\"],"
		 "\"items\":{\"$ref\":\"#\"}}},"
		 "\"required\":[\"apiVersion\",\"kind\"],\"additionalProperties\":false}");
}

void kinds_json_schema(struct json *j, const struct kind *only)
{
	if (only) {
		put_single(j, only->api_version, only->name, only->type);
		return;
	}
	json_begin_object(j);
	put_head(j, "Manifests as orch reads them");
	json_key(j, "oneOf");
	json_begin_array(j);
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (declared(&kinds[i]))
			put_reference(j, kinds[i].name);
	}
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (declared(&kinds[i]))
			put_converted(j, &kinds[i]);
	}
	put_list(j);
	put_foreign(j);
	json_end_array(j);
	put_definitions(j);
	json_end_object(j);
}

void settings_json_schema(struct json *j)
{
	put_single(j, "orch/v1", "OrchdConfiguration", &settings_type);
}
