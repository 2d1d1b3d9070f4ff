/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options from one table (options.def). They may stand anywhere; "--" ends them, and what follows
 * is a command. -f is a file for some verbs and "follow" for logs: the table decides by verb.
 * Values are checked here, so that verbs need not.
 */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"

enum option_kind { FLAG, UNLESS, VALUE, DURATION, NUMBER, MAYBE, FILES };

static const struct option {
	const char *name;
	char letter;
	enum option_kind kind;
	size_t offset;
	const char *verbs, *doc;
} table[] = {
#define OPTION(name, letter, kind, member, verbs, doc)                                         \
	{ name, letter, kind, offsetof(struct options, member), verbs, doc },
#include "cli/options.def"
#undef OPTION
};

/* w NULL: only what every verb has. */
static bool has_word(const char *words, const char *w)
{
	if (!w || streq(words, "*"))
		return streq(words, "*");
	size_t n = strlen(w);
	for (const char *p = words; (p = strstr(p, w)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static const struct option *by_name(const char *verb, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strlen(table[i].name) == n && strncmp(table[i].name, name, n) == 0 &&
		    has_word(table[i].verbs, verb))
			return &table[i];
	return NULL;
}

static const struct option *by_letter(const char *verb, char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].letter == letter && has_word(table[i].verbs, verb))
			return &table[i];
	return NULL;
}

static int bad_value(const struct option *o, const char *value, const char *wanted)
{
	fprintf(stderr, "error: invalid argument \"%s\" for \"--%s\": %s\n", value, o->name,
		wanted);
	return -EINVAL;
}

static bool is_number(const char *s)
{
	char *end;

	errno = 0;
	strtol(s, &end, 10);
	return end != s && !*end && !errno;
}

/* kubectl takes a plain number for seconds, too. */
static bool is_duration(const char *s)
{
	int64_t ns;

	return is_number(s) || duration_parse(s + (*s == '-'), &ns) == 0;
}

static int set_flag(const struct option *o, const char *value, bool *member)
{
	bool no = value && (streq(value, "false") || streq(value, "0"));

	if (value && !no && !streq(value, "true") && !streq(value, "1"))
		return bad_value(o, value, "true or false is wanted");
	*member = no == (o->kind == UNLESS);
	return 0;
}

static int add_file(struct cli *c, const char *value)
{
	if (c->opt.nfiles == FILES_MAX) {
		fprintf(stderr, "error: more than %d files\n", FILES_MAX);
		return -EINVAL;
	}
	c->opt.files[c->opt.nfiles++] = value;
	return 0;
}

static int set(struct cli *c, const struct option *o, const char *value)
{
	char *member = (char *)&c->opt + o->offset;

	if (o->kind == FLAG || o->kind == UNLESS)
		return set_flag(o, value, (bool *)member);
	if (o->kind == FILES)
		return add_file(c, value);
	if (o->kind == MAYBE && !value)
		value = "-1";
	if ((o->kind == NUMBER || o->kind == MAYBE) && !is_number(value))
		return bad_value(o, value, "a number is wanted");
	if (o->kind == DURATION && !is_duration(value))
		return bad_value(o, value, "a duration like 30s or 5m is wanted");
	*(const char **)member = value;
	return 0;
}

static bool takes_value(const struct option *o)
{
	return o->kind != FLAG && o->kind != UNLESS && o->kind != MAYBE;
}

static int missing_value(const char *arg)
{
	fprintf(stderr, "error: %s needs a value\n", arg);
	return -EINVAL;
}

static int unknown(const struct cli *c, const char *arg)
{
	if (!c->verb)
		fprintf(stderr, "error: unknown option %s before the verb; see orchctl --help\n",
			arg);
	else
		fprintf(stderr, "error: unknown option %s of %s; see orchctl %s --help\n", arg,
			c->verb, c->verb);
	return -EINVAL;
}

/* --name, --name=value, --name value. *i moves on when the value is the next argument. */
static int parse_long(struct cli *c, int argc, char **argv, int *i)
{
	const char *arg = argv[*i] + 2;
	size_t n = strcspn(arg, "=");
	const char *value = arg[n] ? arg + n + 1 : NULL;
	const struct option *o = by_name(c->verb, arg, n);

	if (!o)
		return unknown(c, argv[*i]);
	if (!value && takes_value(o)) {
		if (*i + 1 >= argc)
			return missing_value(argv[*i]);
		value = argv[++*i];
	}
	return set(c, o, value);
}

/* -A, -it, -nNS, -n NS, -n=NS */
static int parse_short(struct cli *c, int argc, char **argv, int *i)
{
	const char *whole = argv[*i];

	for (const char *p = whole + 1; *p; p++) {
		const struct option *o = by_letter(c->verb, *p);

		if (!o)
			return unknown(c, whole);
		if (!takes_value(o)) {
			set(c, o, NULL);
			continue;
		}
		const char *value = p[1] == '=' ? p + 2 : p[1] ? p + 1 : NULL;
		if (!value && *i + 1 >= argc)
			return missing_value(whole);
		return set(c, o, value ? value : argv[++*i]);
	}
	return 0;
}

static int parse_option(struct cli *c, int argc, char **argv, int *i)
{
	return strncmp(argv[*i], "--", 2) == 0 ? parse_long(c, argc, argv, i) :
						 parse_short(c, argc, argv, i);
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1];
}

int options_parse_first(struct cli *c, int argc, char **argv)
{
	int i = 0;

	c->verb = NULL;
	for (; i < argc && is_option(argv[i]); i++) {
		int r = parse_option(c, argc, argv, &i);
		if (r < 0)
			return r;
	}
	return i;
}

int options_parse(struct cli *c, int argc, char **argv)
{
	c->args = arena_array(&c->arena, const char *, argc + 1);
	for (int i = 0; i < argc; i++) {
		if (streq(argv[i], "--")) {
			c->command = (const char **)argv + i + 1;
			c->ncommand = (unsigned)(argc - i - 1);
			break;
		}
		if (!is_option(argv[i]))
			c->args[c->nargs++] = argv[i];
		else if (parse_option(c, argc, argv, &i) < 0)
			return -EINVAL;
	}
	return 0;
}

void options_usage(const char *verb, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option *o = &table[i];
		char letter[8] = "    ";

		if (!has_word(o->verbs, verb))
			continue;
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		buf_printf(out, "  %s--%-20s %s\n", letter, o->name, o->doc);
	}
}
