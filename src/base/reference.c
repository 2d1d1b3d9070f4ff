/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A transport is a prefix and a function for what follows it; see reference.h. */
#include "base/reference.h"

#include "base/macro.h"

#define NAME_MAX_LEN 255
#define TAG_MAX_LEN 128
#define HEX_LEN 64

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
	return is_alnum(c) || c == '_';
}

static size_t hex_run(const char *s)
{
	return strspn(s, "0123456789abcdef");
}

bool digest_valid(const char *text)
{
	static const char algorithm[] = "sha256:";
	size_t n = sizeof(algorithm) - 1;

	return strncmp(text, algorithm, n) == 0 && hex_run(text + n) == HEX_LEN &&
	       !text[n + HEX_LEN];
}

static bool tag_valid(const char *s)
{
	size_t n = 0;

	if (!is_word(s[0]))
		return false;
	while (is_word(s[n]) || s[n] == '.' || s[n] == '-')
		n++;
	return !s[n] && n <= TAG_MAX_LEN;
}

/* Runs of lower-case letters and digits; between two of them ".", "_", "__" or some "-". */
static bool component_valid(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t start = i;

		while (i < n && (is_lower(s[i]) || is_digit(s[i])))
			i++;
		if (i == start || i == n)
			return i > start;
		char c = s[i];
		size_t run = 0;

		while (i + run < n && s[i + run] == c)
			run++;
		if (c == '.' ? run > 1 : c == '_' ? run > 2 : c != '-')
			return false;
		i += run;
	}
	return false;
}

