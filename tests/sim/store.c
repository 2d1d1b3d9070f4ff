/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: identity of what is declared, and records of what control made, in memory and on disk.
 * A record never changes: the disk has the same ones until something is put or forgotten.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

/* ---- records ---- */

static void record_unref(struct sim_derived *r)
{
	if (--r->refs)
		return;
	arena_release(&r->arena);
	free(r);
}

void sim_derived_forget(struct sim *s, const struct object_key *key)
{
	for (uint32_t i = 0; i < s->derived.n; i++) {
		struct object_key k = object_key(&s->derived.v[i]->object);

		if (object_key_cmp(&k, key))
			continue;
		record_unref(s->derived.v[i]);
		s->derived.v[i] = s->derived.v[--s->derived.n];
		s->dirty = true;
		return;
	}
}

void sim_derived_put(struct sim *s, const struct object *o)
{
	struct sim_derived *r = calloc(1, sizeof(*r));
	struct object_key key = object_key(o);

	r->refs = 1;
	r->object = object_copy(&r->arena, o);
	r->object.stamp = ++s->stamps;
	sim_derived_forget(s, &key);
	*arena_push(&s->arena, &s->derived) = r;
	s->dirty = true;
}

static void records_copy(struct sim *s, struct sim_records *to, const struct sim_records *from)
{
	for (uint32_t i = 0; i < from->n; i++)
		from->v[i]->refs++;
	for (uint32_t i = 0; i < to->n; i++)
		record_unref(to->v[i]);
	to->n = 0;
	for (uint32_t i = 0; i < from->n; i++)
		*arena_push(&s->arena, to) = from->v[i];
}

static void entries_copy(struct sim *s, struct sim_entries *to, const struct sim_entries *from)
{
	to->n = 0;
	for (uint32_t i = 0; i < from->n; i++)
		*arena_push(&s->arena, to) = from->v[i];
}

int sim_save(struct sim *s)
{
	if (!s->dirty)
		return 0;
	if (s->disk_full)
		return -ENOSPC;
	s->dirty = false;
	records_copy(s, &s->durable.derived, &s->derived);
	entries_copy(s, &s->durable.inventory, &s->inventory);
	return 0;
}

void sim_store_release(struct sim *s)
{
	static const struct sim_records none;

	records_copy(s, &s->derived, &none);
	records_copy(s, &s->durable.derived, &none);
}

/* ---- admission ---- */

static struct sim_entry *entry(struct sim *s, const struct object *o)
{
	char key[300];

	snprintf(key, sizeof(key), "%s/%s/%s", o->kind->name,
		 o->meta->namespace ? o->meta->namespace : "", o->meta->name);
	for (uint32_t i = 0; i < s->inventory.n; i++)
		if (streq(s->inventory.v[i].key, key))
			return &s->inventory.v[i];
	struct sim_entry *e = arena_push(&s->arena, &s->inventory);
	memcpy(e->key, key, sizeof(key));
	e->number = s->next_number++;
	e->created = s->now - s->now % NSEC;
	snprintf(e->uid, sizeof(e->uid), "00000000-0000-4000-8000-%012u", e->number);
	return e;
}

static void admit_service(struct arena *a, struct service *svc, uint32_t number)
{
	struct service_port_list ports = { 0 };

	if (!svc->spec.cluster_ip)
		svc->spec.cluster_ip = arena_printf(a, "10.96.%u.%u", number / 250,
						    number % 250 + 1);
	for (uint32_t i = 0; i < svc->spec.ports.n; i++) {
		struct service_port *p = arena_push(a, &ports);

		*p = svc->spec.ports.v[i];
		if (svc->spec.type == SERVICE_NODE_PORT && !p->node_port)
			p->node_port = (int32_t)(31000 + number * 10 + i);
	}
	svc->spec.ports = ports;
}

/* Identity and addresses are filled into private bodies. */
static void admit(struct sim *s, struct set *set)
{
	struct arena *a = &set->arena;

	for (uint32_t i = 0; i < set->objects.n; i++) {
		struct object *o = &set->objects.v[i];
		struct sim_entry *e = entry(s, o);
		size_t meta = (size_t)((char *)o->meta - (char *)o->body);
		void *body = arena_alloc(a, o->kind->type->size);

		if (e->digest != o->digest)
			e->generation++;
		e->digest = o->digest;
		memcpy(body, o->body, o->kind->type->size);
		o->body = body;
		o->meta = (struct meta *)((char *)body + meta);
		o->meta->uid = arena_strdup(a, e->uid);
		o->meta->creation_timestamp = e->created;
		o->meta->generation = e->generation;
		if (o->kind->id == KIND_SERVICE)
			admit_service(a, o->service, e->number);
	}
}

/* ---- sets ---- */

void sim_files_add(struct sim_files *f, const char *path, const char *text)
{
	f->v[f->n++] = manifest_load(path, text, strlen(text));
}

struct set *sim_set(struct sim *s, struct sim_files *f, const struct hold_list *holds)
{
	struct manifest *good[40], *broken[40];
	uint32_t ngood = 0, nbroken = 0;
	static const struct hold_list none;

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->v[i]->broken)
			broken[nbroken++] = f->v[i];
		else
			good[ngood++] = f->v[i];
	}
	struct set *set = set_build(good, ngood, broken, nbroken, holds ? holds : &none, s->set);
	for (uint32_t i = 0; i < f->n; i++)
		manifest_unref(f->v[i]);
	f->n = 0;
	admit(s, set);
	return set;
}

void sim_use(struct sim *s, struct set *set)
{
	uint32_t keep = 0;

	for (uint32_t i = 0; i < s->inventory.n; i++) {
		bool there = false;

		for (uint32_t k = 0; k < set->objects.n && !there; k++)
			there = streq(set->objects.v[k].meta->uid, s->inventory.v[i].uid);
		if (there)
			s->inventory.v[keep++] = s->inventory.v[i];
	}
	s->inventory.n = keep;
	set_unref(s->set);
	s->set = set;
	s->dirty = true;
}

void sim_store_restart(struct sim *s)
{
	records_copy(s, &s->derived, &s->durable.derived);
	entries_copy(s, &s->inventory, &s->durable.inventory);
	if (!s->set)
		return;
	struct set *again = set_build(s->set->manifests, s->set->nmanifests, NULL, 0, &s->holds,
				      NULL);
	admit(s, again);
	sim_use(s, again);
}
