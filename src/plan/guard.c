/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prune guard: deletions that look like an accident wait until somebody says they are meant.
 * It judges stack by stack, by identity of objects: one that moved to another file or stack is
 * not deleted. What it keeps stays exactly as it was applied.
 */
#include "base/macro.h"
#include "plan/plan.h"

#define PRUNE_ANNOTATION "orch/prune"
#define FEW 4		/* a stack of so many objects may lose more than half of them */

struct judgement {
	struct arena *a;
	const struct set *applied, *candidate;
	struct object_list deleted;	/* all that would go */
	struct object_list guarded;
	const char *why;
};

static bool same_stack(const struct object *x, const struct object *y)
{
	return streq(x->stack ? x->stack : "", y->stack ? y->stack : "");
}

static uint32_t in_stack(const struct object_list *l, const struct object *like)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++)
		n += same_stack(&l->v[i], like);
	return n;
}

/* Both sets are sorted. */
static void find_deleted(struct judgement *j)
{
	const struct object_list *was = &j->applied->objects, *is = &j->candidate->objects;
	uint32_t k = 0;

	for (uint32_t i = 0; i < was->n; i++) {
		while (k < is->n && object_cmp(&is->v[k], &was->v[i]) < 0)
			k++;
		if (k == is->n || object_cmp(&is->v[k], &was->v[i]) > 0)
			*arena_push(j->a, &j->deleted) = was->v[i];
	}
}

/* It waits since an earlier generation: later edits of other objects do not let it go. */
static bool is_kept(const struct object *o)
{
	const char *base = o->file ? strrchr(o->file, '/') : NULL;

	return o->file && streq(base ? base + 1 : o->file, KEPT_FILE);
}

/* Why this one waits; NULL: it may go. */
static const char *reason(struct judgement *j, const struct object *o)
{
	uint32_t all = in_stack(&j->applied->objects, o), gone = in_stack(&j->deleted, o);
	const char *prune = strmap_get(&o->meta->annotations, PRUNE_ANNOTATION);
	const char *stack = o->stack ? o->stack : "default";

	if (prune && streq(prune, "disabled"))
		return arena_printf(j->a, "%s is annotated %s: disabled", object_name(j->a, o),
				    PRUNE_ANNOTATION);
	if (is_kept(o))
		return arena_printf(j->a, "%s waits since an earlier change",
				    object_name(j->a, o));
	if (gone == all)
		return arena_printf(j->a, "all %u object%s of stack %s would go", all,
				    all == 1 ? "" : "s", stack);
	if (all > FEW && gone * 2 > all)
		return arena_printf(j->a, "%u of %u objects of stack %s would go", gone, all,
				    stack);
	if (o->kind->id == KIND_NAMESPACE || o->kind->id == KIND_PVC)
		return arena_printf(j->a, "%s would go", object_name(j->a, o));
	return NULL;
}

static void judge(struct judgement *j)
{
	find_deleted(j);
	for (uint32_t i = 0; i < j->deleted.n; i++) {
		const char *why = reason(j, &j->deleted.v[i]);

		if (!why)
			continue;
		if (!j->why)
			j->why = why;
		*arena_push(j->a, &j->guarded) = j->deleted.v[i];
	}
}

void plan_guard(struct arena *a, const struct set *applied, const struct set *candidate,
		int allow_delete, struct object_list *keep, const char **ret_why)
{
	struct judgement j = { .a = a, .applied = applied, .candidate = candidate };

	*ret_why = NULL;
	if (!applied || allow_delete < 0)
		return;
	judge(&j);
	if (!j.guarded.n || (allow_delete > 0 && j.guarded.n <= (uint32_t)allow_delete))
		return;
	for (uint32_t i = 0; i < j.guarded.n; i++)
		*arena_push(a, keep) = j.guarded.v[i];
	*ret_why = arena_printf(a, "%u deletion%s for apply --allow-delete: %s", j.guarded.n,
				j.guarded.n == 1 ? " waits" : "s wait", j.why);
}
