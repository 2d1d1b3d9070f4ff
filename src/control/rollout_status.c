/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a rollout is, in the words of kubectl rollout status. */
#include "base/macro.h"
#include "control/deployment.h"

static void daemonset_rollout(const struct object *o, struct buf *out, bool *ret_done,
			      bool *ret_failed)
{
	const struct daemonset_status *s = &o->daemonset->status;
	const char *name = o->meta->name;

	*ret_failed = false;
	if (o->daemonset->spec.update_strategy.type == UPDATE_ON_DELETE) {
		*ret_failed = true;
		buf_puts(out, "error: rollout status is only available for RollingUpdate strategy type\n");
	} else if (o->meta->generation > s->observed_generation) {
		buf_puts(out, "Waiting for daemon set spec update to be observed...\n");
	} else if (s->updated_number_scheduled < s->desired_number_scheduled) {
		buf_printf(out, "Waiting for daemon set \"%s\" rollout to finish: %d out of %d new pods "
			   "have been updated...\n", name, s->updated_number_scheduled,
			   s->desired_number_scheduled);
	} else if (s->number_available < s->desired_number_scheduled) {
		buf_printf(out, "Waiting for daemon set \"%s\" rollout to finish: %d of %d updated pods "
			   "are available...\n", name, s->number_available,
			   s->desired_number_scheduled);
	} else {
		*ret_done = true;
		buf_printf(out, "daemon set \"%s\" successfully rolled out\n", name);
	}
}

static void partitioned(const struct statefulset_status *s, int32_t wanted, struct buf *out,
			bool *ret_done)
{
	*ret_done = s->updated_replicas >= wanted;
	if (*ret_done)
		buf_printf(out, "partitioned roll out complete: %d new pods have been updated...\n",
			   s->updated_replicas);
	else
		buf_printf(out, "Waiting for partitioned roll out to finish: %d out of %d new pods have "
			   "been updated...\n", s->updated_replicas, wanted);
}

static void statefulset_rollout(const struct object *o, struct buf *out, bool *ret_done,
				bool *ret_failed)
{
	const struct statefulset_spec *spec = &o->statefulset->spec;
	const struct statefulset_rolling_update *r = spec->update_strategy.rolling_update;
	const struct statefulset_status *s = &o->statefulset->status;

	if (spec->update_strategy.type == UPDATE_ON_DELETE) {
		*ret_failed = true;
		buf_puts(out, "error: rollout status is only available for RollingUpdate strategy type\n");
	} else if (o->meta->generation > s->observed_generation) {
		buf_puts(out, "Waiting for statefulset spec update to be observed...\n");
	} else if (s->ready_replicas < spec->replicas) {
		buf_printf(out, "Waiting for %d pods to be ready...\n",
			   spec->replicas - s->ready_replicas);
	} else if (r && r->partition > 0) {
		partitioned(s, MAX(spec->replicas - r->partition, 0), out, ret_done);
	} else if (s->update_revision && !streq(s->update_revision, s->current_revision)) {
		buf_printf(out, "waiting for statefulset rolling update to complete %d pods at "
			   "revision %s...\n", s->updated_replicas, s->update_revision);
	} else {
		*ret_done = true;
		buf_printf(out, "statefulset rolling update complete %d pods at revision %s...\n",
			   s->current_replicas, s->current_revision);
	}
}

void control_rollout_status(const struct object *o, struct buf *out, bool *ret_done,
			    bool *ret_failed)
{
	*ret_done = *ret_failed = false;
	if (o->kind->id == KIND_STATEFULSET)
		statefulset_rollout(o, out, ret_done, ret_failed);
	else if (o->kind->id == KIND_DAEMONSET)
		daemonset_rollout(o, out, ret_done, ret_failed);
	else
		deployment_rollout(o, out, ret_done, ret_failed);
}
