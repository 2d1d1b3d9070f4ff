/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about what runs. */
#include "model/observed.h"

#include <stddef.h>
#include <string.h>

#include "base/macro.h"

const struct observed_pod *observed_find(const struct observed *o, const char *ns, const char *name)
{
	struct object_key key = { &kinds[KIND_POD], ns, name };
	uint32_t lo = 0, hi = o->npods;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct object_key k = object_key(o->pods[mid].object);
		int r = object_key_cmp(&k, &key);

		if (r == 0)
			return &o->pods[mid];
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* ---- copies ---- */

static const size_t container_texts[] = {	/* in the order of the struct */
	offsetof(struct observed_container, name),
	offsetof(struct observed_container, probe_message[PROBE_READINESS]),
	offsetof(struct observed_container, probe_message[PROBE_LIVENESS]),
	offsetof(struct observed_container, probe_message[PROBE_STARTUP]),
	offsetof(struct observed_container, hook_message[0]),
	offsetof(struct observed_container, hook_message[1]),
	offsetof(struct observed_container, message),
	offsetof(struct observed_container, last_words),
	offsetof(struct observed_container, image_id),
};

static const char **text_at(const struct observed_container *c, size_t i)
{
	return (const char **)((char *)c + container_texts[i]);
}

static struct observed_container *copy_containers(struct arena *a,
						  const struct observed_container *v, uint32_t n)
{
	struct observed_container *copy = arena_array(a, struct observed_container, n);

	for (uint32_t i = 0; i < n; i++) {
		copy[i] = v[i];
		for (size_t k = 0; k < ARRAY_SIZE(container_texts); k++)
			*text_at(&copy[i], k) = arena_strdup(a, *text_at(&copy[i], k));
	}
	return copy;
}

static int64_t *copy_numbers(struct arena *a, const int64_t *v, uint32_t n)
{
	int64_t *copy = arena_array(a, int64_t, n);

	if (n)
		memcpy(copy, v, n * sizeof(*v));
	return copy;
}

static const struct pod_usage *copy_usage(struct arena *a, const struct observed_pod *p)
{
	const struct pod_spec *s = &p->object->pod->spec;
	struct pod_usage *copy = arena_new(a, struct pod_usage);

	copy->volumes = copy_numbers(a, p->usage->volumes, s->volumes.n);
	copy->containers = copy_numbers(a, p->usage->containers, pod_container_count(s));
	copy->inodes = p->usage->inodes;
	return copy;
}

struct observed_pod *observed_pod_copy(struct arena *a, const struct observed_pod *p)
{
	struct observed_pod *copy = arena_new(a, struct observed_pod);
	struct object *o = arena_new(a, struct object);

	*copy = *p;
	*o = *p->object;
	copy->object = o;
	copy->usage = p->usage ? copy_usage(a, p) : NULL;
	copy->evicted = arena_strdup(a, p->evicted);
	copy->message = arena_strdup(a, p->message);
	copy->containers = copy_containers(a, p->containers, p->ncontainers);
	copy->ephemerals.v = copy_containers(a, p->ephemerals.v, p->ephemerals.n);
	return copy;
}

static bool same_text(const char *x, const char *y)
{
	return x == y || (x && y && strcmp(x, y) == 0);
}

/* All between the texts is compared as bytes, so that a member that is new is not forgotten. */
static bool same_container(const struct observed_container *x, const struct observed_container *y)
{
	size_t at = 0;

	for (size_t k = 0; k < ARRAY_SIZE(container_texts); k++) {
		size_t next = container_texts[k];

		if (memcmp((const char *)x + at, (const char *)y + at, next - at) ||
		    !same_text(*text_at(x, k), *text_at(y, k)))
			return false;
		at = next + sizeof(char *);
	}
	return memcmp((const char *)x + at, (const char *)y + at, sizeof(*x) - at) == 0;
}

static bool same_containers(const struct observed_container *x, uint32_t n,
			    const struct observed_container *y)
{
	for (uint32_t i = 0; i < n; i++)
		if (!same_container(&x[i], &y[i]))
			return false;
	return true;
}

static bool same_usage(const struct observed_pod *x, const struct observed_pod *y)
{
	const struct pod_usage *a = x->usage, *b = y->usage;
	const struct pod_spec *s;

	if (!a || !b)
		return a == b;
	s = &x->object->pod->spec;
	return a->inodes == b->inodes &&
	       memcmp(a->volumes, b->volumes, s->volumes.n * sizeof(*a->volumes)) == 0 &&
	       memcmp(a->containers, b->containers,
		      pod_container_count(s) * sizeof(*a->containers)) == 0;
}

bool observed_pod_same(const struct observed_pod *x, const struct observed_pod *y)
{
	struct observed_pod a = *x;

	if (!x->stamp || x->stamp != y->stamp || !same_text(x->evicted, y->evicted) ||
	    !same_text(x->message, y->message))
		return false;
	a.object = y->object;
	a.usage = y->usage;
	a.evicted = y->evicted;
	a.message = y->message;
	a.containers = y->containers;
	a.ephemerals.v = y->ephemerals.v;
	return memcmp(&a, y, sizeof(a)) == 0 && same_usage(x, y) &&
	       same_containers(x->containers, x->ncontainers, y->containers) &&
	       same_containers(x->ephemerals.v, x->ephemerals.n, y->ephemerals.v);
}

const struct observed_image *observed_image(const struct observed *o, const char *image,
					    uint64_t credentials)
{
	for (uint32_t i = 0; i < o->nimages; i++)
		if (o->images[i].credentials == credentials && !strcmp(o->images[i].image, image))
			return &o->images[i];
	return NULL;
}

static bool passes(const struct observed_container *c, enum probe_kind k)
{
	return !c->configured[k] || (c->decided[k] && c->passed[k]);
}

bool observed_container_failed(const struct observed_container *c)
{
	return c->phase == RUN_FAILED || c->end.exit_code || c->end.signal || c->end.oom_killed;
}

bool observed_container_started(const struct observed_container *c)
{
	return c->phase == RUN_RUNNING && !c->hook_runs && !c->hook_failed &&
	       passes(c, PROBE_STARTUP);
}

bool observed_container_ready(const struct observed_container *c)
{
	return observed_container_started(c) && passes(c, PROBE_READINESS);
}
