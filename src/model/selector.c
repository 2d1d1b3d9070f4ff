/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Label selectors: matching, and kubectl's text form. A label that is absent is not in any list of
 * values, so NotIn matches it.
 */
#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "model/names.h"
#include "model/object.h"
#include "schema/schema.h"

static bool has_value(const struct strs *values, const char *v)
{
	for (uint32_t i = 0; i < values->n; i++) {
		if (streq(values->v[i], v))
			return true;
	}
	return false;
}

static bool requirement_holds(const struct selector_requirement *r, const struct strmap *labels)
{
	const char *v = strmap_get(labels, r->key);

	switch (r->op) {
	case SELECTOR_IN:
		return v && has_value(&r->values, v);
	case SELECTOR_NOT_IN:
		return !v || !has_value(&r->values, v);
	case SELECTOR_EXISTS:
		return v;
	case SELECTOR_DOES_NOT_EXIST:
		return !v;
	case selector_operator_unset:
		break;
	}
	return false;
}

bool selector_matches(const struct label_selector *s, const struct strmap *labels)
{
	if (!s || !strmap_contains(labels, &s->match_labels))
		return false;
	for (uint32_t i = 0; i < s->match_expressions.n; i++) {
		if (!requirement_holds(&s->match_expressions.v[i], labels))
			return false;
	}
	return true;
}

/* Text being parsed: at is what comes next. */
struct parse {
	struct arena *a;
	const char *at;
	struct label_selector *ret;
	struct err *err;
};

static void skip_blanks(struct parse *p)
{
	while (isblank((unsigned char)*p->at))
		p->at++;
}

static bool take(struct parse *p, const char *token)
{
	skip_blanks(p);
	if (strncmp(p->at, token, strlen(token)) != 0)
		return false;
	p->at += strlen(token);
	return true;
}

/* Up to a separator; may be empty. */
static const char *take_word(struct parse *p)
{
	skip_blanks(p);
	size_t n = strcspn(p->at, " \t,=!()<>");
	const char *word = arena_strndup(p->a, p->at, n);
	p->at += n;
	skip_blanks(p);
	return word;
}

static int bad_word(struct parse *p, enum name_rule rule, const char *what, const char *word)
{
	const char *problem = name_problem(rule, word);

	if (!problem)
		return 0;
	if (!*word)
		return err_set(p->err, -EINVAL, "selector: a %s is missing before \"%s\"", what,
			       p->at);
	return err_set(p->err, -EINVAL, "selector: %s \"%s\" %s", what, word, problem);
}

static int take_value(struct parse *p, struct strs *values)
{
	const char *word = take_word(p);
	int r = bad_word(p, NAME_LABEL_VALUE, "value", word);

	if (r == 0)
		*arena_push(p->a, values) = word;
	return r;
}

static int take_list(struct parse *p, struct strs *values)
{
	if (!take(p, "("))
		return err_set(p->err, -EINVAL, "selector: expected ( before \"%s\"", p->at);
	do {
		int r = take_value(p, values);
		if (r < 0)
			return r;
	} while (take(p, ","));
	if (!take(p, ")"))
		return err_set(p->err, -EINVAL, "selector: expected , or ) before \"%s\"", p->at);
	return 0;
}

static int take_relation(struct parse *p, struct selector_requirement *r)
{
	static const struct {
		const char *token;
		enum selector_operator op;
		bool list;
	} relations[] = {
		{ "==", SELECTOR_IN, false }, { "=", SELECTOR_IN, false },
		{ "!=", SELECTOR_NOT_IN, false }, { "notin", SELECTOR_NOT_IN, true },
		{ "in", SELECTOR_IN, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(relations); i++) {
		if (!take(p, relations[i].token))
			continue;
		r->op = relations[i].op;
		return relations[i].list ? take_list(p, &r->values) : take_value(p, &r->values);
	}
	r->op = SELECTOR_EXISTS;
	return 0;
}

static int take_requirement(struct parse *p)
{
	struct selector_requirement r = { 0 };
	bool absent = take(p, "!");

	r.key = take_word(p);
	int e = bad_word(p, NAME_QUALIFIED, "label key", r.key);
	if (e == 0 && absent)
		r.op = SELECTOR_DOES_NOT_EXIST;
	else if (e == 0)
		e = take_relation(p, &r);
	if (e == 0)
		*arena_push(p->a, &p->ret->match_expressions) = r;
	return e;
}

/* key=value as a plain label; the same key twice stays a condition of its own. */
static void plain_labels(struct arena *a, struct label_selector *s)
{
	struct selector_requirement_list all = s->match_expressions;

	s->match_expressions = (struct selector_requirement_list){ 0 };
	for (uint32_t i = 0; i < all.n; i++) {
		const struct selector_requirement *r = &all.v[i];

		if (r->op == SELECTOR_IN && r->values.n == 1 &&
		    !strmap_get(&s->match_labels, r->key))
			strmap_set(a, &s->match_labels, r->key, r->values.v[0]);
		else
			*arena_push(a, &s->match_expressions) = *r;
	}
}

int selector_parse(struct arena *a, const char *text, struct label_selector *ret, struct err *err)
{
	struct label_selector s = { 0 };
	struct parse p = { a, text, &s, err };

	skip_blanks(&p);
	while (*p.at) {
		int r = take_requirement(&p);
		if (r < 0)
			return r;
		skip_blanks(&p);
		if (!*p.at)
			break;
		if (!take(&p, ","))
			return err_set(err, -EINVAL, "selector: expected , before \"%s\"", p.at);
		skip_blanks(&p);
		if (!*p.at)
			return err_set(err, -EINVAL, "selector: nothing follows the last ,");
	}
	plain_labels(a, &s);
	*ret = s;
	return 0;
}

static void print_requirement(const struct selector_requirement *r, struct buf *out)
{
	bool list = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;

	buf_printf(out, "%s%s", r->op == SELECTOR_DOES_NOT_EXIST ? "!" : "", r->key);
	if (!list)
		return;
	buf_puts(out, r->op == SELECTOR_IN ? " in (" : " notin (");
	for (uint32_t i = 0; i < r->values.n; i++)
		buf_printf(out, "%s%s", i ? "," : "", r->values.v[i]);
	buf_putc(out, ')');
}

void selector_print(const struct label_selector *s, struct buf *out)
{
	if (!s || (!s->match_labels.n && !s->match_expressions.n)) {
		buf_puts(out, "<none>");
		return;
	}
	for (uint32_t i = 0; i < s->match_labels.n; i++)
		buf_printf(out, "%s%s=%s", i ? "," : "", s->match_labels.v[i].k,
			   s->match_labels.v[i].v);
	for (uint32_t i = 0; i < s->match_expressions.n; i++) {
		if (i || s->match_labels.n)
			buf_putc(out, ',');
		print_requirement(&s->match_expressions.v[i], out);
	}
}
