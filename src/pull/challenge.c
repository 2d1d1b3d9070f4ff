/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEME name=value, name="quoted \" value", ...; see challenge.h. */
#include "pull/challenge.h"

#include <strings.h>

#include "base/macro.h"

static size_t token(const char *s)
{
	return strcspn(s, " \t,=\"");
}

static size_t blanks(const char *s)
{
	return strspn(s, " \t,");
}

/* A value, quoted or not; *s goes behind it. */
static const char *value(struct arena *a, const char **s)
{
	const char *p = *s;
	char *out;
	size_t n = 0;

	if (*p != '"') {
		n = token(p);
		*s = p + n;
		return arena_strndup(a, p, n);
	}
	out = arena_alloc(a, strlen(p) + 1);
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		out[n++] = *p;
	}
	*s = p + (*p == '"');
	return out;
}

static void parameter(struct arena *a, struct challenge *c, const char *name, size_t n,
		      const char **s)
{
	const struct { const char *name; const char **to; } known[] = {
		{ "realm", &c->realm }, { "service", &c->service }, { "scope", &c->scope },
	};
	const char *v = value(a, s);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == n && strncasecmp(known[i].name, name, n) == 0)
			*known[i].to = v;
}

/* Parameters up to the next scheme: a word that no "=" follows. */
static const char *parameters(struct arena *a, struct challenge *c, const char *s)
{
	for (;;) {
		s += blanks(s);
		size_t n = token(s);
		const char *rest = s + n;

		if (!n || *rest != '=')
			return n ? s : s + strlen(s);
		rest++;
		parameter(a, c, s, n, &rest);
		s = rest;
	}
}

struct challenge challenge_parse(struct arena *a, const char *text)
{
	static const struct { const char *name; enum challenge_scheme scheme; } schemes[] = {
		{ "bearer", CHALLENGE_BEARER }, { "basic", CHALLENGE_BASIC },
	};

	while (*(text += blanks(text))) {
		struct challenge c = { CHALLENGE_NONE, "", "", "" };
		size_t n = token(text);

		for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
			if (strlen(schemes[i].name) == n &&
			    strncasecmp(schemes[i].name, text, n) == 0)
				c.scheme = schemes[i].scheme;
		if (!n)
			break;
		text = parameters(a, &c, text + n);
		if (c.scheme != CHALLENGE_NONE && (c.scheme == CHALLENGE_BASIC || *c.realm))
			return c;
	}
	return (struct challenge){ CHALLENGE_NONE, "", "", "" };
}
