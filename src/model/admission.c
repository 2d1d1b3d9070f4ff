/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What admission will say of what the files declare, told where it is written: LimitRanges. Nothing
 * is left out of the set for it, as what runs was admitted when it was made; room control asks the
 * same questions of each pod that it makes.
 */
#include "base/macro.h"
#include "model/build.h"
#include "model/limits.h"
#include "schema/schema.h"

struct admission {
	struct set *set;
	const struct set *previous;
	struct manifest *const *quiet;	/* files whose newest version is another one */
	uint32_t nquiet;
	struct arena scratch;
};

/* In force as it is now: it was admitted. */
static bool is_old(const struct admission *w, const struct object *o)
{
	const struct object *was = w->previous ?
		set_find(w->previous, o->kind->id, o->meta->namespace, o->meta->name) : NULL;

	return was && was->digest == o->digest;
}

/* An error at what would not be made at all, else a warning: a controller tries again. */
static void tell(struct admission *w, const struct object *o, const struct node *at,
		 const char *path, const char *text)
{
	bool known = at && at->line, single = o->kind->id == KIND_POD || o->kind->id == KIND_PVC;

	if (manifests_have(w->quiet, w->nquiet, o->file))
		return;
	msgs_add(&w->set->msgs, !single || is_old(w, o), o->file, known ? at->line : o->line,
		 known ? at->col : o->col, path, "%s", text);
}

static void check_pod_limits(struct admission *w, const struct object *o)
{
	const char *prefix;
	const struct pod_spec *of = object_pod_spec(o, &prefix);
	struct limit_faults faults;
	struct pod_spec spec;

	if (!of)
		return;
	spec = *of;
	limits_complete(&w->scratch, w->set, o->meta->namespace, &spec);
	limits_check(&w->scratch, w->set, o->meta->namespace, &spec, &faults);
	for (uint32_t i = 0; i < faults.n; i++) {
		const struct limit_fault *f = &faults.v[i];

		tell(w, o, f->at,
		     arena_printf(&w->set->arena, "%s%s%s", prefix, *f->path ? "." : "", f->path),
		     arena_printf(&w->set->arena, "forbidden by a LimitRange: %s", f->text));
	}
}

static void check_claim_limits(struct admission *w, const struct object *o)
{
	const char *why = limits_check_claim(&w->scratch, w->set, o->meta->namespace, &o->pvc->spec);

	if (why)
		tell(w, o, &o->pvc->spec.node, "spec.resources.requests.storage",
		     arena_printf(&w->set->arena, "forbidden by a LimitRange: %s", why));
}

void set_check_admission(struct set *s, const struct set *previous, struct manifest *const *quiet,
			 uint32_t nquiet)
{
	struct admission w = { .set = s, .previous = previous, .quiet = quiet, .nquiet = nquiet };
	struct object_list claims = set_kind(s, KIND_PVC);

	if (set_kind(s, KIND_LIMITRANGE).n) {
		for (uint32_t i = 0; i < s->objects.n; i++)
			check_pod_limits(&w, &s->objects.v[i]);
		for (uint32_t i = 0; i < claims.n; i++)
			check_claim_limits(&w, &claims.v[i]);
	}
	arena_release(&w.scratch);
}
