/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services: which pods answer on which address and port. A pod is behind a service while its
 * labels match, it has an address, nobody stopped it, and it is ready (publishNotReadyAddresses:
 * or not). A pod that this very pass stops is out, so that the service maps change before the
 * stop signal is sent. Behind services without a selector is what is declared (declared.c).
 */
#include <netinet/in.h>

#include "control/exposure.h"
#include "control/wishes.h"

static bool selects(const struct service_spec *s, const struct member *m)
{
	return s->selector.n && strmap_contains(&m->want.object.meta->labels, &s->selector);
}

static const int *ports_of(struct exposure *x, const struct member *m)
{
	int *ports = arena_array(x->p->a, int, x->spec->ports.n + 1);

	for (uint32_t i = 0; i < x->spec->ports.n; i++) {
		const struct service_port *sp = &x->spec->ports.v[i];
		struct intstr target = sp->target_port;

		if (!target.str && !target.num)
			target.num = sp->port;
		ports[i] = target.str ?
			pod_port(&m->want.object.pod->spec, &target, sp->protocol) : target.num;
	}
	return ports;
}

static int backend_cmp(const void *x, const void *y)
{
	const struct backend *a = x, *b = y;

	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	return a->member && b->member ?
		object_cmp(&a->member->want.object, &b->member->want.object) : 0;
}

static void find_backends(struct exposure *x)
{
	for (uint32_t i = 0; i < x->candidates->n; i++) {
		const struct member *m = x->candidates->v[i];

		if (!m->seen || !m->seen->ip || m->want.stop || m->finished || m->lost ||
		    !streq(m->want.object.meta->namespace, x->object->meta->namespace) ||
		    !selects(x->spec, m))
			continue;
		*arena_push(x->p->a, &x->backends) = (struct backend){
			.member = m,
			.ip = m->seen->ip,
			.ready = m->ready || x->spec->publish_not_ready_addresses,
			.ports = ports_of(x, m),
		};
	}
}

static uint8_t ip_protocol(enum protocol p)
{
	return p == PROTOCOL_UDP ? IPPROTO_UDP : p == PROTOCOL_SCTP ? IPPROTO_SCTP : IPPROTO_TCP;
}

static uint32_t affinity(const struct service_spec *s)
{
	const struct session_affinity_config *c = s->session_affinity_config;

	if (s->session_affinity != AFFINITY_CLIENT_IP)
		return 0;
	return c && c->client_ip ? (uint32_t)c->client_ip->timeout_seconds : 10800;
}

/* The endpoints of a port, sorted, each once: declarations may repeat one. */
static void add_targets(const struct exposure *x, struct service_entry *e, uint32_t port)
{
	struct endpoint *to = arena_array(x->p->a, struct endpoint, x->backends.n + 1);
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->backends.n; i++) {
		const struct backend *b = &x->backends.v[i];

		if (b->ready && b->ports[port])
			to[n++] = (struct endpoint){ b->ip, (uint16_t)b->ports[port] };
	}
	if (n)
		qsort(to, n, sizeof(*to), endpoint_cmp);
	for (uint32_t i = 0; i < n; i++) {
		if (!i || endpoint_cmp(&to[e->count - 1], &to[i]))
			to[e->count++] = to[i];
	}
	e->endpoints = to;
}

static bool opens_node_ports(const struct service_spec *s)
{
	return s->type == SERVICE_NODE_PORT || s->type == SERVICE_LOAD_BALANCER;
}

/* external: ip is one of externalIPs; the node ports belong to the other address. */
static void add_entry(struct exposure *x, uint32_t ip, uint32_t port, bool external)
{
	const struct service_port *sp = &x->spec->ports.v[port];
	struct service_entry *e = arena_push(x->p->a, &x->p->out->services);

	e->ip = ip;
	e->proto = ip_protocol(sp->protocol);
	e->port = (uint16_t)sp->port;
	e->node_port = !external && opens_node_ports(x->spec) ? (uint16_t)sp->node_port : 0;
	e->affinity_s = affinity(x->spec);
	add_targets(x, e, port);
	e->name = sp->name ? arena_printf(x->p->a, "%s/%s:%s", x->object->meta->namespace,
					  x->object->meta->name, sp->name) :
			     arena_printf(x->p->a, "%s/%s:%d", x->object->meta->namespace,
					  x->object->meta->name, sp->port);
}

