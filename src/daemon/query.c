/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what a list or watch asks for, and telling which objects that are. */
#include "daemon/query.h"

#include <stdio.h>
#include <strings.h>

#include "base/macro.h"
#include "schema/schema.h"

/* "/api/v1/..." or "/apis/GROUP/v1/..." */
static bool path_has_version(const char *path, const char *api_version)
{
	const char *p = strncmp(path, "/apis/", 6) == 0 ? path + 6 : path + 5;
	size_t n = strlen(api_version);

	return strncmp(p, api_version, n) == 0 && p[n] == '/';
}

static const struct kind *kind_of(const char *plural, const char *path)
{
	for (int k = 0; k < KIND_COUNT; k++)
		if (streq(kinds[k].plural, plural) && path_has_version(path, kinds[k].api_version))
			return &kinds[k];
	return NULL;
}

/* A plain field by its path in the API; NULL when there is none that one could select by. */
static const struct field *find_field(const struct type *t, const char *path, size_t *offset)
{
	char key[64];
	size_t n = strcspn(path, ".");

	snprintf(key, sizeof(key), "%.*s", (int)MIN(n, sizeof(key) - 1), path);
	const struct field *f = schema_field(t, key);
	if (!f)
		return NULL;
	*offset += f->offset;
	if (f->kind == K_INLINE && path[n])
		return find_field(f->sub, path + n + 1, offset);
	return !path[n] && (f->kind == K_STR || f->kind == K_ENUM) ? f : NULL;
}

static const char *field_text(const struct field_term *t, const struct object *o)
{
	const void *member = (const char *)o->body + t->offset;
	const char *text = t->field->kind == K_STR ? *(const char *const *)member :
						     t->field->values->values[*(const int *)member];

	return text ? text : "";
}

static int parse_term(struct query *y, char *term, struct err *err)
{
	char *eq = strchr(term, '=');

	if (!eq)
		return err_set(err, -EINVAL, "invalid selector: '%s'; can't understand it", term);
	struct field_term *t = arena_push(&y->arena, &y->fields);
	t->differs = eq > term && eq[-1] == '!';
	t->value = eq + 1 + (eq[1] == '=');
	eq[t->differs ? -1 : 0] = '\0';
	t->field = find_field(y->kind->type, term, &t->offset);
	return t->field ? 0 : err_set(err, -EINVAL, "field label not supported: %s", term);
}

/* "a=b,c!=d" */
static int parse_fields(struct query *y, const char *text, struct err *err)
{
	int r = 0;

	while (text && *text && r == 0) {
		size_t n = strcspn(text, ",");

		r = parse_term(y, arena_strndup(&y->arena, text, n), err);
		text += n + (text[n] == ',');
	}
	return r;
}

bool query_matches(const struct query *y, const struct object *o)
{
	if (y->ns && o->kind->namespaced && !streq(o->meta->namespace, y->ns))
		return false;
	if (y->has_labels && !selector_matches(&y->labels, &o->meta->labels))
		return false;
	for (uint32_t i = 0; i < y->fields.n; i++) {
		const struct field_term *t = &y->fields.v[i];

		if (streq(field_text(t, o), t->value) == t->differs)
			return false;
	}
	return true;
}

int query_init(struct request *q, struct query *y, const char *plural, const char *ns,
		      struct reply *r)
{
	const struct kind *kind = kind_of(plural, q->path);

	if (kind && (!ns || kind->namespaced))
		return query_init_kind(q, y, kind, ns, r);
	reply_status(r, 404, "NotFound", "the server could not find the requested resource");
	return -ENOENT;
}

int query_init_kind(struct request *q, struct query *y, const struct kind *kind, const char *ns,
		    struct reply *r)
{
	const char *labels = request_query(q, "labelSelector");
	const char *accept = request_header(q, "Accept");
	struct err err = { 0 };

	*y = (struct query){ .kind = kind };
	y->ns = arena_strdup(&y->arena, ns);
	y->table = accept && strcasestr(accept, "as=Table");
	y->full = streq(request_query(q, "includeObject") ?: "", "Object");
	y->has_labels = labels && *labels;
	if ((y->has_labels && selector_parse(&y->arena, labels, &y->labels, &err) < 0) ||
	    parse_fields(y, request_query(q, "fieldSelector"), &err) < 0) {
		reply_status(r, 400, "BadRequest", "%s", err.msg);
		return -EINVAL;
	}
	return 0;
}

void query_release(struct query *y)
{
	arena_release(&y->arena);
}
