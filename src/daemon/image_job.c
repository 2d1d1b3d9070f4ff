/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings and the machine's own files as a job; see image_job.h. */
#include "daemon/image_job.h"

#include <jansson.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"

#define AUTH_MAX (1 << 20)
#define PEM_MAX (4 << 20)

/* ---- credentials ---- */

static const char *own_auth_file(struct arena *a, const struct settings *s)
{
	return arena_printf(a, "%s/auth.json", s->state_dir);
}

static void add_auth(struct arena *a, const char *path, struct pull_job *io)
{
	BUF_AUTO text = { 0 };

	if (file_read(path, AUTH_MAX, &text, NULL) == 0 && text.len)
		*arena_push(a, &io->auths) = arena_strndup(a, text.data, text.len);
}

/* Where skopeo, podman and docker put theirs: containers-auth.json(5). */
static void add_auths(struct arena *a, const struct settings *s, struct pull_job *io)
{
	const char *home = getenv("HOME"), *docker = getenv("DOCKER_CONFIG");
	const char *named = getenv("REGISTRY_AUTH_FILE");

	add_auth(a, own_auth_file(a, s), io);
	if (s->images.auth_file)
		add_auth(a, s->images.auth_file, io);
	if (named)
		add_auth(a, named, io);
	add_auth(a, "/run/containers/0/auth.json", io);
	if (home)
		add_auth(a, arena_printf(a, "%s/.config/containers/auth.json", home), io);
	if (docker || home)
		add_auth(a, docker ? arena_printf(a, "%s/config.json", docker) :
				     arena_printf(a, "%s/.docker/config.json", home), io);
}

const char *image_job_secret(struct arena *a, const struct object *secret)
{
	static const char *const keys[] = { ".dockerconfigjson", ".dockercfg" };
	const struct bytemap *m = &secret->secret->data;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (uint32_t k = 0; k < m->n; k++)
			if (streq(m->v[k].k, keys[i]))
				return arena_strndup(a, m->v[k].v.data, m->v[k].v.len);
	return NULL;
}

static json_t *read_auth_file(const char *path)
{
	json_t *root = json_load_file(path, 0, NULL);

	if (!json_is_object(root)) {
		json_decref(root);
		root = json_object();
	}
	if (!json_is_object(json_object_get(root, "auths")))
		json_object_set_new(root, "auths", json_object());
	return root;
}

int image_job_put_credentials(const struct settings *s, const char *registry, const char *user,
			      const char *password, struct err *err)
{
	struct arena a = { 0 };
	const char *path = own_auth_file(&a, s);
	json_t *root = read_auth_file(path), *auths = json_object_get(root, "auths");
	int r = 0;

	if (user) {
		const char *pair = arena_printf(&a, "%s:%s", user, password);

		json_object_set_new(auths, registry,
				    json_pack("{s:s}", "auth", base64_encode(&a, pair, strlen(pair))));
	} else if (json_object_del(auths, registry) < 0) {
		r = err_set(err, -ENOENT, "not logged in to %s", registry);
	}
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (r == 0)
		r = file_write_atomic(path, text, strlen(text), 0600, true, err);
	free(text);
	json_decref(root);
	arena_release(&a);
	return r;
}

/* ---- settings ---- */

static int read_pem(struct arena *a, const char *path, const char **ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	int r = path ? file_read(path, PEM_MAX, &text, err) : 0;

	*ret = path && r == 0 ? arena_strndup(a, buf_str(&text), text.len) : NULL;
	return r;
}

static int add_registry(struct arena *a, const struct registry_settings *row, struct pull_job *io,
			struct err *err)
{
	struct pull_registry *r = arena_push(a, &io->registries);

	r->host = row->host;
	r->insecure = row->insecure;
	for (uint32_t i = 0; i < row->mirrors.n; i++)
		*arena_push(a, &r->mirrors) = row->mirrors.v[i];
	return read_pem(a, row->ca_file, &r->ca, err);
}

static int add_policy(struct arena *a, const struct image_policy *row, struct pull_job *io,
		      struct err *err)
{
	static const enum pull_verdict verdicts[] = {
		[VERDICT_ACCEPT] = PULL_ACCEPT, [VERDICT_REJECT] = PULL_REJECT,
		[VERDICT_SIGNED] = PULL_SIGNED,
	};
	struct pull_rule *p = arena_push(a, &io->policies);

	p->match = row->match;
	p->verdict = verdicts[row->verdict];
	return read_pem(a, row->key_file, &p->key, err);
}

static void add_proxies(struct arena *a, struct pull_job *io)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY",
		"NO_PROXY",
	};
	const char *http = getenv("HTTP_PROXY");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			*arena_push(a, &io->environment) = arena_printf(a, "%s=%s", names[i],
									getenv(names[i]));
	if (http && !getenv("http_proxy"))	/* libcurl reads this one in lower case only */
		*arena_push(a, &io->environment) = arena_printf(a, "http_proxy=%s", http);
}

/* As Go calls it. */
static const char *architecture(void)
{
	static const struct { const char *kernel, *go; } names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" },
	};
	struct utsname u;

	if (uname(&u) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (streq(u.machine, names[i].kernel))
				return names[i].go;
	return "amd64";
}

int image_job_make(struct arena *a, const struct settings *s, enum pull_task task,
		   struct pull_job *io, struct err *err)
{
	const struct image_settings *is = &s->images;
	int r = 0;

	io->task = task;
	io->store = arena_printf(a, "%s/images", s->state_dir);
	io->architecture = architecture();
	io->gc.high = (unsigned)is->gc_high;
	io->gc.low = (unsigned)is->gc_low;
	io->gc.min_age_s = (unsigned)is->gc_min_age;
	if (task == PULL_IMAGE)
		add_auths(a, s, io);
	add_proxies(a, io);
	for (uint32_t i = 0; r == 0 && i < is->registries.n; i++)
		r = add_registry(a, &is->registries.v[i], io, err);
	for (uint32_t i = 0; r == 0 && i < is->policies.n; i++)
		r = add_policy(a, &is->policies.v[i], io, err);
	return r;
}

bool image_job_space_low(const struct settings *s)
{
	struct statvfs fs;
	uint64_t used;

	if (s->images.gc_high >= 100 || statvfs(s->state_dir, &fs) < 0 || !fs.f_blocks)
		return false;
	used = fs.f_blocks - fs.f_bfree;
	return used * 100 > (used + fs.f_bavail) * (uint64_t)s->images.gc_high;
}
