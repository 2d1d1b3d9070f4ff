/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of actions: what each of them does to the machine and to the store. Their order and the
 * back-off of those that fail are carry.c's.
 */
#include "daemon/exec.h"

#include "base/log.h"
#include "base/macro.h"
#include "control/control.h"
#include "daemon/carry.h"
#include "schema/schema.h"

struct pass {
	struct daemon *d;
	const struct wanted *wanted;
	int64_t now;
};

/* The directory or file of a volume that orch makes and removes; NULL: o is something else. */
static const char *provisioned(const struct object *o)
{
	const char *by = strmap_get(&o->meta->annotations, "pv.kubernetes.io/provisioned-by");

	return o->kind->id == KIND_PV && by && streq(by, STORAGE_PROVISIONER) &&
	       o->pv->spec.local ? o->pv->spec.local->path : NULL;
}

static int make_volume(struct pass *p, const struct pv_spec *s, const char *path, struct err *err)
{
	const struct quantity *size = qtymap_get(&s->capacity, "storage");

	if (s->volume_mode != VOLUME_BLOCK)
		return runtime_volume_make(p->d->runtime, path, err);
	return runtime_block_make(p->d->runtime, path, size ? quantity_value(size) : 0, err);
}

static int do_object_put(struct pass *p, const struct action *a, struct err *err)
{
	const char *path = provisioned(a->object);
	int r = path ? make_volume(p, &a->object->pv->spec, path, err) : 0;

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

static int do_pod_resize(struct pass *p, const struct action *a, struct err *err)
{
	return runtime_pod_resize(p->d->runtime, a->pod, p->d->applied, err);
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
	[ACTION_POD_RESIZE] = do_pod_resize,
	[ACTION_VOLUMES_UPDATE] = do_volumes_update,
	[ACTION_CONTAINER_START] = do_container_start,
	[ACTION_SERVICES] = do_services,
	[ACTION_POD_EVICT] = do_pod_evict,
	[ACTION_CONTAINER_KILL] = do_container_kill,
	[ACTION_POD_STOP] = do_pod_stop,
	[ACTION_POD_REMOVE] = do_pod_remove,
	[ACTION_OBJECT_FORGET] = do_object_forget,
};

static int act(void *data, const struct action *a, struct err *err)
{
	log_debug("%s %s/%s: %s", action_words(a->kind), a->namespace, a->name, a->why ? a->why : "");
	return table[a->kind](data, a, err);
}

static void report(struct daemon *d, const struct action *a, const struct err *err, int64_t now)
{
	log_warning("%s %s/%s%s%s: %s", action_words(a->kind), a->namespace, a->name,
		    a->container ? "/" : "", a->container ? a->container : "", err->msg);
	if (!a->pod || a->kind == ACTION_CONTAINER_START)	/* tell.c knows that one's words */
		return;
	struct object_key key = object_key(&a->pod->object);
	view_event(d->view, &key, a->pod->object.meta->uid, true, "Failed", err->msg, d->node_name, now);
}

static void failed(void *data, const struct action *a, const struct err *err)
{
	const struct pass *p = data;

	if (a)
		report(p->d, a, err, p->now);
	else
		log_error("%s", err->msg);
}

static int save(void *data, struct err *err)
{
	const struct pass *p = data;

	return store_save(p->d->store, err);
}

int64_t exec_plan(struct daemon *d, const struct action_list *actions, const struct wanted *w,
		  int64_t now)
{
	struct pass pass = { d, w, now };
	const struct carrier carrier = { .act = act, .save = save, .failed = failed, .data = &pass };

	return carry_out(&d->retries, actions, &carrier, now);
}

void exec_forget(struct daemon *d)
{
	carry_forget(&d->retries);
}
