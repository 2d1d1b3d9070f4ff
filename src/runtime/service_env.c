/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of Services; see service_env.h. */
#include "runtime/service_env.h"

#include <ctype.h>

#include "base/macro.h"
#include "schema/schema.h"

struct work {
	struct arena *a;
	struct strmap vars;	/* unsorted until the end */
	size_t size;
};

static void add(struct work *w, const char *name, const char *value)
{
	*arena_push(w->a, &w->vars) = (struct strpair){ name, value };
	w->size += strlen(name) + strlen(value) + 2;
}

/* "my-db" is MY_DB. */
static const char *variable_name(struct arena *a, const char *text)
{
	char *name = arena_strdup(a, text);

	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

/* MY_DB_PORT_5432_TCP and what describes it; of the first port MY_DB_PORT, too. */
static void link_variables(struct work *w, const char *service, const char *ip,
			   const struct service_port *p, bool first)
{
	static const char *const protocols[][2] = {
		[PROTOCOL_TCP] = { "TCP", "tcp" },
		[PROTOCOL_UDP] = { "UDP", "udp" },
		[PROTOCOL_SCTP] = { "SCTP", "sctp" },
	};
	const char *const *words = protocols[p->protocol ? p->protocol : PROTOCOL_TCP];
	const char *name = arena_printf(w->a, "%s_PORT_%d_%s", service, p->port, words[0]);
	const char *url = arena_printf(w->a, "%s://%s:%d", words[1], ip, p->port);

	if (first)
		add(w, arena_printf(w->a, "%s_PORT", service), url);
	add(w, name, url);
	add(w, arena_printf(w->a, "%s_PROTO", name), words[1]);
	add(w, arena_printf(w->a, "%s_PORT", name), arena_printf(w->a, "%d", p->port));
	add(w, arena_printf(w->a, "%s_ADDR", name), ip);
}

static void service_variables(struct work *w, const struct object *o)
{
	const struct service_spec *s = &o->service->spec;
	const char *name = variable_name(w->a, o->meta->name);

	add(w, arena_printf(w->a, "%s_SERVICE_HOST", name), s->cluster_ip);
	for (uint32_t i = 0; i < s->ports.n; i++) {
		const struct service_port *p = &s->ports.v[i];
		const char *port = arena_printf(w->a, "%d", p->port);

		if (i == 0)
			add(w, arena_printf(w->a, "%s_SERVICE_PORT", name), port);
		if (p->name && *p->name)
			add(w, arena_printf(w->a, "%s_SERVICE_PORT_%s", name,
					    variable_name(w->a, p->name)), port);
		link_variables(w, name, s->cluster_ip, p, i == 0);
	}
}

static bool has_address(const struct object *o)
{
	const char *ip = o->service->spec.cluster_ip;

	return ip && *ip && !streq(ip, "None");
}

static int pair_cmp(const void *x, const void *y)
{
	const struct strpair *a = x, *b = y;
	int r = strcmp(a->k, b->k);

	return r ? r : strcmp(a->v, b->v);
}

/* Two services can say the same name: "a" with a port named "b-c", and so on. */
static void sort_once(struct strmap *m)
{
	uint32_t n = 0;

	if (m->n)
		qsort(m->v, m->n, sizeof(*m->v), pair_cmp);
	for (uint32_t i = 0; i < m->n; i++) {
		if (!n || !streq(m->v[n - 1].k, m->v[i].k))
			m->v[n++] = m->v[i];
	}
	m->n = n;
}

struct strmap service_env(struct arena *a, const struct set *set, const struct object *pod)
{
	struct object_list all = set_kind(set, KIND_SERVICE);
	const struct object *master = set_find(set, KIND_SERVICE, "default", "kubernetes");
	bool links = pod->pod->spec.enable_service_links, has_own = false;
	struct work w = { .a = a };

	for (uint32_t i = 0; links && i < all.n && w.size <= SERVICE_ENV_MAX; i++) {
		const struct object *o = &all.v[i];

		if (!streq(o->meta->namespace, pod->meta->namespace) || !has_address(o))
			continue;
		service_variables(&w, o);
		has_own = has_own || streq(o->meta->name, "kubernetes");
	}
	if (w.size > SERVICE_ENV_MAX) {
		w.vars.n = 0;
		has_own = false;
	}
	if (master && !has_own && has_address(master))
		service_variables(&w, master);
	sort_once(&w.vars);
	return w.vars;
}
