/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From apiVersion and kind to one of our kinds. In Kubernetes' own groups, whose names have no dot,
 * every kind is known, so that a word which is none of them is a mistake. Groups with a dot belong
 * to extensions; what they define is passed over with a warning.
 */
#include "model/foreign.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "model/names.h"
#include "schema/scalar.h"

/* Kubernetes' kinds in groups without a dot that orch does not act on, removed ones included. */
static const char *const foreign[] = {
	"Binding", "ComponentStatus", "Eviction", "PodSecurityPolicy", "Scale", NULL,
};

/* The groups in which those kinds are, or were. */
static const char *const own_groups[] = {
	"", "apps", "autoscaling", "batch", "extensions", "policy", NULL,
};

struct header {
	const char *file;
	const struct ynode *doc;
	struct msgs *m;
	const char *api, *kind;		/* their texts */
	const struct ynode *api_node, *kind_node;
};

static int fail(const struct header *h, const struct ynode *at, const char *path,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int fail(const struct header *h, const struct ynode *at, const char *path,
		const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	msgs_add(h->m, false, h->file, at->line, at->col, path, "%s", buf_str(&text));
	return -EINVAL;
}

static int pass_over(const struct header *h, const char *why)
{
	msgs_add(h->m, true, h->file, h->kind_node->line, h->kind_node->col, "kind",
		 "kind %.60s of %.60s %s", h->kind, h->api, why);
	return 0;
}

static int take_word(struct header *h, const char *key, const char *example, const char **ret,
		     const struct ynode **ret_node)
{
	const struct ynode *n = ynode_get(h->doc, key);

	if (ynode_is_null(n))
		return fail(h, n ? n : h->doc, key, "missing; it is required, like %s", example);
	if (n->kind != Y_SCALAR || scalar_resolve(n).type != SCALAR_STR)
		return fail(h, n, key, "expected a string like %s", example);
	*ret = n->text;
	*ret_node = n;
	return 0;
}

static bool version_ok(const char *v)
{
	size_t n = strspn(v + (*v == 'v'), "0123456789") + 1;

	if (*v != 'v' || n == 1)
		return false;
	v += n;
	if (strncmp(v, "alpha", 5) == 0)
		v += 5;
	else if (strncmp(v, "beta", 4) == 0)
		v += 4;
	return !v[strspn(v, "0123456789")];
}

/* "group/version", or "version" of the group "". */
static bool split(const char *api, char *group, size_t size)
{
	const char *slash = strchr(api, '/');
	size_t n = slash ? (size_t)(slash - api) : 0;

	if (n >= size || (slash && !n))
		return false;
	memcpy(group, api, n);
	group[n] = 0;
	return version_ok(slash ? slash + 1 : api) && (!n || name_ok(NAME_SUBDOMAIN, group));
}

static bool kind_ok(const char *kind)
{
	const char *p = kind;

	while (isalnum((unsigned char)*p))
		p++;
	return isalpha((unsigned char)*kind) && !*p;
}

static bool listed(const char *const *words, const char *word)
{
	for (; *words; words++) {
		if (streq(*words, word))
			return true;
	}
	return false;
}

static const struct kind *same_name(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (streq(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

static int unknown_kind(const struct header *h)
{
	const char *names[KIND_COUNT + ARRAY_SIZE(foreign)] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (kinds[i].use != KIND_MADE)
			names[n++] = kinds[i].name;
	}
	for (size_t i = 0; foreign[i]; i++)
		names[n++] = foreign[i];
	const char *near = suggest(h->kind, names);
	if (near)
		return fail(h, h->kind_node, "kind", "unknown kind \"%.60s\"; did you mean \"%s\"?",
			    h->kind, near);
	return fail(h, h->kind_node, "kind", "unknown kind \"%.60s\" of %s", h->kind, h->api);
}

static int classify(const struct header *h, const char *group, const struct kind **ret_kind)
{
	const struct kind *k = kind_find(h->api, h->kind);

	if (k && k->use != KIND_MADE) {
		*ret_kind = k;
		return 0;
	}
	if (k)
		return pass_over(h, "is made by orch and not read from files");
	if (strchr(group, '.'))
		return pass_over(h, "is not acted on by orch");
	k = same_name(h->kind);
	if (k)
		return fail(h, h->api_node, "apiVersion", "%s is of %s, not of %.60s", k->name,
			    k->api_version, h->api);
	if (streq(group, "orch"))
		return fail(h, h->kind_node, "kind", "%.60s of %.60s belongs in orchd.yaml",
			    h->kind, h->api);
	if (!listed(own_groups, group) || listed(foreign, h->kind))
		return pass_over(h, "is not acted on by orch");
	return unknown_kind(h);
}

/* What stands where a mapping should; key:value is read as one word. */
static const char *shape_of(const struct ynode *doc)
{
	if (doc->kind == Y_SEQ)
		return "a list";
	return doc->plain && strchr(doc->text, ':') ?
		"a single value; a colon needs a blank behind it: key: value" : "a single value";
}

int kind_of_document(const char *file, const struct ynode *doc, const struct kind **ret_kind,
		     struct msgs *m)
{
	struct header h = { .file = file, .doc = doc, .m = m };
	char group[254];

	*ret_kind = NULL;
	if (doc->kind != Y_MAP)
		return fail(&h, doc, "", "expected a mapping with apiVersion and kind, not %s",
			    shape_of(doc));
	int r = take_word(&h, "apiVersion", "v1 or apps/v1", &h.api, &h.api_node);
	int r2 = take_word(&h, "kind", "Deployment", &h.kind, &h.kind_node);
	if (r < 0 || r2 < 0)
		return -EINVAL;
	if (!split(h.api, group, sizeof(group)))
		return fail(&h, h.api_node, "apiVersion",
			    "\"%.60s\" is no API version like v1 or apps/v1", h.api);
	if (!kind_ok(h.kind))
		return fail(&h, h.kind_node, "kind", "\"%.60s\" is no kind like Deployment",
			    h.kind);
	return classify(&h, group, ret_kind);
}
