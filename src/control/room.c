/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's resources. What pods request is added up and compared with what is allocatable; what
 * they use does not matter. Processor time and memory, which every pod is asked about, are plain
 * numbers; others are rare.
 */
#include "control/resize.h"
#include "control/unit.h"

static void add(struct room_need *to, const struct room_need *more)
{
	to->cpu += more->cpu;
	to->memory += more->memory;
}

static struct room_need of_container(const struct container *c)
{
	struct container_resources r = container_resources(c);

	return (struct room_need){ .cpu = r.cpu_request_milli, .memory = r.memory_request };
}

static bool is_plain(const char *name)
{
	return streq(name, "cpu") || streq(name, "memory");
}

static bool has_others(const struct pod_spec *s)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct resource_requirements *r = pod_container(s, i)->resources;

		for (uint32_t k = 0; r && k < r->requests.n; k++)
			if (!is_plain(r->requests.v[k].k))
				return true;
		for (uint32_t k = 0; r && k < r->limits.n; k++)
			if (!is_plain(r->limits.v[k].k))
				return true;
	}
	return false;
}

/* As model/resources.c adds up. */
struct room_need room_need(struct pass *p, const struct pod_spec *s)
{
	const struct quantity *cpu = qtymap_get(&s->overhead, "cpu");
	const struct quantity *memory = qtymap_get(&s->overhead, "memory");
	struct room_need n = { 0 }, most = { 0 };

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		struct room_need one = of_container(pod_container(s, i));

		if (pod_container_role(s, i) != ROLE_INIT) {
			add(&n, &one);
			continue;
		}
		add(&one, &n);
		most.cpu = MAX(most.cpu, one.cpu);
		most.memory = MAX(most.memory, one.memory);
	}
	n.cpu = MAX(n.cpu, most.cpu) + (cpu ? cpu->milli : 0);
	n.memory = MAX(n.memory, most.memory) + (memory ? quantity_value(memory) : 0);
	if (has_others(s))
		n.others = pod_resource_requests(p->a, s);
	return n;
}

void room_take(struct pass *p, struct room *r, const struct room_need *n)
{
	r->pods++;
	add(&r->used, n);
	for (uint32_t i = 0; i < n->others.n; i++) {
		const char *name = n->others.v[i].k;
		const struct quantity *was = qtymap_get(&r->used.others, name);

		if (!is_plain(name))
			qtymap_set(p->a, &r->used.others, name,
				   was ? quantity_add(p->a, was, &n->others.v[i].v) :
					 n->others.v[i].v);
	}
}

static void take_members(struct pass *p, const struct member_list *l, struct room *r)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct member *m = l->v[i];
		struct room_need n;

		if (!m->placed || m->leaves || m->finished)
			continue;
		n = room_need(p, &m->want.object.pod->spec);
		resize_need(p, m, &n);
		room_take(p, r, &n);
	}
}

void room_add(struct pass *p, struct room_need *sum, const struct pod_spec *s)
{
	struct room_need n = room_need(p, s);
	struct room r = { .used = *sum };

	room_take(p, &r, &n);
	*sum = r.used;
}

/* Pods of units that are kept have their places. */
static void take_kept(struct pass *p, struct room *r)
{
	const struct memo *memo = p->in->memo;

	for (uint32_t i = 0; memo && i < memo->nunits; i++) {
		const struct unit *u = memo->units[i];

		if (!unit_has_kept_pods(u))
			continue;
		room_take(p, r, &u->room);
		r->pods += (int64_t)u->members.n - 1;
	}
}

void room_measure(struct pass *p, bool all, struct room *ret)
{
	*ret = (struct room){ 0 };
	take_members(p, all ? &p->fresh : &p->members, ret);
	if (all)
		take_kept(p, ret);
}

static bool is_tight(int64_t used, int64_t more, int64_t all)
{
	return more > 0 && (more > all || used > all - more);
}

static void lack(struct pass *p, struct strs *l, const char *name)
{
	*arena_push(p->a, l) = arena_printf(p->a, "Insufficient %s", name);
}

static void lacks_others(struct pass *p, const struct room *r, const struct room_need *n,
			 struct strs *ret)
{
	for (uint32_t i = 0; p->in->allocatable.n && i < n->others.n; i++) {
		const char *name = n->others.v[i].k;
		const struct quantity *all = qtymap_get(&p->in->allocatable, name);
		const struct quantity *used = qtymap_get(&r->used.others, name);

		if (!is_plain(name) && is_tight(used ? used->milli : 0, n->others.v[i].v.milli,
						all ? all->milli : 0))
			lack(p, ret, name);
	}
}

void room_lacks(struct pass *p, const struct room *r, const struct room_need *n, struct strs *ret)
{
	const struct quantity *cpu = qtymap_get(&p->in->allocatable, "cpu");
	const struct quantity *memory = qtymap_get(&p->in->allocatable, "memory");
	const struct quantity *pods = qtymap_get(&p->in->allocatable, "pods");

	if (cpu && is_tight(r->used.cpu, n->cpu, cpu->milli))
		lack(p, ret, "cpu");
	lacks_others(p, r, n, ret);
	if (memory && is_tight(r->used.memory, n->memory, quantity_value(memory)))
		lack(p, ret, "memory");
	if (pods && is_tight(r->pods, 1, quantity_value(pods)))
		*arena_push(p->a, ret) = "Too many pods";
}
