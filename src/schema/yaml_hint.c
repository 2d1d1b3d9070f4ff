/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guesses at mistakes: rows of what libyaml said and what the text looks like around the place.
 * The first row that fits is the guess.
 */
#include "schema/yaml_hint.h"

#include <stdbool.h>
#include <string.h>

#include "base/macro.h"

struct line {
	const char *s;
	size_t n;
	size_t indent;		/* blanks and tabs at its start */
};

struct place {
	const struct yaml_problem *p;
	struct line line, above;	/* above: the nearest that is not blank */
	size_t at;			/* byte of the problem in its line */
};

static struct line line_at(const char *s, const char *end)
{
	const char *lf = memchr(s, '\n', (size_t)(end - s));
	struct line l = { .s = s, .n = (size_t)((lf ? lf : end) - s) };

	if (l.n && s[l.n - 1] == '\r')
		l.n--;
	while (l.indent < l.n && strchr(" \t", s[l.indent]))
		l.indent++;
	return l;
}

/* The line before the one that begins at s; its s is NULL when there is none. */
static struct line line_before(const char *text, const char *s)
{
	if (s == text)
		return (struct line){ 0 };
	const char *end = s - 1, *lf = memrchr(text, '\n', (size_t)(end - text));

	return line_at(lf ? lf + 1 : text, s);
}

static bool has(const struct line *l, const char *part)
{
	return l->s && memmem(l->s, l->n, part, strlen(part));
}

static struct place find_place(const struct yaml_problem *p)
{
	const char *s = p->text, *end = p->text + p->n;
	struct place ret = { .p = p };

	for (size_t i = 0; i < p->line; i++) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		if (!lf)
			break;
		s = lf + 1;
	}
	ret.line = line_at(s, end);
	for (size_t i = 0; i < p->col && ret.at < ret.line.n; i++) {
		ret.at++;
		while (ret.at < ret.line.n && ((unsigned char)s[ret.at] & 0xc0) == 0x80)
			ret.at++;
	}
	do {
		ret.above = line_before(p->text, s);
		s = ret.above.s;
	} while (s && ret.above.indent == ret.above.n);
	return ret;
}

static char char_at(const struct place *p)
{
	return p->at < p->line.n ? p->line.s[p->at] : '\0';
}

static bool anywhere(const struct place *p)
{
	(void)p;
	return true;
}

static bool is_template(const struct place *p)
{
	return has(&p->line, "{{") || has(&p->line, "{%") || has(&p->line, "<%");
}

static bool is_tab(const struct place *p)
{
	return strstr(p->p->what, "tab character") || char_at(p) == '\t' ||
	       (p->line.indent && memchr(p->line.s, '\t', p->line.indent));
}

/* Does the line end with | or >, with or without the signs that may follow? */
static bool begins_block(const struct line *l)
{
	size_t n = l->n;

	while (n && strchr(" \t+-0123456789", l->s[n - 1]))
		n--;
	return n >= 2 && strchr("|>", l->s[n - 1]) && strchr(": -", l->s[n - 2]);
}

/* Is the first line of the nearest block scalar, or the line in question, indented too little? */
static bool is_block_unindented(const struct place *p)
{
	struct line below = p->line, l;

	if (below.indent == below.n)
		return false;
	for (unsigned i = 0; i < 50; i++) {
		l = line_before(p->p->text, below.s);
		if (!l.s)
			return false;
		if (begins_block(&l))
			return below.indent <= l.indent || (p->line.indent > l.indent &&
							    p->line.indent < below.indent);
		if (l.indent < l.n)
			below = l;
		else
			below.s = l.s;
	}
	return false;
}

static bool is_after_dots(const struct place *p)
{
	return p->above.s && p->above.n >= 3 && !memcmp(p->above.s, "...", 3);
}

/* JSON objects one after the other? */
static bool is_after_object(const struct place *p)
{
	size_t at = p->at;

	while (at && strchr(" \t", p->line.s[at - 1]))
		at--;
	return at ? p->line.s[at - 1] == '}' :
		    p->above.s && p->above.n && p->above.s[p->above.n - 1] == '}';
}