static bool same_ports(const struct exposure *x, const struct backend *a, const struct backend *b)
{
	return memcmp(a->ports, b->ports, x->spec->ports.n * sizeof(int)) == 0;
}

static void add_address(struct exposure *x, struct endpoint_subset *s, const struct backend *b)
{
	struct endpoint_address *to = arena_push(x->p->a, b->ready ? &s->addresses :
								     &s->not_ready_addresses);
	const struct meta *pod = b->member->want.object.meta;
	char ip[16];

	ip4_format(b->ip, ip);
	to->ip = arena_strdup(x->p->a, ip);
	to->node_name = x->p->in->node_name;
	to->target_ref = arena_new(x->p->a, struct object_reference);
	to->target_ref->kind = "Pod";
	to->target_ref->namespace = pod->namespace;
	to->target_ref->name = pod->name;
	to->target_ref->uid = pod->uid;
}

static void add_ports(struct exposure *x, struct endpoint_subset *s, const struct backend *b)
{
	for (uint32_t i = 0; i < x->spec->ports.n; i++) {
		const struct service_port *sp = &x->spec->ports.v[i];

		if (!b->ports[i])
			continue;
		*arena_push(x->p->a, &s->ports) = (struct endpoint_port){
			.name = sp->name,
			.port = b->ports[i],
			.protocol = sp->protocol ? sp->protocol : PROTOCOL_TCP,
		};
	}
}

static bool first_with_its_ports(const struct exposure *x, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (same_ports(x, &x->backends.v[k], &x->backends.v[i]))
			return false;
	return true;
}

/* One subset for all pods that answer on the same ports. */
static void add_subset(struct exposure *x, struct endpoints *e, uint32_t first)
{
	struct endpoint_subset *s = arena_push(x->p->a, &e->subsets);

	for (uint32_t i = first; i < x->backends.n; i++)
		if (same_ports(x, &x->backends.v[i], &x->backends.v[first]))
			add_address(x, s, &x->backends.v[i]);
	add_ports(x, s, &x->backends.v[first]);
}

/* A pod without any of the ports that are asked for by name is no endpoint. */
static bool answers(const struct exposure *x, const struct backend *b)
{
	for (uint32_t i = 0; i < x->spec->ports.n; i++)
		if (b->ports[i])
			return true;
	return !x->spec->ports.n;
}

static void add_endpoints(struct exposure *x)
{
	const struct meta *svc = x->object->meta;
	struct object o = object_new(x->p->a, KIND_ENDPOINTS, svc->namespace, svc->name);
	char uid[37];

	name_uid_below(svc->uid ? svc->uid : svc->name, "endpoints", uid);
	o.meta->uid = arena_strdup(x->p->a, uid);
	o.meta->creation_timestamp = svc->creation_timestamp;
	o.meta->labels = svc->labels;
	for (uint32_t i = 0; i < x->backends.n; i++)
		if (answers(x, &x->backends.v[i]) && first_with_its_ports(x, i))
			add_subset(x, o.endpoints, i);
	*arena_push(x->p->a, &x->p->out->endpoints) = o;
}

static int entry_cmp(const void *x, const void *y)
{
	const struct service_entry *a = x, *b = y;
	int r = service_entry_cmp(a, b);

	r = r ? r : strcmp(a->name, b->name);
	return r ? r : (int)b->node_port - (int)a->node_port;
}

