/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set from YAML, pods that a test describes, and one pass over both. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "control/control.h"
#include "schema/schema.h"

#define NOW (1764000000LL * NSEC)

struct fixture {
	struct arena arena;
	struct set *set;
	struct observed observed;
	struct wanted wanted;
	int64_t now;
};

static inline void fixture_identify(struct object *o, struct arena *a, unsigned i)
{
	o->meta->uid = arena_printf(a, "00000000-0000-4000-8000-%012u", i);
	o->meta->creation_timestamp = NOW - 3600 * NSEC;
	o->meta->generation = 1;
	if (o->kind->id == KIND_SERVICE && !o->service->spec.cluster_ip)
		o->service->spec.cluster_ip = arena_printf(a, "10.96.0.%u", i + 1);
}

static inline void fixture_open(struct fixture *f, const char *yaml)
{
	struct manifest *m = manifest_load("test.yaml", yaml, strlen(yaml));

	*f = (struct fixture){ .now = NOW };
	if (m->broken)
		fail_msg("line %u: %s: %s", m->msgs.v[0].line, m->msgs.v[0].path,
			 m->msgs.v[0].text);
	f->set = set_build(&m, 1, NULL, 0, &(struct hold_list){ 0 }, NULL);
	manifest_unref(m);
	for (uint32_t i = 0; i < f->set->objects.n; i++)
		fixture_identify(&f->set->objects.v[i], &f->arena, i);
}

static inline void fixture_close(struct fixture *f)
{
	set_unref(f->set);
	arena_release(&f->arena);
}

static inline void fixture_run(struct fixture *f)
{
	struct control_in in = { .set = f->set, .observed = &f->observed, .node_name = "node",
				 .node_ip = 0x0a000001, .now = f->now, .seed = 42,
				 .volumes_dir = "/state/volumes" };

	control_run(&f->arena, &in, &f->wanted);
}

/* What a pass wanted to be made, made: every pod is up, its containers are created. */
static inline void fixture_make(struct fixture *f)
{
	struct observed *o = &f->observed;

	o->npods = f->wanted.pods.n;
	o->pods = arena_array(&f->arena, struct observed_pod, o->npods + 1);
	for (uint32_t i = 0; i < o->npods; i++) {
		struct object *own = arena_new(&f->arena, struct object);
		const struct pod_spec *s;
		struct observed_pod *p = &o->pods[i];

		*own = object_copy(&f->arena, &f->wanted.pods.v[i].object);
		s = &own->pod->spec;
		p->object = own;
		p->stage = POD_UP;
		p->ip = 0x0af40010 + i;
		p->created_at = NOW - 60 * NSEC;
		p->config_digest = f->wanted.pods.v[i].config_digest;
		p->ncontainers = s->containers.n;
		p->containers = arena_array(&f->arena, struct observed_container, s->containers.n);
		for (uint32_t k = 0; k < s->containers.n; k++)
			p->containers[k].name = s->containers.v[k].name;
	}
	o->derived = (struct object_list){ 0 };
	for (uint32_t i = 0; i < f->wanted.derived.n; i++)
		*arena_push(&f->arena, &o->derived) =
			object_copy(&f->arena, &f->wanted.derived.v[i]);
}

static inline void fixture_ready(struct observed_pod *p)
{
	for (uint32_t i = 0; i < p->ncontainers; i++) {
		p->containers[i].phase = RUN_RUNNING;
		p->containers[i].started_at = NOW - 50 * NSEC;
	}
	p->ready_since = NOW - 40 * NSEC;
}

/* "cpu=1,memory=1Gi" */
static inline const char *fixture_amounts(struct arena *a, const struct qtymap *m)
{
	const char *text = "";

	for (uint32_t i = 0; i < m->n; i++)
		text = arena_printf(a, "%s%s%s=%s", text, i ? "," : "", m->v[i].k, m->v[i].v.text);
	return text;
}
