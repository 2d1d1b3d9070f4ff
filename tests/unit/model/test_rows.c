/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All rows of all kinds. From the rows a document is written for every field that can be met in a
 * manifest: as short as it may be, with that field in it, right or wrong in one way. What is wrong
 * must be told at the field's path and to the column; nothing here knows a field by name, but for
 * samples of what checks want to see. The field list of the API (tests/data) is held against the
 * rows.
 */
#include "fixture.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/check.h"

#define DEPTH 24
#define API_FIELDS "tests/data/api-fields.tsv"

/*
 * Values where any word or number will not do. Those with a type are part of every document that
 * has this type; with a key only, the field is left out unless it is needed.
 */
#define POD_SPEC "{\"containers\":[{\"name\":\"x\",\"image\":\"rootfs:/\"}]}"
#define SELECTOR "{\"matchLabels\":{\"x\":\"x\"}}"

static const struct sample { const char *type, *key, *json; } samples[] = {
	{ "meta", "name", "\"x\"" },
	{ "pod_template", "metadata", "{\"labels\":{\"x\":\"x\"}}" },
	{ "pod_template", "spec", POD_SPEC },
	{ "pod_spec", "containers", "[{\"name\":\"x\",\"image\":\"rootfs:/\"}]" },
	{ "container", "image", "\"rootfs:/\"" },
	{ "pvc_spec", "accessModes", "[\"ReadWriteOnce\"]" },
	{ "pvc_spec", "resources", "{\"requests\":{\"storage\":1}}" },
	{ "replicaset_spec", "selector", SELECTOR },
	{ "deployment_spec", "selector", SELECTOR },
	{ "statefulset_spec", "selector", SELECTOR },
	{ "daemonset_spec", "selector", SELECTOR },
	{ "job_spec", "template", "{\"spec\":{\"restartPolicy\":\"Never\","
				  "\"containers\":[{\"name\":\"x\",\"image\":\"rootfs:/\"}]}}" },
	{ "cronjob_spec", "schedule", "\"* * * * *\"" },
	{ "service_spec", "ports", "[{\"port\":1}]" },
	{ "ingress_spec", "rules", "[{\"host\":\"x\"}]" },
	{ "ingress_class_spec", "controller", "\"x/x\"" },
	{ "pv_spec", "capacity", "{\"storage\":1}" },
	{ "pv_spec", "accessModes", "[\"ReadWriteOnce\"]" },
	{ "pv_spec", "hostPath", "{\"path\":\"/x\"}" },
	{ NULL, "mountPath", "\"/x\"" },
};

enum how { RIGHT, ABSENT, JSON_NULL, WRONG_TYPE, WRONG_WORD, TOO_SMALL, TOO_BIG, DEFAULT, NUMBER };

static const char *const how_name[] = {
	"right", "absent", "null", "wrong type", "unknown word", "too small", "too big", "default",
	"number for a string",
};

struct chain {
	const struct kind *kind;
	const struct type *types[DEPTH];	/* the type that row i is in */
	const struct field *rows[DEPTH];
	unsigned n;
};

struct writer {
	const struct chain *chain;
	enum how how;
	struct buf out;
	size_t parent, value;	/* where the last row's mapping and value begin */
};

/* Is this what a whole document is? */
static bool kind_of(const struct type *t)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (kinds[i].type == t)
			return true;
	}
	return false;
}

static const struct sample *sample_of(const struct type *t, const struct field *f)
{
	static const struct sample metadata = { "", "metadata", "{\"name\":\"x\"}" };

	if (kind_of(t) && streq(f->key, "metadata"))
		return &metadata;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];

		if (streq(s->key, f->key) && (!s->type || streq(s->type, t->name)))
			return s;
	}
	return NULL;
}

static void put_struct(struct writer *w, const struct type *t, unsigned depth, bool on_chain);

