/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image's configuration as JSON; see config.h. The members that matter are rows; others are
 * nobody's business here. Whatever is taken is bounded and is what its row says, or the image is
 * refused: a value of another type is not read as "none".
 */
#include "image/config.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "base/macro.h"
#include "base/reference.h"

#define LIST_MAX 1024
#define TEXT_MAX (64 * 1024)
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"

struct reading {
	struct arena *a;
	struct image_record *to;
	struct err *err;
};

static int wrong(struct reading *x, const char *key)
{
	return err_set(x->err, -EBADMSG, "the image's configuration: %s is not as it must be", key);
}

/* Absent and null are the same; so is "" for what has a default. */
static bool is_none(const json_t *v)
{
	return !v || json_is_null(v);
}

static const char *text_of(struct reading *x, const json_t *v)
{
	size_t n = json_string_length(v);

	if (!json_is_string(v) || n > TEXT_MAX || strlen(json_string_value(v)) != n)
		return NULL;
	return arena_strndup(x->a, json_string_value(v), n);
}

/* ---- kinds of members ---- */

struct list { const char **v; uint32_t n; };

static int read_text(struct reading *x, const json_t *v, void *p)
{
	const char **to = p;

	*to = is_none(v) ? "" : text_of(x, v);
	return *to ? 0 : -EBADMSG;
}

static int read_list(struct reading *x, const json_t *v, void *p)
{
	struct list l = { 0 };
	size_t i;
	json_t *item;

	if (!is_none(v) && (!json_is_array(v) || json_array_size(v) > LIST_MAX))
		return -EBADMSG;
	json_array_foreach(v, i, item) {
		const char *text = text_of(x, item);

		if (!text)
			return -EBADMSG;
		*arena_push(x->a, &l) = text;
	}
	arena_push(x->a, &l);	/* NULL */
	*(const char *const **)p = l.v;
	return 0;
}

/* An object whose values are objects or strings: its keys, or KEY=VALUE. */
static int read_keys(struct reading *x, json_t *v, bool values, void *p)
{
	struct list l = { 0 };
	const char *key;
	json_t *value;

	if (!is_none(v) && (!json_is_object(v) || json_object_size(v) > LIST_MAX))
		return -EBADMSG;
	json_object_foreach(v, key, value) {
		const char *text = values ? text_of(x, value) : "";

		if (!text || strlen(key) > TEXT_MAX)
			return -EBADMSG;
		*arena_push(x->a, &l) = arena_printf(x->a, values ? "%s=%s" : "%s", key, text);
	}
	arena_push(x->a, &l);	/* NULL */
	*(const char *const **)p = l.v;
	return 0;
}

static int read_set(struct reading *x, const json_t *v, void *p)
{
	return read_keys(x, (json_t *)v, false, p);
}

static int read_map(struct reading *x, const json_t *v, void *p)
{
	return read_keys(x, (json_t *)v, true, p);
}

/* A variable without a name cannot be given to a program; one without a value is empty. */
static int read_env(struct reading *x, const json_t *v, void *p)
{
	int r = read_list(x, v, p);
	const char **e = *(const char ***)p;

	for (; r == 0 && *e; e++) {
		if (**e == '=' || !**e)
			return -EBADMSG;
		if (!strchr(*e, '='))
			*e = arena_printf(x->a, "%s=", *e);
	}
	return r;
}

static int read_workdir(struct reading *x, const json_t *v, void *p)
{
	const char **to = p;
	int r = read_text(x, v, p);

	if (r == 0 && **to != '/')
		*to = arena_printf(x->a, "/%s", *to);
	return r;
}

static const struct {
	const char *key;
	int (*read)(struct reading *x, const json_t *v, void *p);
	size_t offset;
} members[] = {
#define ROW(key, read, member) { key, read, offsetof(struct image_record, member) }
	ROW("Entrypoint", read_list, entrypoint),
	ROW("Cmd", read_list, cmd),
	ROW("Env", read_env, env),
	ROW("WorkingDir", read_workdir, workdir),
	ROW("User", read_text, user),
	ROW("StopSignal", read_text, stop_signal),
	ROW("ExposedPorts", read_set, ports),
	ROW("Volumes", read_set, volumes),
	ROW("Labels", read_map, labels),
#undef ROW
};

static int read_members(struct reading *x, const json_t *config)
{
	if (!is_none(config) && !json_is_object(config))
		return wrong(x, "config");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *v = json_object_get(config, members[i].key);

		if (members[i].read(x, v, (char *)x->to + members[i].offset) < 0)
			return wrong(x, members[i].key);
	}
	return 0;
}

/* ---- the rest ---- */

/* Docker's configurations have an empty string where OCI's have nothing. */
static int read_platform(struct reading *x, const json_t *root)
{
	const char *os, *arch, *variant;

	if (read_text(x, json_object_get(root, "os"), &os) < 0 ||
	    read_text(x, json_object_get(root, "architecture"), &arch) < 0 ||
	    read_text(x, json_object_get(root, "variant"), &variant) < 0)
		return wrong(x, "platform");
	const char *platform = arena_printf(x->a, "%s/%s%s%s", os, arch, *variant ? "/" : "", variant);
	if (platform[strspn(platform, WORD)])
		return wrong(x, "platform");
	x->to->platform = platform;
	return 0;
}

/* RFC 3339; what it is only shown for, so an odd one is no reason to refuse the image. */
static int64_t time_of(const char *s)
{
	struct tm tm = { 0 };
	int n = 0, hours = 0, minutes = 0;
	char sign = '+';

	if (!s || sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			 &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return 0;
	s += n;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (*s != 'Z' && sscanf(s, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t t = timegm(&tm) + (sign == '-' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return MAX(t, 0);
}

static int read_diffs(struct reading *x, const json_t *root)
{
	struct image_layers *l = &x->to->layers;
	const json_t *ids = json_object_get(json_object_get(root, "rootfs"), "diff_ids");

	if (json_array_size(ids) != l->n || (l->n && !json_is_array(ids)))
		return err_set(x->err, -EBADMSG, "the image's configuration has %zu layers, its "
			       "manifest %u", json_array_size(ids), l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		const char *id = text_of(x, json_array_get(ids, i));

		if (!id || !digest_valid(id))
			return wrong(x, "rootfs.diff_ids");
		l->v[i].diff = id;
	}
	return 0;
}

static int read_root(struct reading *x, const json_t *root)
{
	if (!json_is_object(root))
		return wrong(x, "all of it");
	int r = read_members(x, json_object_get(root, "config"));
	if (r == 0)
		r = read_platform(x, root);
	if (r == 0)
		r = read_diffs(x, root);
	x->to->created_at = time_of(json_string_value(json_object_get(root, "created")));
	return r;
}

int image_config_parse(struct arena *a, const char *json, size_t n, struct image_record *io,
		       struct err *err)
{
	struct reading x = { a, io, err };
	json_error_t e;

	if (n > IMAGE_CONFIG_MAX)
		return err_set(err, -EFBIG, "the image's configuration is larger than %d bytes",
			       IMAGE_CONFIG_MAX);
	json_t *root = json_loadb(json, n, 0, &e);
	if (!root)
		return err_set(err, -EBADMSG, "the image's configuration is no JSON: line %d: %s",
			       e.line, e.text);
	int r = read_root(&x, root);
	json_decref(root);
	return r;
}
