/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of names, keys, paths and addresses: those that several kinds use. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "base/units.h"
#include "model/checks.h"
#include "model/types.h"

#define ANNOTATIONS_MAX 262144	/* bytes of all keys and values of an object */

static const char *text(const void *value)
{
	return *(const char *const *)value;
}

void check_name(struct check *c, const char *child, enum name_rule rule, const char *s)
{
	const char *problem = name_problem(rule, s);

	if (problem && *s)
		check_fail_at(c, child, "\"%.100s\" %s", s, problem);
	else if (problem)
		check_fail_at(c, child, "must not be empty");
}

bool check_present(const struct check *c, const char *key)
{
	return c->node && c->node->kind == Y_MAP && !ynode_is_null(ynode_get(c->node, key));
}

void check_dns_label(struct check *c, const void *value)
{
	check_name(c, "", NAME_LABEL, text(value));
}

/* As in Kubernetes, "" is no namespace. */
void check_namespace(struct check *c, const void *value)
{
	if (*text(value))
		check_name(c, "", NAME_LABEL, text(value));
}

void check_dns_subdomain(struct check *c, const void *value)
{
	check_name(c, "", NAME_SUBDOMAIN, text(value));
}

void check_not_empty(struct check *c, const void *value)
{
	if (!*text(value))
		check_fail(c, "must not be empty");
}

void check_some(struct check *c, const void *value)
{
	if (!((const struct list *)value)->n)
		check_fail(c, "must not be empty");
}

/* As in Kubernetes, a name that no object can have is only never found. */
void check_object_name(struct check *c, const void *value)
{
	const char *problem = name_problem(NAME_SUBDOMAIN, text(value));

	if (!*text(value))
		check_fail(c, "must not be empty");
	else if (problem)
		check_warn_at(c, "", "no object can be called \"%.100s\": a name %s", text(value),
			      problem);
}

void check_optional_object(struct check *c, const void *value)
{
	if (*text(value))
		check_object_name(c, value);
}

void check_label_key(struct check *c, const void *value)
{
	check_name(c, "", NAME_QUALIFIED, text(value));
}

void check_label_value(struct check *c, const void *value)
{
	check_name(c, "", NAME_LABEL_VALUE, text(value));
}

void check_config_key(struct check *c, const void *value)
{
	check_name(c, "", NAME_CONFIG_KEY, text(value));
}

void check_env_name(struct check *c, const void *value)
{
	check_name(c, "", NAME_ENV, text(value));
}

void check_env_prefix(struct check *c, const void *value)
{
	if (*text(value))
		check_name(c, "", NAME_ENV, text(value));
}

void check_port_name(struct check *c, const void *value)
{
	check_name(c, "", NAME_PORT, text(value));
}

void check_http_header(struct check *c, const void *value)
{
	check_name(c, "", NAME_HTTP_HEADER, text(value));
}

/* What goes into a line of a request: nothing that could end the line. */
void check_http_text(struct check *c, const void *value)
{
	for (const char *s = text(value); *s; s++) {
		if (iscntrl((unsigned char)*s)) {
			check_fail(c, "must not contain line breaks or other control characters");
			return;
		}
	}
}

void check_http_path(struct check *c, const void *value)
{
	if (strchr(text(value), ' '))
		check_fail(c, "\"%.100s\" must not contain blanks; write %%20", text(value));
	else
		check_http_text(c, value);
}

void check_label(struct check *c, const void *value)
{
	const struct strpair *p = value;
	const char *key = name_problem(NAME_QUALIFIED, p->k);
	const char *val = name_problem(NAME_LABEL_VALUE, p->v);

	if (key)
		check_fail(c, "label key \"%.100s\" %s", p->k, key);
	if (val)
		check_fail(c, "label value \"%.100s\" %s", p->v, val);
}

static void own_duration(struct check *c, const char *value)
{
	int64_t ns;

	if (duration_parse(value, &ns) < 0 || ns <= 0)
		check_fail(c, "\"%.60s\" is no duration like 30s or 2m", value);
}

static void own_count(struct check *c, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits > 9 || value[digits] || strspn(value, "0") == digits)
		check_fail(c, "\"%.60s\" is no number above 0", value);
}

/* Annotations of our own, and the values that they take: words, or what a check lets pass. */
static const struct {
	const char *key, *words[3];
	void (*check)(struct check *c, const char *value);
	bool noted;		/* reserved: nothing acts on it in this version */
} own[] = {
	{ "orch/rollback-on-failure", { "true", "false" }, NULL, false },
	{ "orch/prune", { "disabled" }, NULL, false },
	{ "orch/reconcile", { "disabled" }, NULL, true },
	{ "orch/config-change", { "roll", "live" }, NULL, false },
	{ "orch/restart-backoff-max", { NULL }, own_duration, false },
	{ "orch/pids-limit", { NULL }, own_count, false },
};

static void check_own_value(struct check *c, size_t row, const char *value)
{
	const char *const *words = own[row].words;

	if (own[row].check) {
		own[row].check(c, value);
		return;
	}
	for (size_t i = 0; words[i]; i++) {
		if (streq(words[i], value))
			return;
	}
	check_fail(c, "\"%.60s\" is not \"%s\"%s%s%s", value, words[0], words[1] ? " or \"" : "",
		   words[1] ? words[1] : "", words[1] ? "\"" : "");
}

