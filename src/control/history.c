/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an object's pods were made from before: the ReplicaSets of a Deployment, the
 * ControllerRevisions of a StatefulSet or DaemonSet. Claims that it owns are no history.
 */
#include <stdlib.h>

#include "control/pass.h"
#include "schema/schema.h"

uint32_t control_history_revision(const struct object *past)
{
	const char *r = strmap_get(&past->meta->annotations, REVISION_ANNOTATION);

	if (past->kind->id == KIND_CONTROLLERREVISION)
		return (uint32_t)past->controller_revision->revision;
	return r ? (uint32_t)strtoul(r, NULL, 10) : 0;
}

struct pod_template *control_history_template(struct arena *a, const struct object *past)
{
	struct pod_template *t;

	if (past->kind->id == KIND_CONTROLLERREVISION)
		return control_revision_template(a, past);
	t = schema_copy(a, &pod_template_type, past->replicaset->spec.template);
	strmap_del(&t->metadata.labels, TEMPLATE_HASH_LABEL);
	return t;
}

static bool is_history(const struct object *record, const struct object *owner)
{
	return (record->kind->id == KIND_REPLICASET ||
		record->kind->id == KIND_CONTROLLERREVISION) &&
	       owned_by(record->meta, owner->meta->uid);
}

void control_history_add(struct control_history *h, const struct object *owner,
			 const struct object *record)
{
	uint32_t n;

	if (!is_history(record, owner))
		return;
	n = control_history_revision(record);
	if (n == h->to)
		h->asked = record;
	if (!h->newest || n > control_history_revision(h->newest)) {
		h->before = h->newest;
		h->newest = record;
	} else if (!h->before || n > control_history_revision(h->before)) {
		h->before = record;
	}
}