static void put_wrong(struct writer *w, const struct field *f)
{
	static const char *const other[] = {
		[K_BOOL] = "\"x\"", [K_I32] = "\"x\"", [K_I64] = "\"x\"", [K_STR] = "[]",
		[K_ENUM] = "[]", [K_QTY] = "[]", [K_INTSTR] = "[]", [K_TIME] = "\"x\"",
		[K_OBJ] = "5", [K_INLINE] = "\"x\"", [K_LIST] = "{}", [K_STRS] = "\"x\"",
		[K_INTS] = "5", [K_MAP] = "[]", [K_QMAP] = "[]", [K_BMAP] = "[]",
	};

	buf_puts(&w->out, other[f->kind]);
}

static void put_default(struct writer *w, const struct field *f)
{
	bool bare = f->kind == K_BOOL || f->kind == K_I32 || f->kind == K_I64;

	bare |= f->kind == K_INTSTR && !f->dflt[strspn(f->dflt, "0123456789")];
	buf_printf(&w->out, bare ? "%s" : "\"%s\"", f->dflt);
}

/* The shortest value that has the row's shape. */
static void put_right(struct writer *w, const struct type *t, const struct field *f, unsigned depth,
		      bool on_chain)
{
	static const char *const least[] = {
		[K_BOOL] = "true", [K_STR] = "\"x\"", [K_QTY] = "1", [K_INTSTR] = "1",
		[K_TIME] = "\"2026-11-21T10:00:00Z\"", [K_STRS] = "[]", [K_INTS] = "[]",
		[K_MAP] = "{\"x\":\"x\"}", [K_QMAP] = "{\"cpu\":1}", [K_BMAP] = "{\"x\":\"eA==\"}",
		[K_ANY] = "{}",
	};
	const struct sample *s = sample_of(t, f);

	if (f->sub && !(s && s->json && !on_chain)) {
		buf_puts(&w->out, f->kind == K_LIST ? "[" : "");
		put_struct(w, f->sub, depth + 1, on_chain);
		buf_puts(&w->out, f->kind == K_LIST ? "]" : "");
	} else if (s && s->json) {
		buf_puts(&w->out, s->json);
	} else if (f->kind == K_I32 || f->kind == K_I64) {
		buf_printf(&w->out, "%" PRId64, f->max && f->min > 1 ? f->min : MIN(1, f->max ? f->max : 1));
	} else if (f->kind == K_ENUM) {
		buf_printf(&w->out, "\"%s\"", f->values->values[1]);
	} else {
		buf_puts(&w->out, least[f->kind]);
	}
}

static void put_target(struct writer *w, const struct type *t, const struct field *f, unsigned depth)
{
	switch (w->how) {
	case JSON_NULL:
		buf_puts(&w->out, "null");
		break;
	case WRONG_TYPE:
		put_wrong(w, f);
		break;
	case WRONG_WORD:
		buf_puts(&w->out, "\"NoSuchWord\"");
		break;
	case NUMBER:
		buf_puts(&w->out, "5");
		break;
	case TOO_SMALL:
		buf_printf(&w->out, "%" PRId64, f->min - 1);
		break;
	case TOO_BIG:
		buf_printf(&w->out, "%" PRId64, f->max + 1);
		break;
	case DEFAULT:
		put_default(w, f);
		break;
	default:
		put_right(w, t, f, depth, false);
	}
}

static void put_row(struct writer *w, const struct type *t, const struct field *f, unsigned depth,
		    bool on_chain)
{
	const struct sample *s = sample_of(t, f);
	bool next = on_chain && depth < w->chain->n && w->chain->rows[depth] == f;
	bool last = next && depth + 1 == w->chain->n;

	if (last ? w->how == ABSENT : !next && !(f->flags & F_REQUIRED) && !(s && s->type))
		return;
	if (w->out.data[w->out.len - 1] != '{')
		buf_putc(&w->out, ',');
	buf_printf(&w->out, "\"%s\":", f->key);
	if (last) {
		w->value = w->out.len;
		put_target(w, t, f, depth);
	} else {
		put_right(w, t, f, depth, next);
	}
}

