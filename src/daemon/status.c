/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `orchctl status` shows, as JSON. */
#include <stdio.h>

#include "base/macro.h"
#include "daemon/daemon.h"

static void files_in_error(const struct msgs *m, struct json *j)
{
	json_key(j, "messages");
	if (m)
		msgs_json(m, j);
	else
		json_raw(j, "[]");
}

static void holds(struct daemon *d, struct json *j)
{
	const struct hold_list *list = store_holds(d->store);

	json_key(j, "holds");
	json_begin_array(j);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct hold *h = &list->v[i];
		const struct object *o = d->applied ? set_find(d->applied, h->key.kind->id,
							       h->key.namespace, h->key.name) : NULL;
		char when[32];

		time_format(h->time, when);
		json_begin_object(j);
		json_kstr(j, "kind", h->key.kind->name);
		json_kstr(j, "namespace", h->key.namespace);
		json_kstr(j, "name", h->key.name);
		json_kbool(j, "content", h->content != NULL);
		json_kint(j, "revision", h->revision);
		json_kbool(j, "failed", h->failed);
		json_kbool(j, "paused", h->paused);
		json_kbool(j, "resumed", h->resumed);
		json_kstr(j, "restartedAt", h->restarted_at);
		json_kstr(j, "time", when);
		json_kstr(j, "file", o ? o->file : NULL);
		json_end_object(j);
	}
	json_end_array(j);
}

static void counts(struct daemon *d, struct json *j)
{
	json_key(j, "counts");
	json_begin_object(j);
	for (int k = 0; k < KIND_COUNT; k++) {
		uint32_t n;

		view_list(d->view, (enum kind_id)k, &n);
		if (n)
			json_kint(j, kinds[k].plural, n);
	}
	json_end_object(j);
}

void daemon_status(struct daemon *d, struct json *j)
{
	char started[32];

	time_format(d->started, started);
	json_begin_object(j);
	json_kstr(j, "apiVersion", "orch/v1");
	json_kstr(j, "kind", "Status");
	json_kstr(j, "node", d->node_name);
	json_kstr(j, "configDir", d->settings->config_dir);
	json_kstr(j, "sync", d->settings->sync == SYNC_MANUAL ? "manual" : "auto");
	json_kint(j, "revision", d->revision);
	json_kstr(j, "started", started);
	json_kbool(j, "settled", d->settled);
	json_kstr(j, "warning", watch_warning(d->watch));
	json_kstr(j, "guard", d->guard);
	files_in_error(d->candidate ? &d->candidate->msgs : NULL, j);
	holds(d, j);
	counts(d, j);
	json_end_object(j);
}
