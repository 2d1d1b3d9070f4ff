/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Environment and command of a container; see env.h. */
#include "runtime/env.h"

#include "base/macro.h"
#include "runtime/service_env.h"
#include "schema/schema.h"

/* ---- $(NAME) ---- */

/* What stands at a dollar sign goes to out; returns how much of text that was. The name of what
 * is not there goes to *missing, unless there is one already. */
static size_t expand_one(const char *text, const struct strmap *vars, struct arena *a,
			 struct buf *out, const char **missing)
{
	size_t n = text[1] == '(' ? strcspn(text + 2, ")") : 0;

	if (text[1] == '$') {
		buf_putc(out, '$');
		return 2;
	}
	if (text[1] != '(' || text[2 + n] != ')') {
		buf_putc(out, '$');
		return 1;
	}
	const char *name = arena_strndup(a, text + 2, n), *value = strmap_get(vars, name);
	if (value)
		buf_puts(out, value);
	else
		buf_add(out, text, n + 3);
	if (!value && !*missing)
		*missing = name;
	return n + 3;
}

const char *env_expand_strict(struct arena *a, const char *text, const struct strmap *vars,
			      const char **ret_missing)
{
	BUF_AUTO out = { 0 };

	if (!strchr(text, '$'))
		return text;
	while (*text) {
		size_t plain = strcspn(text, "$");

		buf_add(&out, text, plain);
		text += plain;
		if (*text)
			text += expand_one(text, vars, a, &out, ret_missing);
	}
	return arena_strdup(a, buf_str(&out));
}

const char *env_expand(struct arena *a, const char *text, const struct strmap *vars)
{
	const char *missing = NULL;

	return env_expand_strict(a, text, vars, &missing);
}

/* ---- ConfigMaps and Secrets ---- */

static bool text_value(const struct strmap *m, const char *key, struct bytes *ret)
{
	const char *v = strmap_get(m, key);

	if (!v)
		return false;
	*ret = (struct bytes){ v, strlen(v) };
	return true;
}

static bool byte_value(const struct bytemap *m, const char *key, struct bytes *ret)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (streq(m->v[i].k, key)) {
			*ret = m->v[i].v;
			return true;
		}
	}
	return false;
}

bool config_value(const struct object *o, const char *key, struct bytes *ret)
{
	if (o->kind->id == KIND_SECRET)		/* stringData wins over data */
		return text_value(&o->secret->string_data, key, ret) ||
		       byte_value(&o->secret->data, key, ret);
	return text_value(&o->configmap->data, key, ret) ||
	       byte_value(&o->configmap->binary_data, key, ret);
}

struct env_work {
	struct arena *a;
	const struct env_in *in;
	struct strmap *vars;
	struct err *err;
};

static int set_bytes(struct env_work *w, const char *name, struct bytes v)
{
	if (v.len && memchr(v.data, '\0', v.len))
		return err_set(w->err, -EINVAL, "environment variable %s: its value has a NUL byte",
			       name);
	strmap_set(w->a, w->vars, name, arena_strndup(w->a, v.data, v.len));
	return 0;
}

static const struct object *config_object(struct env_work *w, enum kind_id kind, const char *name)
{
	return set_find(w->in->set, kind, w->in->pod->meta->namespace, name);
}

static int not_found(struct env_work *w, enum kind_id kind, const char *name)
{
	return err_set(w->err, -ENOENT, "%s \"%s\" not found",
		       kind == KIND_SECRET ? "secret" : "configmap", name);
}

static int from_keys(struct env_work *w, const struct strmap *text, const struct bytemap *bytes,
		     const char *prefix)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < bytes->n; i++)
		r = set_bytes(w, arena_printf(w->a, "%s%s", prefix, bytes->v[i].k), bytes->v[i].v);
	for (uint32_t i = 0; r == 0 && i < text->n; i++)
		strmap_set(w->a, w->vars, arena_printf(w->a, "%s%s", prefix, text->v[i].k),
			   text->v[i].v);
	return r;
}

static int from_ref(struct env_work *w, enum kind_id kind, const struct config_ref *ref,
		    const char *prefix)
{
	static const struct bytemap no_bytes;

	if (!ref)
		return 0;
	const struct object *o = config_object(w, kind, ref->name);
	if (!o)
		return ref->optional ? 0 : not_found(w, kind, ref->name);
	if (kind == KIND_SECRET)
		return from_keys(w, &o->secret->string_data, &o->secret->data, prefix);
	return from_keys(w, &o->configmap->data, &no_bytes, prefix);
}

/* Bytes of a ConfigMap, unlike those of a Secret, are for files only. */
static bool variable_value(const struct object *o, const char *key, struct bytes *ret)
{
	return o->kind->id == KIND_SECRET ? config_value(o, key, ret) :
					    text_value(&o->configmap->data, key, ret);
}

static int from_key(struct env_work *w, enum kind_id kind, const char *var,
		    const struct key_selector *k)
{
	const struct object *o = config_object(w, kind, k->name);
	struct bytes v;

	if (o && variable_value(o, k->key, &v))
		return set_bytes(w, var, v);
	if (k->optional)
		return 0;
	if (!o)
		return not_found(w, kind, k->name);
	return err_set(w->err, -ENOENT, "couldn't find key %s in %s %s/%s", k->key,
		       kinds[kind].name, w->in->pod->meta->namespace, k->name);
}

/* ---- fields of the pod ---- */

static const char *ip_text(struct arena *a, uint32_t ip)
{
	char text[16];

	ip4_format(ip, text);
	return arena_strdup(a, text);
}

static const char *field_node(struct env_work *w) { return w->in->node_name; }
static const char *field_ip(struct env_work *w) { return ip_text(w->a, w->in->ip); }
static const char *field_host_ip(struct env_work *w) { return ip_text(w->a, w->in->node_ip); }

