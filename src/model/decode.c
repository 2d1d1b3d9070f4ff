/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From documents to objects: of manifests, with everything checked, and of records that
 * object_json wrote. What only a whole object can say of itself is checked here: its name by its
 * kind, and whether it may have a namespace.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "model/build.h"
#include "model/convert.h"
#include "model/foreign.h"
#include "model/names.h"
#include "schema/schema.h"

static const char *const header_keys[] = { "apiVersion", "kind", NULL };

/* Where a name becomes part of another one, or the value of a label, it is bounded more tightly. */
static const struct {
	bool special;
	enum name_rule rule;
	size_t max;
	const char *why;
} name_rules[KIND_COUNT] = {
	[KIND_NAMESPACE] = { true, NAME_LABEL, 63, "" },
	[KIND_SERVICE] = { true, NAME_LABEL_1035, 63, "" },
	[KIND_STATEFULSET] = { true, NAME_LABEL, 63, "" },
	[KIND_JOB] = { true, NAME_SUBDOMAIN, 63, ": it becomes the label of its pods" },
	[KIND_CRONJOB] = { true, NAME_SUBDOMAIN, 52, ": its Jobs add 11 to it" },
};

static const char *name_fault_by_kind(struct arena *a, const struct kind *k, const char *name)
{
	bool special = name_rules[k->id].special;
	const char *problem =
		name_problem(special ? name_rules[k->id].rule : NAME_SUBDOMAIN, name);

	if (!problem && special && strlen(name) > name_rules[k->id].max)
		problem = arena_printf(a, "must be at most %zu characters%s",
				       name_rules[k->id].max, name_rules[k->id].why);
	return problem;
}

static bool empty(const struct ynode *n)
{
	return ynode_is_null(n) || (n->kind == Y_SCALAR && !n->len);
}

#define GENERATED 5		/* characters after a generateName */
#define PREFIX_MAX 58

/* The problem with what stands for a name that is absent. */
static const char *prefix_fault(struct arena *a, const struct kind *kind,
				const struct ynode *prefix)
{
	if (empty(prefix))
		return "missing; it is required";
	if (prefix->kind != Y_SCALAR)
		return NULL;
	if (kind->id == KIND_NAMESPACE)
		return "missing; a Namespace needs a fixed name";
	const char *problem = name_fault_by_kind(
		a, kind, arena_printf(a, "%.*s%.*s", PREFIX_MAX, prefix->text, GENERATED, "xxxxx"));
	return problem ? arena_printf(a, "generated from \"%.100s\" %s", prefix->text, problem) :
			 NULL;
}

/* The problem with a name; NULL: none, or told by the decoder. */
static const char *name_fault(struct arena *a, const struct kind *kind, const struct ynode *meta,
			      const struct ynode *name)
{
	if (ynode_is_null(name))
		return prefix_fault(a, kind, ynode_get(meta, "generateName"));
	if (name->kind != Y_SCALAR)
		return NULL;
	const char *problem = name_fault_by_kind(a, kind, name->text);
	if (!problem || name->len)
		return problem ? arena_printf(a, "\"%.100s\" %s", name->text, problem) : NULL;
	return "must not be empty";
}

/* metadata.name and metadata.namespace, as far as they have the right shape. */
static int check_identity(const struct kind *kind, const char *file, const struct ynode *doc,
			  struct msgs *m)
{
	static const struct ynode nothing = { .kind = Y_MAP };
	const struct ynode *meta = ynode_get(doc, "metadata");
	const struct ynode *at = ynode_is_null(meta) ? doc : meta;
	unsigned before = m->errors;

	if (ynode_is_null(meta))
		meta = &nothing;
	if (meta->kind != Y_MAP)
		return -EINVAL;		/* told already */
	const struct ynode *name = ynode_get(meta, "name"), *ns = ynode_get(meta, "namespace");
	const char *fault = name_fault(m->arena, kind, meta, name);
	if (!ynode_is_null(name))
		at = name;
	if (fault)
		msgs_add(m, false, file, at->line, at->col, "metadata.name", "%s", fault);
	if (!kind->namespaced && !empty(ns))
		msgs_add(m, true, file, ns->line, ns->col, "metadata.namespace",
			 "ignored: %s is a kind without namespaces", kind->name);
	return m->errors == before ? 0 : -EINVAL;
}

