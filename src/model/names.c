/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules behind model/names.h: one row per rule, one small scanner per shape. */
#include "model/names.h"

#include <stdint.h>
#include <string.h>

#include "base/macro.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Begins and ends with a letter or digit; between them also the characters of inner. */
static bool word(const char *s, size_t n, bool (*outer)(char), const char *inner)
{
	if (!n || !outer(s[0]) || !outer(s[n - 1]))
		return false;
	for (size_t i = 1; i + 1 < n; i++) {
		if (!outer(s[i]) && !strchr(inner, s[i]))
			return false;
	}
	return true;
}

static bool label(const char *s)
{
	return word(s, strlen(s), is_lower_alnum, "-");
}

static bool label_1035(const char *s)
{
	return is_lower(s[0]) && label(s);
}

static bool subdomain(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, ".");

		if (!word(s, n, is_lower_alnum, "-"))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static bool qualified(const char *s)
{
	const char *slash = strchr(s, '/');
	const char *name = slash ? slash + 1 : s;
	char prefix[254];

	if (slash) {
		size_t n = (size_t)(slash - s);

		if (n >= sizeof(prefix))
			return false;
		memcpy(prefix, s, n);
		prefix[n] = 0;
		if (!subdomain(prefix))
			return false;
	}
	return strlen(name) <= 63 && word(name, strlen(name), is_alnum, "-_.");
}

static bool label_value(const char *s)
{
	return !*s || word(s, strlen(s), is_alnum, "-_.");
}

static bool config_key(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (!is_alnum(*p) && !strchr("-_.", *p))
			return false;
	}
	return *s && !streq(s, ".") && strncmp(s, "..", 2) != 0;
}

static bool env_name(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p < ' ' || *p > '~' || *p == '=')
			return false;
	}
	return *s;
}

static bool port_name(const char *s)
{
	size_t n = strlen(s);
	bool letter = false;

	for (size_t i = 0; i < n; i++)
		letter |= is_lower(s[i]);
	return letter && word(s, n, is_lower_alnum, "-") && !strstr(s, "--");
}

static bool http_header(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (!is_alnum(*p) && *p != '-')
			return false;
	}
	return *s;
}

static bool percent(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && streq(s + n, "%");
}

#define LOWER "must consist of lower-case letters, digits"
#define CHARS "must consist of letters, digits, \"-\", \"_\" and \".\""
#define ENDS "end with a letter or digit"
#define AT_MOST(n) n, "must be at most " #n " characters"
#define ANY_LENGTH SIZE_MAX, ""

static const struct {
	bool (*ok)(const char *s);
	size_t max;
	const char *too_long, *expected;
} rules[NAME_RULES] = {
	[NAME_LABEL] = { label, AT_MOST(63), LOWER " and \"-\", and begin and " ENDS },
	[NAME_SUBDOMAIN] = {
		subdomain, AT_MOST(253),
		LOWER ", \"-\" and \".\", and each part between dots begin and " ENDS,
	},
	[NAME_LABEL_1035] = {
		label_1035, AT_MOST(63), LOWER " and \"-\", begin with a letter and " ENDS,
	},
	[NAME_QUALIFIED] = {
		qualified, AT_MOST(317),
		"must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning "
		"and ending with a letter or digit, after an optional DNS domain and \"/\"",
	},
	[NAME_LABEL_VALUE] = { label_value, AT_MOST(63), CHARS ", and begin and " ENDS },
	[NAME_CONFIG_KEY] = { config_key, AT_MOST(253), CHARS ", and not begin with \"..\"" },
	[NAME_ENV] = {
		env_name, ANY_LENGTH, "must consist of printable ASCII characters other than \"=\"",
	},
	[NAME_PORT] = {
		port_name, AT_MOST(15),
		LOWER " and single \"-\" between them, with at least one letter",
	},
	[NAME_HTTP_HEADER] = {
		http_header, ANY_LENGTH, "must consist of letters, digits and \"-\"",
	},
	[NAME_PERCENT] = { percent, ANY_LENGTH, "must be a number or a percentage like 25%" },
};

bool name_ok(enum name_rule rule, const char *s)
{
	return !name_problem(rule, s);
}

const char *name_problem(enum name_rule rule, const char *s)
{
	if (strlen(s) > rules[rule].max)
		return rules[rule].too_long;
	return rules[rule].ok(s) ? NULL : rules[rule].expected;
}

bool path_has_dotdot(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}