static void add_entries(struct exposure *x, const char *address, bool external)
{
	uint32_t ip;

	if (!address || ip4_parse(address, &ip) < 0)
		return;
	for (uint32_t i = 0; i < x->spec->ports.n; i++)
		add_entry(x, ip, i, external);
}

static void find(struct exposure *x, const struct wishes *wishes, const struct label_index *slices)
{
	if (!x->spec->selector.n) {
		find_declared(x, slices);
		return;
	}
	x->candidates = &wish_find(wishes, label_hash(x->object->meta->namespace,
						      &x->spec->selector.v[0]))->found;
	find_backends(x);
}

static void service_run(struct pass *p, const struct object *o, const struct wishes *wishes,
			const struct label_index *slices)
{
	struct exposure x = { .p = p, .object = o, .spec = &o->service->spec };

	if (x.spec->type == SERVICE_EXTERNAL_NAME)
		return;
	find(&x, wishes, slices);
	if (x.backends.n)
		qsort(x.backends.v, x.backends.n, sizeof(*x.backends.v), backend_cmp);
	if (x.spec->selector.n)
		add_endpoints(&x);
	if (!x.spec->cluster_ip || streq(x.spec->cluster_ip, "None"))
		return;
	add_entries(&x, x.spec->cluster_ip, false);
	for (uint32_t i = 0; i < x.spec->external_ips.n; i++)
		add_entries(&x, x.spec->external_ips.v[i], true);
}

/* Of several services with the same externalIPs and port the first has it. */
static void sort_entries(struct wanted *w)
{
	uint32_t n = 0;

	if (!w->services.n)
		return;
	qsort(w->services.v, w->services.n, sizeof(*w->services.v), entry_cmp);
	for (uint32_t i = 0; i < w->services.n; i++) {
		if (!n || service_entry_cmp(&w->services.v[n - 1], &w->services.v[i]))
			w->services.v[n++] = w->services.v[i];
	}
	w->services.n = n;
}

/* What it gave holds as long as all pods that it looked at are kept. */
static bool can_be_kept(const struct unit *u, const struct wishes *wishes)
{
	const struct member_list *l;

	if (u->passing)
		return false;
	if (!u->labels.n)
		return true;
	l = &wish_find(wishes, u->labels.v[0])->found;
	for (uint32_t i = 0; i < l->n; i++)
		if (!l->v[i]->unit || l->v[i]->unit != l->v[i]->home || !l->v[i]->unit->kept)
			return false;
	return true;
}

static void unit_go(struct pass *p, struct unit *u, const struct object *o,
		    const struct wishes *wishes, const struct label_index *slices)
{
	struct unit_scope s;

	memo_reset(p->in->memo, u);
	p->in->memo->counts.services++;
	unit_enter(p, u, &s);
	u->object = object_copy(p->a, o);
	if (o->service->spec.selector.n)
		*arena_push(p->a, &u->labels) = wished_label(o);
	service_run(p, &u->object, wishes, slices);
	u->out = s.own;
	unit_leave(p, u, &s);
	u->kept = can_be_kept(u, wishes);
}

static bool holds(const struct unit *u, const struct wishes *w)
{
	return u->kept && (!u->labels.n || !wish_find(w, u->labels.v[0])->open);
}

/* Objects of a set are sorted, so that the Endpoints made in their order are, too. */
void services_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_SERVICE);
	struct unit **units = arena_array(p->a, struct unit *, l.n);
	struct label_index slices;
	struct wishes wishes;

	for (uint32_t i = 0; i < l.n; i++)
		units[i] = memo_unit(p, &l.v[i]);
	slices_index(p, &slices);
	wishes_fulfil(p, &l, units, &wishes);
	for (uint32_t i = 0; i < l.n; i++) {
		if (!units[i])
			service_run(p, &l.v[i], &wishes, &slices);
		else if (holds(units[i], &wishes))
			unit_again(p, units[i]);
		else
			unit_go(p, units[i], &l.v[i], &wishes, &slices);
	}
	sort_entries(p->out);
}
