/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only one object of a node can have: a cluster IP, a node port, a host port. Everything that
 * is claimed is sorted by what it is; of several who claim the same, one is right: who had it
 * before, else who stands first in the order of files and lines. The others are refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/build.h"

enum space { CLUSTER_IP, NODE_PORT, HOST_PORT };

struct claim {
	enum space space;
	enum protocol protocol;
	int32_t port;
	const char *ip;			/* CLUSTER_IP; HOST_PORT: NULL is any */
	uint32_t index;			/* of the object in the set */
	const struct object *object;
	const struct node *at;
	const char *path;
	bool had;			/* it has it already */
};
struct claim_list { struct claim *v; uint32_t n; };

struct clashes {
	struct set *set;
	struct arena scratch;
	struct claim_list claims;
	const struct clash_context *context;
	bool *refused;
};

/* ---- what an object claims ---- */

static void claim(struct arena *a, struct claim_list *l, const struct object *o, struct claim c)
{
	c.object = o;
	if (c.ip && (!*c.ip || streq(c.ip, "0.0.0.0") || streq(c.ip, "::")))
		c.ip = NULL;
	*arena_push(a, l) = c;
}

static void service_claims(struct arena *a, const struct object *o, struct claim_list *l)
{
	const struct service_spec *s = &o->service->spec;
	bool ports = s->type == SERVICE_NODE_PORT || s->type == SERVICE_LOAD_BALANCER;

	if (HAS(s, service_spec, cluster_ip) && s->cluster_ip && !streq(s->cluster_ip, "None"))
		claim(a, l, o, (struct claim){ .space = CLUSTER_IP, .ip = s->cluster_ip,
					       .at = &s->node, .path = "spec.clusterIP" });
	for (uint32_t i = 0; ports && i < s->ports.n; i++) {
		const struct service_port *p = &s->ports.v[i];

		if (!HAS(p, service_port, node_port) || !p->node_port)
			continue;
		claim(a, l, o, (struct claim){
			.space = NODE_PORT, .protocol = p->protocol, .port = p->node_port,
			.at = &p->node, .path = arena_printf(a, "spec.ports[%u].nodePort", i),
		});
	}
}

/* Pods that run as long as they are declared; those of Jobs come and go. */
static bool stays(const struct object *o)
{
	switch (o->kind->id) {
	case KIND_POD:
	case KIND_DAEMONSET:
		return true;
	case KIND_DEPLOYMENT:
		return o->deployment->spec.replicas > 0;
	case KIND_REPLICASET:
		return o->replicaset->spec.replicas > 0;
	case KIND_REPLICATIONCONTROLLER:
		return o->replication_controller->spec.replicas > 0;
	case KIND_STATEFULSET:
		return o->statefulset->spec.replicas > 0;
	default:
		return false;
	}
}

static void pod_claims(struct arena *a, const struct object *o, struct claim_list *l)
{
	const char *prefix;
	const struct pod_spec *s = stays(o) ? object_pod_spec(o, &prefix) : NULL;

	for (uint32_t i = 0; s && i < s->containers.n; i++) {
		const struct container_port_list *ports = &s->containers.v[i].ports;

		for (uint32_t k = 0; k < ports->n; k++) {
			const struct container_port *p = &ports->v[k];

			if (!p->host_port)
				continue;
			claim(a, l, o, (struct claim){
				.space = HOST_PORT, .protocol = p->protocol, .port = p->host_port,
				.ip = p->host_ip, .at = &p->node,
				.path = arena_printf(a, "%s.containers[%u].ports[%u].hostPort",
						     prefix, i, k),
			});
		}
	}
}

static void claims_of(struct arena *a, const struct object *o, struct claim_list *l)
{
	if (o->kind->id == KIND_SERVICE)
		service_claims(a, o, l);
	else
		pod_claims(a, o, l);
}

/* ---- who is right ---- */

/* The same thing, but for host addresses. */
static int thing_cmp(const struct claim *x, const struct claim *y)
{
	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	if (x->space == CLUSTER_IP)
		return strcmp(x->ip, y->ip);
	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	return x->port < y->port ? -1 : x->port > y->port;
}

static int claim_cmp(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int r = thing_cmp(x, y);

	if (r == 0 && x->had != y->had)
		return x->had ? -1 : 1;
	if (r == 0)
		r = strcmp(x->object->file, y->object->file);
	if (r == 0 && x->object->line != y->object->line)
		return x->object->line < y->object->line ? -1 : 1;
	return r ? r : strcmp(x->path, y->path);
}

static bool overlap(const struct claim *x, const struct claim *y)
{
	return !x->ip || !y->ip || streq(x->ip, y->ip);
}

/* Had this object the same thing before the files changed? */
static bool had(struct clashes *c, const struct claim *is)
{
	struct object_key key = object_key(is->object);
	const struct object *was = c->context->in_force(c->context, &key);
	struct claim_list before = { 0 };

	if (!was)
		return false;
	claims_of(&c->scratch, was, &before);
	for (uint32_t i = 0; i < before.n; i++) {
		if (thing_cmp(&before.v[i], is) == 0 && overlap(&before.v[i], is))
			return true;
	}
	return false;
}

static void report(struct clashes *c, const struct claim *loser, const struct claim *owner)
{
	struct arena *a = &c->set->arena;
	const struct object *o = loser->object;
	bool known = loser->at->line;
	const char *what = loser->ip ? loser->ip : "";

	if (loser->space != CLUSTER_IP)
		what = arena_printf(a, "%d", loser->port);
	c->refused[loser->index] = true;
	msgs_add(&c->set->msgs, false, o->file, known ? loser->at->line : o->line,
		 known ? loser->at->col : o->col, arena_strdup(a, loser->path),
		 "%s is already used by %s (%s:%u)", what, object_name(a, owner->object),
		 owner->object->file, owner->object->line);
}

/* A run of claims to one thing, in the order of their right. */
static void settle(struct clashes *c, const struct claim *run, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (run[k].object == run[i].object || c->refused[run[k].index] ||
			    c->refused[run[i].index] || !overlap(&run[k], &run[i]))
				continue;
			report(c, &run[i], &run[k]);
			break;
		}
	}
}

static uint32_t run_length(const struct claim_list *l, uint32_t at)
{
	uint32_t n = 1;

	while (at + n < l->n && thing_cmp(&l->v[at], &l->v[at + n]) == 0)
		n++;
	return n;
}

bool set_refuse_clashes(struct set *s, const struct clash_context *context, bool *refused)
{
	struct clashes c = { .set = s, .context = context, .refused = refused };
	uint32_t before = s->msgs.n;

	for (uint32_t i = 0; i < s->objects.n; i++) {
		uint32_t first = c.claims.n;

		claims_of(&c.scratch, &s->objects.v[i], &c.claims);
		for (uint32_t k = first; k < c.claims.n; k++)
			c.claims.v[k].index = i;
	}
	if (c.claims.n)
		qsort(c.claims.v, c.claims.n, sizeof(*c.claims.v), claim_cmp);
	for (uint32_t i = 0, n; i < c.claims.n; i += n) {
		n = run_length(&c.claims, i);
		if (n == 1)
			continue;
		for (uint32_t k = 0; k < n; k++)
			c.claims.v[i + k].had = had(&c, &c.claims.v[i + k]);
		qsort(&c.claims.v[i], n, sizeof(*c.claims.v), claim_cmp);
		settle(&c, &c.claims.v[i], n);
	}
	arena_release(&c.scratch);
	return s->msgs.n != before;
}
