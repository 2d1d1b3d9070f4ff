/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods that belong to a controller directly, by the uid of their owner reference, never by labels
 * alone. One whose sandbox was lost keeps its place until it may be replaced (member.c).
 */
#include "control/pass.h"

static void take(struct pass *p, struct owned *o, struct member *m)
{
	m->claimed = true;
	if (m->lost && m->active && p->in->now >= member_replace_at(p, m)) {
		member_stop(p, m, m->seen->message ? m->seen->message : "its sandbox was lost");
		*arena_push(p->a, &o->replaced) = m;
	} else if (m->lost && m->active) {
		pass_wake(p, member_replace_at(p, m));
	}
	if (m->active)
		*arena_push(p->a, &o->active) = m;
	else if (m->finished && !m->want.stop)
		*arena_push(p->a, &o->finished) = m;
	else
		*arena_push(p->a, &o->stopping) = m;
}

void owned_collect(struct pass *p, const char *uid, struct owned *ret)
{
	struct member_list l = members_owned_by(p, uid);

	*ret = (struct owned){ 0 };
	for (uint32_t i = 0; i < l.n; i++)
		take(p, ret, l.v[i]);
}

void owned_refused(struct pass *p, const struct object *owner, const char *name,
		   const char *refused)
{
	const struct kind *k = owner->kind;

	pass_event(p, owner, true, "FailedCreate",
		   k->id == KIND_STATEFULSET ?
			   arena_printf(p->a, "create Pod %s in StatefulSet %s failed error: %s", name,
					owner->meta->name, refused) :
			   arena_printf(p->a, "Error creating: %s", refused));
}

struct member *owned_create(struct pass *p, const struct object *owner, const struct pod_template *t,
			    const char *hash, const char *name, const struct member *lost)
{
	struct object pod = pod_from_template(p, owner, t, name);
	struct member *m;
	const char *refused;

	strmap_set(p->a, &pod.meta->labels, REVISION_HASH_LABEL, hash);
	m = member_new(p, &pod, lost ? lost->attempt + 1 : 0, &refused);
	if (m)
		pass_event(p, owner, false, "SuccessfulCreate",
			   arena_printf(p->a, "Created pod: %s", name));
	else
		owned_refused(p, owner, name, refused);
	return m;
}

void owned_stop(struct pass *p, const struct object *owner, struct member *m, const char *why)
{
	if (m->want.stop)
		return;
	member_stop(p, m, why);
	pass_event(p, owner, false, "SuccessfulDelete",
		   arena_printf(p->a, "Deleted pod: %s", m->want.object.meta->name));
}

bool owned_is_current(const struct member *m, const char *hash)
{
	const char *own = strmap_get(&m->want.object.meta->labels, REVISION_HASH_LABEL);

	return own && streq(own, hash);
}