static void put_struct(struct writer *w, const struct type *t, unsigned depth, bool on_chain)
{
	if (on_chain && depth + 1 == w->chain->n)
		w->parent = w->out.len;
	buf_putc(&w->out, '{');
	if (depth == 0)
		buf_printf(&w->out, "\"apiVersion\":\"%s\",\"kind\":\"%s\"",
			   w->chain->kind->api_version, w->chain->kind->name);
	for (unsigned i = 0; i < t->nfields; i++)
		put_row(w, t, &t->fields[i], depth, on_chain);
	buf_putc(&w->out, '}');
}

static void chain_path(const struct chain *c, struct buf *path)
{
	for (unsigned i = 0; i < c->n; i++) {
		bool element = c->rows[i]->kind == K_LIST && i + 1 < c->n;

		buf_printf(path, "%s%s%s", i ? "." : "", c->rows[i]->key, element ? "[0]" : "");
	}
}

/* What is said at this path; place false: anywhere. */
static const struct msg *said(const struct manifest *m, const char *path, size_t col)
{
	for (uint32_t i = 0; i < m->msgs.n; i++) {
		const struct msg *g = &m->msgs.v[i];

		if (!g->warning && streq(g->path, path) && g->line == 1 && g->col == col + 1)
			return g;
	}
	return NULL;
}

static bool of_decoding(const char *text)
{
	return strncmp(text, "expected ", 9) == 0 || strstr(text, " is not in ") ||
	       strstr(text, "no quantity") || strstr(text, "missing; it is required");
}

/* One document; the number of faults, which are printed. */
static unsigned try(const struct chain *c, enum how how)
{
	bool required = c->rows[c->n - 1]->flags & F_REQUIRED;
	bool wrong = how != RIGHT && how != DEFAULT && (how > JSON_NULL || required);
	struct writer w = { .chain = c, .how = how };
	BUF_AUTO path = { 0 };
	unsigned faults = 0;

	chain_path(c, &path);
	put_struct(&w, c->kind->type, 0, true);
	struct manifest *m = manifest_load("t.yaml", buf_str(&w.out), w.out.len);
	size_t at = how == ABSENT || how == JSON_NULL ? w.parent : w.value;
	const struct msg *g = said(m, buf_str(&path), at);
	if (wrong ? !g : g && of_decoding(g->text)) {
		BUF_AUTO all = { 0 };
		for (uint32_t i = 0; i < m->msgs.n; i++)
			msg_print(&m->msgs.v[i], &all);
		print_error("%s %s, %s: %s at column %zu\n%s\n%s", c->kind->name, buf_str(&path),
			    how_name[how], wrong ? "no error" : g->text, at + 1, buf_str(&w.out),
			    buf_str(&all));
		faults++;
	}
	manifest_unref(m);
	buf_release(&w.out);
	return faults;
}

static unsigned try_row(const struct chain *c)
{
	const struct field *f = c->rows[c->n - 1];
	const struct sample *s = sample_of(c->types[c->n - 1], f);
	bool number = f->kind == K_I32 || f->kind == K_I64;
	unsigned faults = 0;

	if (f->flags & F_REFUSED)
		return 0;
	faults += try(c, RIGHT);
	if (!(s && s->type) || (f->flags & F_REQUIRED))
		faults += try(c, ABSENT) + try(c, JSON_NULL);
	if (f->kind != K_ANY)
		faults += try(c, WRONG_TYPE);
	if (f->kind == K_ENUM)
		faults += try(c, WRONG_WORD);
	if (f->kind == K_STR || f->kind == K_ENUM)
		faults += try(c, NUMBER);
	if (number && f->max && f->min > INT32_MIN)
		faults += try(c, TOO_SMALL);
	if (number && f->max && f->max < INT64_MAX)
		faults += try(c, TOO_BIG);
	if (f->dflt)
		faults += try(c, DEFAULT);
	return faults;
}

