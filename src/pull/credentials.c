/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Auth files: {"auths": {KEY: ENTRY}}, or {KEY: ENTRY} alone; see credentials.h. */
#include "pull/credentials.h"

#include <fnmatch.h>
#include <jansson.h>

#include "base/macro.h"
#include "base/units.h"

/* Docker Hub has been called many names. */
static const char *canonical_host(const char *host)
{
	static const char *const hub[] = { "index.docker.io", "registry-1.docker.io" };

	for (size_t i = 0; i < ARRAY_SIZE(hub); i++)
		if (streq(host, hub[i]))
			return "docker.io";
	return host;
}

static unsigned dots(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += *s == '.';
	return n;
}

/* "*.example.com" is for one label, as kubelet has it. */
static bool host_matches(const char *pattern, const char *host)
{
	if (streq(canonical_host(pattern), host))
		return true;
	return strchr(pattern, '*') && dots(pattern) == dots(host) &&
	       fnmatch(pattern, host, FNM_NOESCAPE) == 0;
}

/* The key without scheme, the API's version and slashes at its end. */
static char *plain_key(struct arena *a, const char *key)
{
	static const char *const schemes[] = { "https://", "http://" };
	static const char *const versions[] = { "/v1", "/v2" };
	char *s;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(key, schemes[i], strlen(schemes[i])) == 0)
			key += strlen(schemes[i]);
	s = arena_strdup(a, key);
	for (n = strlen(s); n && s[n - 1] == '/'; n--)
		s[n - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (n > 3 && streq(s + n - 3, versions[i]))
			s[n -= 3] = '\0';
	return s;
}

/* 0: is for another image. */
static size_t weight_of(struct arena *a, const char *key, const struct reference *r)
{
	char *host = plain_key(a, key), *slash = strchr(host, '/');
	size_t all = strlen(host), n;

	if (slash)
		*slash = '\0';
	if (!*host || !host_matches(host, r->host))
		return 0;
	if (!slash)
		return all;
	n = strlen(slash + 1);
	return strncmp(r->path, slash + 1, n) == 0 && (!r->path[n] || r->path[n] == '/') ? all : 0;
}

static const char *text_of(struct arena *a, json_t *entry, const char *key)
{
	const char *s = json_string_value(json_object_get(entry, key));

	return s && *s ? arena_strdup(a, s) : NULL;
}

static void split_auth(struct arena *a, json_t *entry, struct credential *c)
{
	const char *auth = text_of(a, entry, "auth");
	void *bytes;
	size_t n;

	if (!auth || base64_decode(a, auth, strlen(auth), &bytes, &n) < 0)
		return;
	char *user = arena_strndup(a, bytes, n), *colon = strchr(user, ':');

	if (!colon || strlen(user) != n)
		return;
	*colon = '\0';
	c->user = user;
	c->password = colon + 1;
}

static bool read_entry(struct arena *a, json_t *entry, struct credential *c)
{
	c->user = text_of(a, entry, "username");
	c->password = text_of(a, entry, "password");
	c->identity = text_of(a, entry, "identitytoken");
	c->bearer = text_of(a, entry, "registrytoken");
	if (!c->user || !c->password)
		split_auth(a, entry, c);
	return (c->user && c->password) || c->identity || c->bearer;
}

/* Behind those of the same weight, which came earlier. */
static void insert(struct arena *a, struct credentials *l, struct credential c)
{
	arena_push(a, l);
	uint32_t i = l->n - 1;

	for (; i > 0 && l->v[i - 1].weight < c.weight; i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = c;
}

void credentials_add(struct arena *a, const char *text, const struct reference *r,
		     struct credentials *io)
{
	json_t *root = json_loads(text, 0, NULL), *all = json_object_get(root, "auths"), *entry;
	const char *key;

	json_object_foreach(json_is_object(all) ? all : root, key, entry) {
		struct credential c = { .weight = weight_of(a, key, r) };

		if (c.weight && json_is_object(entry) && read_entry(a, entry, &c))
			insert(a, io, c);
	}
	json_decref(root);
}

const char *credential_basic(struct arena *a, const struct credential *c)
{
	const char *pair = arena_printf(a, "%s:%s", c->user ? c->user : "",
					c->password ? c->password : "");

	return arena_printf(a, "Basic %s", base64_encode(a, pair, strlen(pair)));
}