static void check_own(struct check *c, const struct strpair *p)
{
	const char *keys[ARRAY_SIZE(own) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (streq(own[i].key, p->k)) {
			check_own_value(c, i, p->v);
			if (own[i].noted)
				check_warn_at(c, "", "\"%s\" is not acted on in this version", p->k);
			return;
		}
		keys[i] = own[i].key;
	}
	const char *near = suggest(p->k, keys);
	check_warn_at(c, "", "orch knows no annotation \"%.60s\"%s%s%s", p->k,
		      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

void check_annotation(struct check *c, const void *value)
{
	const struct strpair *p = value;
	char lower[320];
	size_t n = 0;

	while (n + 1 < sizeof(lower) && p->k[n]) {
		lower[n] = (char)tolower((unsigned char)p->k[n]);
		n++;
	}
	lower[n] = 0;
	const char *problem = name_problem(NAME_QUALIFIED, lower);
	if (problem)
		check_fail(c, "annotation key \"%.100s\" %s", p->k, problem);
	else if (strncmp(p->k, "orch/", 5) == 0)
		check_own(c, p);
}

void check_meta(struct check *c, const void *obj)
{
	const struct meta *m = obj;
	size_t n = 0;

	for (uint32_t i = 0; i < m->annotations.n; i++)
		n += strlen(m->annotations.v[i].k) + strlen(m->annotations.v[i].v);
	if (n > ANNOTATIONS_MAX)
		check_fail_at(c, "annotations", "%zu bytes in all; at most %d are possible", n,
			      ANNOTATIONS_MAX);
}

void check_port(struct check *c, const void *value)
{
	const struct intstr *v = value;

	if (!v->str) {
		if (v->num < 1 || v->num > 65535)
			check_fail(c, "%d is not in 1-65535", v->num);
		return;
	}
	if (*v->str && !v->str[strspn(v->str, "0123456789")])
		check_fail(c, "\"%.60s\" is the name of a port here; remove the quotes", v->str);
	else
		check_name(c, "", NAME_PORT, v->str);
}

void check_abs_path(struct check *c, const void *value)
{
	const char *path = text(value);

	if (*path != '/')
		check_fail(c, "\"%.100s\" is not an absolute path", path);
	else if (path_has_dotdot(path))
		check_fail(c, "\"%.100s\" must not contain \"..\"", path);
}

/* Where Kubernetes takes a relative path: from the root. */
static void relative(struct check *c, const char *path)
{
	if (*path && *path != '/')
		check_warn_at(c, "", "\"%.100s\" is not an absolute path; /%.100s is meant",
			      path, path);
}

void check_working_dir(struct check *c, const void *value)
{
	relative(c, text(value));
}

void check_host_path(struct check *c, const void *value)
{
	const char *path = text(value);

	if (!*path)
		check_fail(c, "must not be empty");
	else if (path_has_dotdot(path))
		check_fail(c, "\"%.100s\" must not contain \"..\"", path);
	else
		relative(c, path);
}

void check_device_path(struct check *c, const void *value)
{
	const char *path = text(value);

	if (!*path)
		check_fail(c, "must not be empty");
	else if (path_has_dotdot(path))
		check_fail(c, "\"%.100s\" must not contain \"..\"", path);
}

void check_sub_path(struct check *c, const void *value)
{
	const char *path = text(value);

	if (*path == '/')
		check_fail(c, "\"%.100s\" must be a relative path", path);
	else if (path_has_dotdot(path) || strncmp(path, "..", 2) == 0)
		check_fail(c, "\"%.100s\" must not begin with \"..\" nor contain it", path);
}

void check_item_path(struct check *c, const void *value)
{
	if (*text(value))
		check_sub_path(c, value);
	else
		check_fail(c, "must not be empty");
}

/* /proc is the container's own view of its processes: nothing may cover it. */
void check_mount_path(struct check *c, const void *value)
{
	const char *path = text(value), *bare = path + strspn(path, "/");

	if (!*path)
		check_fail(c, "must not be empty");
	else if (path_has_dotdot(path))
		check_fail(c, "\"%.100s\" must not contain \"..\"", path);
	else if (!path[strspn(path, "/.")])
		check_fail(c, "a volume cannot replace the root of the container");
	else if (streq(bare, "proc") || strncmp(bare, "proc/", 5) == 0)
		check_fail(c, "nothing can be mounted over /proc");
	else
		relative(c, path);
}

/* "" is the default. */
void check_message_path(struct check *c, const void *value)
{
	if (*text(value))
		check_mount_path(c, value);
}

void check_ip(struct check *c, const void *value)
{
	struct in6_addr six;
	uint32_t four;

	if (ip4_parse(text(value), &four) < 0 && inet_pton(AF_INET6, text(value), &six) != 1)
		check_fail(c, "\"%.60s\" is no IP address", text(value));
}

void check_cidr(struct check *c, const void *value)
{
	struct cidr4 cidr;

	if (cidr4_parse(text(value), &cidr) < 0)
		check_fail(c, "\"%.60s\" is no IPv4 network like 10.244.0.0/16", text(value));
}

void check_label_selector(struct check *c, const void *obj)
{
	const struct label_selector *s = obj;
	char child[64];

	for (uint32_t i = 0; i < s->match_expressions.n; i++) {
		const struct selector_requirement *r = &s->match_expressions.v[i];
		bool listed = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;

		snprintf(child, sizeof(child), "matchExpressions[%u].values", i);
		if (listed && !r->values.n)
			check_fail_at(c, child, "operator %s needs at least one value",
				      selector_operator_values.values[r->op]);
		else if (!listed && r->values.n)
			check_fail_at(c, child, "operator %s takes no values",
				      selector_operator_values.values[r->op]);
	}
}