/* Does the line look like key:value? */
static bool lacks_blank(const struct line *l)
{
	const char *s = l->s, *colon = s ? memchr(s, ':', l->n) : NULL;

	return colon && colon > s && colon + 1 < s + l->n && !strchr(" \t/", colon[1]) &&
	       !memchr(s, '"', l->n);
}

static bool is_blank_missing(const struct place *p)
{
	bool quoted = p->at && p->at + 1 < p->line.n && strchr("\"'", p->line.s[p->at - 1]) &&
		      char_at(p) == ':';

	if (!strstr(p->p->what, "find expected") && !strstr(p->p->what, "mapping values"))
		return false;
	return quoted || lacks_blank(&p->line) || lacks_blank(&p->above);
}

static const char *before_problem(const struct place *p, const char *part)
{
	return memmem(p->line.s, p->at, part, strlen(part));
}

static bool is_second_colon(const struct place *p)
{
	return before_problem(p, ": ") != NULL;
}

static bool is_too_deep(const struct place *p)
{
	return p->line.indent > p->above.indent && has(&p->above, ": ");
}

static bool is_colon_missing(const struct place *p)
{
	return p->above.s && !memchr(p->above.s, ':', p->above.n);
}

static bool is_first(const struct place *p)
{
	return p->at == p->line.indent;
}

static bool is_entry(const struct place *p)
{
	return is_first(p) && char_at(p) == '-';
}

/* Which quote closed before the problem? */
static bool follows(const struct place *p, char quote)
{
	size_t at = p->at;

	while (at && strchr(" \t", p->line.s[at - 1]))
		at--;
	return (at && p->line.s[at - 1] == quote) ||
	       (p->at && memrchr(p->line.s, quote, p->at) && !is_first(p));
}

static bool is_after_single(const struct place *p)
{
	return follows(p, '\'');
}

static bool is_after_double(const struct place *p)
{
	return follows(p, '"');
}

static bool is_reserved(const struct place *p)
{
	return char_at(p) && strchr("@`%", char_at(p));
}

static const struct { const char *what; bool (*fits)(const struct place *p); const char *hint; }
hints[] = {
	{ "", is_template, "this looks like an unrendered template" },
	{ "", is_tab, "a tab: indent with spaces" },
	{ "", is_block_unindented, "all lines of a block scalar must be indented" },
	{ "document start", is_after_dots, "behind ... the next document begins with ---" },
	{ "document start", is_after_object, "between two documents stands a line ---" },
	{ "", is_blank_missing, "a colon needs a blank behind it: key: value" },
	{ "mapping values", is_second_colon, "quote a value that has \": \" in it" },
	{ "mapping values", is_too_deep,
	  "the line above has a value already, and this one is indented more" },
	{ "mapping values", is_colon_missing, "the line above is no key without a colon" },
	{ "expected key", is_entry, "a list entry stands where a key is expected" },
	{ "expected key", is_first, "it is indented like no key above it" },
	{ "'-' indicator", is_first, "it is indented like no entry above it" },
	{ "find expected", is_after_single, "between single quotes write '' for an apostrophe" },
	{ "find expected", is_after_double, "between double quotes write \\\" for a quote" },
	{ "cannot start any token", is_reserved, "quote a value that begins with @, ` or %" },
	{ "alphabetic or numeric", anywhere, "quote a value that begins with * or &" },
	{ "unknown escape", anywhere,
	  "between double quotes \\ begins an escape: write \\\\, or use single quotes" },
	{ "sequence entries are not allowed", anywhere, "a list begins in a line below its key" },
	{ "expected ':'", anywhere,
	  "a line without a colon is no key, and part of a value only when indented enough" },
};

const char *yaml_hint(const struct yaml_problem *p)
{
	struct place at = find_place(p);

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		if (strstr(p->what, hints[i].what) && hints[i].fits(&at))
			return hints[i].hint;
	}
	return NULL;
}
