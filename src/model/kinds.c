/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds, and how users name them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "model/object.h"

#include <stdio.h>

const struct kind kinds[KIND_COUNT] = {
#define KIND(id, type, api, name, plural, singular, shorts, namespaced, use)                   \
	[KIND_##id] = { KIND_##id, api, name, plural, singular, shorts, namespaced, KIND_##use,\
			&type##_type },
#include "model/kinds.def"
#undef KIND
};

const struct kind *kind_find(const char *api_version, const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (streq(kinds[i].name, name) && streq(kinds[i].api_version, api_version))
			return &kinds[i];
	}
	return NULL;
}

static bool same_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

static bool among(const char *s, size_t n, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len == n && strncasecmp(s, words, n) == 0)
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

/* suffix is ".group" or ".version.group"; the group of v1 is empty. */
static bool group_fits(const struct kind *k, const char *suffix)
{
	const char *slash = strchr(k->api_version, '/');
	size_t n = slash ? (size_t)(slash - k->api_version) : 0;

	if (!*suffix)
		return true;
	suffix++;
	if (slash && strncasecmp(suffix, slash + 1, strlen(slash + 1)) == 0 &&
	    suffix[strlen(slash + 1)] == '.')
		suffix += strlen(slash + 1) + 1;
	else if (!slash && streq(suffix, k->api_version))
		return true;
	return strlen(suffix) == n && strncasecmp(suffix, k->api_version, n) == 0;
}

const struct kind *kind_by_word(const char *word)
{
	size_t n = strcspn(word, ".");

	for (size_t i = 0; n && i < KIND_COUNT; i++) {
		const struct kind *k = &kinds[i];

		if ((same_word(word, n, k->name) || same_word(word, n, k->plural) ||
		     same_word(word, n, k->singular) || among(word, n, k->short_names)) &&
		    group_fits(k, word + n))
			return k;
	}
	return NULL;
}

const char *kind_group(const struct kind *k, char ret[64])
{
	const char *slash = strchr(k->api_version, '/');

	snprintf(ret, 64, "%.*s", slash ? (int)(slash - k->api_version) : 0, k->api_version);
	return ret;
}
