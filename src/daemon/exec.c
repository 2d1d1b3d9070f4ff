/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of actions and the back-off of what failed. An action names its object by namespace
 * and name; the same pair keys the back-off, so that a pod that can't be created is neither
 * started nor retried in a tight loop.
 */
#include "daemon/exec.h"

#include <stdio.h>

#include "base/log.h"
#include "base/macro.h"
#include "control/control.h"
#include "schema/schema.h"

#define RETRY_MIN (1 * NSEC)
#define RETRY_MAX (60 * NSEC)

struct retry {
	struct retry *next;
	int64_t due, delay;
	char key[];			/* "NS/NAME" */
};

struct pass {
	struct daemon *d;
	const struct wanted *wanted;
};

/* The directory of a volume that orch makes and removes; NULL: o is something else. */
static const char *provisioned(const struct object *o)
{
	const char *by = strmap_get(&o->meta->annotations, "pv.kubernetes.io/provisioned-by");

	return o->kind->id == KIND_PV && by && streq(by, STORAGE_PROVISIONER) &&
	       o->pv->spec.local ? o->pv->spec.local->path : NULL;
}

static int do_object_put(struct pass *p, const struct action *a, struct err *err)
{
	const char *dir = provisioned(a->object);
	int r = dir ? runtime_volume_make(p->d->runtime, dir, err) : 0;

	if (r == 0)
		store_derived_put(p->d->store, a->object);
	return r;
}

static int do_object_forget(struct pass *p, const struct action *a, struct err *err)
{
	struct object_key key = object_key(a->object);
	const char *dir = provisioned(a->object);

	(void)err;
	if (dir)
		runtime_volume_remove(p->d->runtime, dir);
	store_derived_del(p->d->store, &key);
	return 0;
}

static int do_pod_create(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_pod_create(p->d->runtime, a->pod, p->d->applied, err);
}

static int do_pod_update(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_pod_update(p->d->runtime, a->pod, p->d->applied, err);
}

static int do_volumes_update(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_volumes_update(p->d->runtime, a->pod, p->d->applied, err);
}

static int do_container_start(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_container_start(p->d->runtime, a->pod, a->run, p->d->applied, err);
}

static int do_container_kill(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_container_kill(p->d->runtime, a->namespace, a->name, a->container,
				      a->run->grace_s, err);
}

static int do_pod_evict(struct pass *p, const struct action *a, struct err *err)
{
	log_info("pod %s/%s is evicted: %s", a->namespace, a->name, a->pod->evict);
	return runtime_pod_evict(p->d->runtime, a->namespace, a->name, a->pod->evict, err);
}

static int do_pod_stop(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_pod_stop(p->d->runtime, a->namespace, a->name, a->pod ? a->pod->grace_s : 30,
				err);
}

static int do_pod_remove(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_pod_remove(p->d->runtime, a->namespace, a->name, err);
}

static int do_services(struct pass *p, const struct action *a, struct err *err)
{
	struct daemon *d = p->d;

	(void)a;
	int r = net_services(d->net, p->wanted->services.v, p->wanted->services.n,
			     !d->services_known, err);
	if (r == 0)
		daemon_services_programmed(d, p->wanted->services.v, p->wanted->services.n);
	return r;
}

static int (*const table[ACTION_COUNT])(struct pass *, const struct action *, struct err *) = {
	[ACTION_OBJECT_PUT] = do_object_put,
	[ACTION_POD_CREATE] = do_pod_create,
	[ACTION_POD_UPDATE] = do_pod_update,
	[ACTION_VOLUMES_UPDATE] = do_volumes_update,
	[ACTION_CONTAINER_START] = do_container_start,
	[ACTION_SERVICES] = do_services,
	[ACTION_POD_EVICT] = do_pod_evict,
	[ACTION_CONTAINER_KILL] = do_container_kill,
	[ACTION_POD_STOP] = do_pod_stop,
	[ACTION_POD_REMOVE] = do_pod_remove,
	[ACTION_OBJECT_FORGET] = do_object_forget,
};

static struct retry **retry_find(struct daemon *d, const struct action *a)
{
	struct retry **r = &d->retries;
	char key[600];

	snprintf(key, sizeof(key), "%s/%s", a->namespace, a->name);
	while (*r && !streq((*r)->key, key))
		r = &(*r)->next;
	return r;
}

static void retry_forget(struct retry **r)
{
	struct retry *gone = *r;

	*r = gone->next;
	free(gone);
}

static void retry_later(struct daemon *d, const struct action *a, int64_t now)
{
	struct retry **at = retry_find(d, a);

	if (!*at) {
		char key[600];

		snprintf(key, sizeof(key), "%s/%s", a->namespace, a->name);
		*at = calloc(1, sizeof(**at) + strlen(key) + 1);
		if (!*at)
			abort();
		memcpy((*at)->key, key, strlen(key) + 1);
	}
	(*at)->delay = MIN(MAX((*at)->delay * 2, RETRY_MIN), RETRY_MAX);
	(*at)->due = now + (*at)->delay;
}

static void report(struct daemon *d, const struct action *a, const struct err *err, int64_t now)
{
	log_warning("%s %s/%s%s%s: %s", action_words(a->kind), a->namespace, a->name,
		    a->container ? "/" : "", a->container ? a->container : "", err->msg);
	if (!a->pod)
		return;
	struct object_key key = object_key(&a->pod->object);
	view_event(d->view, &key, a->pod->object.meta->uid, true, "Failed", err->msg, d->node_name, now);
}

static int64_t first_due(const struct daemon *d)
{
	int64_t due = 0;

	for (const struct retry *r = d->retries; r; r = r->next)
		due = due ? MIN(due, r->due) : r->due;
	return due;
}

/* What is still due was tried and went well, or has no action any more: its next failure starts
 * afresh. */
static void retry_expire(struct daemon *d, int64_t now)
{
	for (struct retry **r = &d->retries; *r;) {
		if ((*r)->due <= now)
			retry_forget(r);
		else
			r = &(*r)->next;
	}
}

static void save(struct daemon *d)
{
	struct err err = { 0 };

	if (store_save(d->store, &err) < 0)
		log_error("%s", err.msg);
}

int64_t exec_plan(struct daemon *d, const struct action_list *actions, const struct wanted *w,
		  int64_t now)
{
	struct pass pass = { d, w };
	bool saved = false;

	for (uint32_t i = 0; i < actions->n; i++) {
		const struct action *a = &actions->v[i];
		const struct retry *back_off = *retry_find(d, a);
		struct err err = { 0 };

		/* what pods are made from is durable before the first of them exists */
		if (!saved && a->kind != ACTION_OBJECT_PUT) {
			saved = true;
			save(d);
		}
		if (back_off && back_off->due > now)
			continue;
		log_debug("%s %s/%s: %s", action_words(a->kind), a->namespace, a->name,
			  a->why ? a->why : "");
		if (table[a->kind](&pass, a, &err) < 0) {
			report(d, a, &err, now);
			retry_later(d, a, now);
		}
	}
	save(d);	/* what needed no action, and what was forgotten; nothing when nothing changed */
	retry_expire(d, now);
	return first_due(d);
}

void exec_forget(struct daemon *d)
{
	while (d->retries)
		retry_forget(&d->retries);
}