/* orchctl explain, with the kind of the field and what becomes of it. */
static unsigned explain_row(const struct chain *c)
{
	const struct explain e = { .kind = c->kind->name, .version = c->kind->api_version };
	const struct field *f = c->rows[c->n - 1];
	BUF_AUTO path = { 0 };
	BUF_AUTO text = { 0 };
	struct err err = { 0 };

	chain_path(c, &path);
	int r = schema_explain(c->kind->type, &e, buf_str(&path), &text, &err);
	if (r == 0 && strstr(buf_str(&text), "ACTED ON: ") && strstr(buf_str(&text), "CHANGE: ") &&
	    (!f->values || strstr(buf_str(&text), "ENUM: ")) &&
	    (!f->max || strstr(buf_str(&text), "BOUNDS: ")) &&
	    (!f->dflt || strstr(buf_str(&text), "DEFAULT: ")))
		return 0;
	print_error("explain %s.%s: %s\n%s\n", c->kind->name, buf_str(&path), err.msg,
		    buf_str(&text));
	return 1;
}

struct seen { const struct type *v[1024]; unsigned n; };

static bool see(struct seen *s, const struct type *t)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->v[i] == t)
			return false;
	}
	assert_true(s->n < ARRAY_SIZE(s->v));
	s->v[s->n++] = t;
	return true;
}

/* Every row of every type below the end of the chain that was not met before. */
static unsigned try_type(struct chain *c, const struct type *t, struct seen *s)
{
	unsigned faults = 0;

	assert_true(c->n < DEPTH);
	if (!see(s, t))
		return 0;
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (f->flags & F_SERVER)
			continue;
		c->types[c->n] = t;
		c->rows[c->n++] = f;
		faults += try_row(c) + explain_row(c);
		if (f->sub && !(f->flags & F_REFUSED))
			faults += try_type(c, f->sub, s);
		c->n--;
	}
	return faults;
}

/* A kind that may stand in a manifest. */
static bool declared(const struct kind *k)
{
	return k->use != KIND_MADE;
}

static void test_every_mistake_is_told_at_its_field(void **state)
{
	struct seen s = { 0 };
	unsigned faults = 0;

	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct chain c = { .kind = &kinds[i] };

		if (declared(&kinds[i]))
			faults += try_type(&c, kinds[i].type, &s);
	}
	assert_true(s.n > 50);
	assert_int_equal(faults, 0);
}

static void test_shortest_documents_are_accepted(void **state)
{
	unsigned faults = 0;

	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct chain c = { .kind = &kinds[i] };
		struct writer w = { .chain = &c };

		if (!declared(&kinds[i]))
			continue;
		put_struct(&w, kinds[i].type, 0, false);
		struct manifest *m = manifest_load("t.yaml", buf_str(&w.out), w.out.len);
		if (m->broken || m->objects.n != 1) {
			BUF_AUTO all = { 0 };
			for (uint32_t k = 0; k < m->msgs.n; k++)
				msg_print(&m->msgs.v[k], &all);
			print_error("%s\n%s", buf_str(&w.out), buf_str(&all));
			faults++;
		}
		manifest_unref(m);
		buf_release(&w.out);
	}
	assert_int_equal(faults, 0);
}

/* Every type that a kind leads to, what the server writes included. */
static void collect(const struct type *t, struct seen *s)
{
	if (!see(s, t))
		return;
	for (unsigned i = 0; i < t->nfields; i++) {
		if (t->fields[i].sub)
			collect(t->fields[i].sub, s);
	}
}

static unsigned fault(const struct type *t, const struct field *f, const char *what)
{
	print_error("%s.%s: %s\n", t->name, f ? f->key : "", what);
	return 1;
}