static const char *stack_of(struct arena *a, const char *file)
{
	const char *slash = strchr(file, '/');

	return slash ? arena_strndup(a, file, (size_t)(slash - file)) : "default";
}

/*
 * A name for what has a generateName only. Made from the contents: reading the file again gives the
 * same object, and another text another one, as kubectl create would.
 */
static void derive_name(struct arena *a, struct object *o, const struct ynode *doc, struct msgs *m)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	const struct ynode *at = ynode_get(ynode_get(doc, "metadata"), "generateName");
	char end[GENERATED + 1] = "";
	uint64_t digest = o->digest;

	for (int i = 0; i < GENERATED; i++) {
		end[i] = letters[digest % (sizeof(letters) - 1)];
		digest /= sizeof(letters) - 1;
	}
	o->meta->name = arena_printf(a, "%.*s%s", PREFIX_MAX, o->meta->generate_name, end);
	msgs_add(m, true, o->file, at->line, at->col, "metadata.generateName",
		 "the name %s is made from the contents, and changes with them", o->meta->name);
}

int object_decode(struct arena *a, const char *file, const struct ynode *doc, struct object *ret,
		  struct msgs *m)
{
	const struct kind *kind;
	struct object o = { 0 };

	*ret = o;
	int r = document_convert(m->arena, file, doc, &doc, m);
	if (r == 0)
		r = kind_of_document(file, doc, &kind, m);
	if (r < 0 || !kind)
		return r;
	object_set_body(&o, kind, arena_alloc(a, kind->type->size));
	r = schema_decode(a, kind->type, file, doc, "", header_keys, o.body, m);
	int r2 = check_identity(kind, file, doc, m);
	if (r < 0 || r2 < 0)
		return -EINVAL;
	if (!kind->namespaced) {
		o.meta->namespace = NULL;
		o.meta->node.set &= ~(UINT64_C(1) << meta_namespace_row);
	}
	o.file = arena_strdup(a, file);
	o.stack = stack_of(a, file);
	o.line = doc->line;
	o.col = doc->col;
	object_complete(a, &o);
	o.digest = object_digest(&o);
	if (!o.meta->name)
		derive_name(a, &o, doc, m);
	*ret = o;
	return 0;
}

static const struct kind *record_kind(const struct ynode *root)
{
	const struct ynode *api = ynode_get(root, "apiVersion"), *kind = ynode_get(root, "kind");

	if (!api || !kind || api->kind != Y_SCALAR || kind->kind != Y_SCALAR)
		return NULL;
	return kind_find(api->text, kind->text);
}

static int record_fail(const struct msgs *m, struct err *err)
{
	const struct msg *g = m->v;

	while (g && g < m->v + m->n && g->warning)
		g++;
	if (!g || g == m->v + m->n)
		return err_set(err, -EINVAL, "a record is not one object");
	return err_set(err, -EINVAL, "a record is damaged at %u:%u: %s%s%s", g->line, g->col,
		       g->path, *g->path ? ": " : "", g->text);
}

static int parse(struct arena *a, const char *json, size_t n, struct object *ret, struct msgs *m,
		 struct err *err)
{
	struct yaml_docs docs = { 0 };
	struct object o = { 0 };

	if (yaml_parse(m->arena, "", json, n, &docs, m) < 0 || docs.n != 1 ||
	    docs.v[0].root->kind != Y_MAP)
		return record_fail(m, err);
	const struct ynode *root = docs.v[0].root;
	const struct kind *kind = record_kind(root);
	if (!kind)
		return err_set(err, -EINVAL, "a record is of no known kind");
	object_set_body(&o, kind, arena_alloc(a, kind->type->size));
	if (schema_decode_record(a, kind->type, "", root, "", header_keys, o.body, m) < 0)
		return record_fail(m, err);
	if (kind->namespaced && !o.meta->namespace)
		o.meta->namespace = "default";
	if (!o.meta->name)
		return err_set(err, -EINVAL, "a record has no name");
	*ret = o;
	return 0;
}

int object_parse(struct arena *a, const char *json, size_t n, struct object *ret, struct err *err)
{
	struct arena scratch = { 0 };
	struct msgs m = { .arena = &scratch };

	*ret = (struct object){ 0 };
	int r = parse(a, json, n, ret, &m, err);
	arena_release(&scratch);
	return r;
}