static bool path_valid(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		if (!component_valid(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static bool port_valid(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && n <= 5 && !s[n] && atoi(s) <= 65535;
}

/* Labels of letters, digits and inner "-", joined by dots; or an IPv6 address in brackets. */
static bool host_valid(const char *s)
{
	if (*s == '[') {
		size_t n = strspn(s + 1, "0123456789abcdefABCDEF:");

		s += n + 1;
		return n > 1 && *s == ']' && (!s[1] || (s[1] == ':' && port_valid(s + 2)));
	}
	for (;;) {
		size_t n = 0;

		while (is_alnum(s[n]) || s[n] == '-')
			n++;
		if (!n || s[0] == '-' || s[n - 1] == '-')
			return false;
		s += n;
		if (*s != '.')
			break;
		s++;
	}
	return !*s || (*s == ':' && port_valid(s + 1));
}

static int bad_format(const char *text, const char *why, struct err *err)
{
	return err_set(err, -EINVAL, "couldn't parse image name \"%.200s\": invalid reference "
		       "format%s%s", text, *why ? ": " : "", why);
}

/* Is the first component of a name a host? docker's rule: a dot, a port, localhost, upper case. */
static bool names_host(const char *s, size_t n)
{
	if (n == 9 && memcmp(s, "localhost", n) == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || (s[i] >= 'A' && s[i] <= 'Z'))
			return true;
	return false;
}

static void split_host(struct arena *a, char *rest, struct reference *r)
{
	static const char hub[] = "docker.io";
	size_t n = strcspn(rest, "/");

	r->host = hub;
	r->path = rest;
	if (rest[n] && names_host(rest, n)) {
		r->host = arena_strndup(a, rest, n);
		r->path = rest + n + 1;
	}
	if (streq(r->host, "index.docker.io"))
		r->host = hub;
	if (streq(r->host, hub) && !strchr(r->path, '/'))
		r->path = arena_printf(a, "library/%s", r->path);
}

/* Cuts what follows the last c off s when it stands after the last slash; NULL: there is none. */
static const char *cut_after(char *s, char c)
{
	char *slash = strrchr(s, '/'), *at = strrchr(s, c);

	if (!at || (slash && at < slash))
		return NULL;
	*at = '\0';
	return at + 1;
}

static const char *fault(const char *text, const struct reference *r)
{
	if (r->digest && !digest_valid(r->digest))
		return "a digest is sha256: and 64 hex digits";
	if (r->tag && !tag_valid(r->tag))
		return "invalid tag";
	if (hex_run(text) == HEX_LEN && !text[HEX_LEN])
		return "a repository name can't be 64 hex digits";
	for (const char *p = r->path; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return "repository name must be lowercase";
	return host_valid(r->host) && path_valid(r->path) ? NULL : "";
}

static int parse_registry(struct arena *a, const char *text, const char *rest,
			  struct reference *ret, struct err *err)
{
	char *s = arena_strdup(a, rest), *at = strchr(s, '@');

	if (at) {
		*at = '\0';
		ret->digest = at + 1;
	}
	ret->tag = cut_after(s, ':');
	split_host(a, s, ret);
	const char *why = fault(rest, ret);
	if (why)
		return bad_format(text, why, err);
	if (strlen(ret->host) + 1 + strlen(ret->path) > NAME_MAX_LEN)
		return bad_format(text, "repository name must not be more than 255 characters", err);
	if (ret->digest)
		ret->tag = NULL;	/* as Kubernetes: the digest says it all */
	else if (!ret->tag)
		ret->tag = "latest";
	ret->name = arena_printf(a, "%s/%s%c%s", ret->host, ret->path, ret->digest ? '@' : ':',
				 ret->digest ? ret->digest : ret->tag);
	return 0;
}

/* A path that means the same from every directory and does not lead upwards. */
static bool plain_path(const char *path)
{
	if (*path != '/')
		return false;
	for (const char *p = path; *p; p++) {
		const char *rest = p + 1;

		if (*p != '/' || *rest != '.')
			continue;
		rest += rest[1] == '.' ? 2 : 1;
		if (!*rest || *rest == '/')
			return false;
	}
	return true;
}

static int bad_path(const char *text, struct err *err)
{
	return err_set(err, -EINVAL, "image \"%.200s\": the path must begin with / and have no . "
		       "or .. in it", text);
}

static int parse_rootfs(struct arena *a, const char *text, const char *rest,
			struct reference *ret, struct err *err)
{
	ret->path = arena_strdup(a, rest);
	ret->name = arena_strdup(a, text);
	return plain_path(rest) ? 0 : bad_path(text, err);
}

/* PATH[:TAG]: a tag holds no slash, but that of docker-archive is a name of its own. */
static int parse_file(struct arena *a, const char *text, const char *rest, struct reference *ret,
		      struct err *err)
{
	char *s = arena_strdup(a, rest), *colon = strchr(s, ':');

	ret->name = arena_strdup(a, text);
	if (colon) {
		*colon = '\0';
		ret->tag = colon + 1;
	}
	ret->path = s;
	if (!plain_path(s) || !s[1])
		return bad_path(text, err);
	if (ret->tag && (!*ret->tag || strlen(ret->tag) > NAME_MAX_LEN))
		return bad_format(text, "invalid tag", err);
	return 0;
}

static const struct {
	const char *prefix;
	enum transport transport;
	int (*parse)(struct arena *a, const char *text, const char *rest, struct reference *ret,
		     struct err *err);
} transports[] = {
	{ "rootfs:", TRANSPORT_ROOTFS, parse_rootfs },
	{ "oci:", TRANSPORT_OCI, parse_file },
	{ "oci-archive:", TRANSPORT_OCI_ARCHIVE, parse_file },
	{ "docker-archive:", TRANSPORT_DOCKER_ARCHIVE, parse_file },
	{ "docker://", TRANSPORT_REGISTRY, parse_registry },
	{ "", TRANSPORT_REGISTRY, parse_registry },
};

/* "oci:1.2" is a name of Docker Hub with a tag, "rootfs:5000/x" one of a registry at a port: what
 * is no path of this machine has no transport. All else after rootfs: is a mistake. */
static bool is_meant(const char *prefix, const char *rest)
{
	size_t digits = strspn(rest, "0123456789");

	if (streq(prefix, "rootfs:"))
		return !digits || rest[digits] != '/';
	return !*prefix || strchr(prefix, '/') || *rest == '/' || *rest == '.';
}

static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

int reference_parse(struct arena *a, const char *text, struct reference *ret, struct err *err)
{
	bool file;

	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		size_t n = strlen(transports[i].prefix);

		if (strncmp(text, transports[i].prefix, n) != 0 ||
		    !is_meant(transports[i].prefix, text + n))
			continue;
		file = transports[i].transport != TRANSPORT_REGISTRY;
		if (!file && !printable(text))
			break;
		*ret = (struct reference){ .transport = transports[i].transport };
		return transports[i].parse(a, text, text + n, ret, err);
	}
	return bad_format(text, "", err);
}

bool reference_floats(const char *text)
{
	struct arena a = { 0 };
	struct reference r;
	bool floats = reference_parse(&a, text, &r, NULL) == 0 &&
		      r.transport == TRANSPORT_REGISTRY && r.tag && streq(r.tag, "latest");

	arena_release(&a);
	return floats;
}