static bool is_sentence(const char *doc)
{
	size_t n = strlen(doc);

	return n > 2 && doc[n - 1] == '.';
}

static unsigned look_at_row(const struct type *t, unsigned row)
{
	const struct field *f = &t->fields[row];
	unsigned faults = 0;

	if (!is_sentence(f->doc))
		faults += fault(t, f, "no doc that ends in a period");
	for (unsigned i = 0; i < row; i++) {
		if (streq(t->fields[i].key, f->key))
			faults += fault(t, f, "the key is there twice");
	}
	if (f->list_key && (!f->sub || !schema_field(f->sub, f->list_key)))
		faults += fault(t, f, "its elements have no such key field");
	if (f->dflt && (f->flags & F_REQUIRED))
		faults += fault(t, f, "a default for a required field");
	if (f->max && f->min > f->max)
		faults += fault(t, f, "bounds the wrong way round");
	return faults;
}

static void test_rows_say_what_they_are(void **state)
{
	struct seen s = { 0 };
	unsigned faults = 0;

	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++)
		collect(kinds[i].type, &s);
	for (unsigned i = 0; i < s.n; i++) {
		if (!is_sentence(s.v[i]->doc))
			faults += fault(s.v[i], NULL, "no doc that ends in a period");
		for (unsigned k = 0; k < s.v[i]->nfields; k++)
			faults += look_at_row(s.v[i], k);
	}
	assert_int_equal(faults, 0);
}

/* ---- the API's field list ---- */

struct api_line { const char *word[4]; };
struct api { struct api_line *v; uint32_t n; struct arena arena; };

static void read_api(struct api *api)
{
	FILE *f = fopen(API_FIELDS, "r");
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct api_line *l = arena_push(&api->arena, api);
		char *at = arena_strndup(&api->arena, line, strcspn(line, "\n"));

		for (unsigned i = 0; i < 4; i++)
			l->word[i] = strsep(&at, "\t");
	}
	fclose(f);
	assert_true(api->n > 1000);
}

/* Rows for all fields of a definition; what is below ANY or a map needs no rows. */
static unsigned hold_against(const struct api *api, const char *definition, const struct type *t,
			     struct seen *s)
{
	unsigned missing = 0;

	if (!see(s, t))
		return 0;
	for (uint32_t i = 0; i < api->n; i++) {
		const struct api_line *l = &api->v[i];

		if (!streq(l->word[0], "field") || !streq(l->word[1], definition))
			continue;
		const struct field *f = schema_field(t, l->word[2]);
		bool header = streq(l->word[2], "apiVersion") || streq(l->word[2], "kind");
		if (!f && !header)
			missing += fault(t, NULL, arena_printf(&((struct api *)api)->arena,
							       "no row for %s of %s", l->word[2],
							       definition));
		if (f && f->sub && !streq(l->word[3], "-"))
			missing += hold_against(api, l->word[3], f->sub, s);
	}
	return missing;
}

static void test_every_field_of_the_api_has_a_row(void **state)
{
	struct api api = { 0 };
	struct seen s = { 0 };
	unsigned missing = 0, nkinds = 0;

	(void)state;
	read_api(&api);
	for (uint32_t i = 0; i < api.n; i++) {
		const struct api_line *l = &api.v[i];
		const struct kind *k =
			streq(l->word[0], "kind") ? kind_find(l->word[1], l->word[2]) : NULL;

		if (k && declared(k)) {
			missing += hold_against(&api, l->word[3], k->type, &s);
			nkinds++;
		}
	}
	arena_release(&api.arena);
	assert_true(nkinds > 20);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mistake_is_told_at_its_field),
		cmocka_unit_test(test_shortest_documents_are_accepted),
		cmocka_unit_test(test_rows_say_what_they_are),
		cmocka_unit_test(test_every_field_of_the_api_has_a_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