static const char *field_account(struct env_work *w)
{
	const char *name = w->in->pod->pod->spec.service_account_name;

	return name ? name : "default";
}

static const struct {
	const char *path;
	const char *(*get)(struct env_work *w);
} fields[] = {
	{ "spec.nodeName", field_node },
	{ "spec.serviceAccountName", field_account },
	{ "status.podIP", field_ip },
	{ "status.podIPs", field_ip },
	{ "status.hostIP", field_host_ip },
	{ "status.hostIPs", field_host_ip },
};

static int from_field(struct env_work *w, const char *var, const char *path)
{
	const char *value = downward_metadata(w->a, w->in->pod->meta, path);

	for (size_t i = 0; !value && i < ARRAY_SIZE(fields); i++)
		if (streq(path, fields[i].path))
			value = fields[i].get(w);
	if (!value)
		return err_set(w->err, -EINVAL, "environment variable %s: unknown field %s", var,
			       path);
	strmap_set(w->a, w->vars, var, value);
	return 0;
}

/* ---- resources ---- */

static const struct container *container_named(struct env_work *w, const char *name)
{
	const struct pod_spec *spec = &w->in->pod->pod->spec;
	int i = name && *name ? pod_container_find(spec, name) : -1;

	return i < 0 ? w->in->container : pod_container(spec, (uint32_t)i);
}

static int from_resource(struct env_work *w, const char *var,
			 const struct resource_field_selector *s)
{
	int64_t n;

	if (!downward_resource(container_named(w, s->container_name), s, w->in->node, &n))
		return err_set(w->err, -EINVAL, "environment variable %s: unknown resource %s", var,
			       s->resource);
	strmap_set(w->a, w->vars, var, arena_printf(w->a, "%lld", (long long)n));
	return 0;
}

/* ---- all together ---- */

static int from_source(struct env_work *w, const char *var, const struct env_source *s)
{
	if (s->field_ref)
		return from_field(w, var, s->field_ref->field_path);
	if (s->resource_field_ref)
		return from_resource(w, var, s->resource_field_ref);
	if (s->config_map_key_ref)
		return from_key(w, KIND_CONFIGMAP, var, s->config_map_key_ref);
	if (s->secret_key_ref)
		return from_key(w, KIND_SECRET, var, s->secret_key_ref);
	return 0;
}

static int variables(struct env_work *w)
{
	const struct container *c = w->in->container;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < c->env_from.n; i++) {
		const struct env_from *e = &c->env_from.v[i];
		const char *prefix = e->prefix ? e->prefix : "";

		r = from_ref(w, KIND_CONFIGMAP, e->config_map_ref, prefix);
		if (r == 0)
			r = from_ref(w, KIND_SECRET, e->secret_ref, prefix);
	}
	for (uint32_t i = 0; r == 0 && i < c->env.n; i++) {
		const struct env_var *e = &c->env.v[i];

		if (e->value_from)
			r = from_source(w, e->name, e->value_from);
		else
			strmap_set(w->a, w->vars, e->name,
				   env_expand(w->a, e->value ? e->value : "", w->vars));
	}
	return r;
}

static bool overridden(struct arena *a, const struct strmap *vars, const char *pair)
{
	return strmap_get(vars, arena_strndup(a, pair, strcspn(pair, "="))) != NULL;
}

static bool has_home(const struct env_in *in, const struct strmap *vars)
{
	for (const char *const *e = in->image->env; *e; e++)
		if (strncmp(*e, "HOME=", 5) == 0)
			return true;
	return strmap_get(vars, "HOME") != NULL;
}

int env_build(struct arena *a, const struct env_in *in, struct env *ret, struct err *err)
{
	struct env env = { .vars = service_env(a, in->set, in->pod) };
	struct env_work w = { a, in, &env.vars, err };
	int r = variables(&w);

	if (r < 0)
		return r;
	for (const char *const *e = in->image->env; *e; e++)
		if (!overridden(a, &env.vars, *e))
			*arena_push(a, &env.list) = *e;
	if (!has_home(in, &env.vars))
		*arena_push(a, &env.list) = arena_printf(a, "HOME=%s", in->home);
	if (!strmap_get(&env.vars, "HOSTNAME"))
		*arena_push(a, &env.list) = arena_printf(a, "HOSTNAME=%s", in->host_name);
	for (uint32_t i = 0; i < env.vars.n; i++)
		*arena_push(a, &env.list) =
			arena_printf(a, "%s=%s", env.vars.v[i].k, env.vars.v[i].v);
	*ret = env;
	return 0;
}

static void add_expanded(struct arena *a, struct strs *to, const struct strs *from,
			 const struct strmap *vars)
{
	for (uint32_t i = 0; i < from->n; i++)
		*arena_push(a, to) = env_expand(a, from->v[i], vars);
}

static void add_plain(struct arena *a, struct strs *to, const char *const *from)
{
	for (; *from; from++)
		*arena_push(a, to) = *from;
}

/* A command of its own takes the image's arguments away, too. */
int env_command(struct arena *a, const struct env_in *in, const struct env *env, struct strs *ret,
		struct err *err)
{
	const struct container *c = in->container;
	struct strs argv = { 0 };

	if (c->command.n)
		add_expanded(a, &argv, &c->command, &env->vars);
	else
		add_plain(a, &argv, in->image->entrypoint);
	if (c->args.n)
		add_expanded(a, &argv, &c->args, &env->vars);
	else if (!c->command.n)
		add_plain(a, &argv, in->image->cmd);
	if (!argv.n)
		return err_set(err, -EINVAL, "no command specified");
	*ret = argv;
	return 0;
}
