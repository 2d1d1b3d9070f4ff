/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects of any kind: identity, order, making, copying, and their JSON. */
#include "model/object.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/macro.h"
#include "model/build.h"
#include "schema/schema.h"

#define META_OFFSET offsetof(struct namespace, metadata)
#define KIND(id, type, api, name, plural, singular, shorts, namespaced, use)                   \
	_Static_assert(offsetof(struct type, metadata) == META_OFFSET, "metadata comes first");
#include "model/kinds.def"
#undef KIND

void object_set_body(struct object *o, const struct kind *kind, void *body)
{
	o->kind = kind;
	o->body = body;
	o->meta = (struct meta *)((char *)body + META_OFFSET);
}

struct object_key object_key(const struct object *o)
{
	return (struct object_key){
		.kind = o->kind,
		.namespace = o->kind->namespaced && o->meta->namespace ? o->meta->namespace : "",
		.name = o->meta->name ? o->meta->name : "",
	};
}

int object_key_cmp(const struct object_key *a, const struct object_key *b)
{
	if (a->kind != b->kind)
		return a->kind->id < b->kind->id ? -1 : 1;
	int r = strcmp(a->namespace, b->namespace);
	return r ? r : strcmp(a->name, b->name);
}

int object_cmp(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->body && x->body == y->body)	/* of one manifest, in two sets */
		return 0;
	if (x->kind != y->kind)
		return x->kind->id < y->kind->id ? -1 : 1;
	struct object_key k = object_key(x), l = object_key(y);
	int r = k.namespace == l.namespace ? 0 : strcmp(k.namespace, l.namespace);
	return r ? r : strcmp(k.name, l.name);
}

const char *object_name(struct arena *a, const struct object *o)
{
	struct object_key key = object_key(o);

	if (!*key.namespace || streq(key.namespace, "default"))
		return arena_printf(a, "%s/%s", key.kind->singular, key.name);
	return arena_printf(a, "%s/%s/%s", key.namespace, key.kind->singular, key.name);
}

struct object object_new(struct arena *a, enum kind_id kind, const char *ns, const char *name)
{
	struct object o = { 0 };

	object_set_body(&o, &kinds[kind], arena_alloc(a, kinds[kind].type->size));
	o.meta->name = arena_strdup(a, name);
	MARK(o.meta, meta, name);
	if (kinds[kind].namespaced) {
		o.meta->namespace = arena_strdup(a, ns);
		MARK(o.meta, meta, namespace);
	}
	return o;
}

struct object object_copy(struct arena *a, const struct object *o)
{
	struct object copy = *o;

	object_set_body(&copy, o->kind, schema_copy(a, o->kind->type, o->body));
	copy.file = arena_strdup(a, o->file);
	copy.stack = arena_strdup(a, o->stack);
	return copy;
}

void object_json(struct json *j, const struct object *o, unsigned flags)
{
	json_begin_object(j);
	json_kstr(j, "apiVersion", o->kind->api_version);
	json_kstr(j, "kind", o->kind->name);
	schema_json(j, o->kind->type, o->body, flags);
	json_end_object(j);
}

uint64_t object_digest(const struct object *o)
{
	return schema_hash(o->kind->type, o->body, fnv64_str(FNV64_INIT, o->kind->name));
}
