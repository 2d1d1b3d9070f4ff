/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing what two passes want, value by value. Where it lies in memory, and what is only said to
 * make plan faster, does not count.
 */
#include "same.h"

#include "base/macro.h"

static bool same_text(const char *x, const char *y)
{
	return x == y || (x && y && streq(x, y));
}

static bool same_key(const struct object_key *x, const struct object_key *y)
{
	return object_key_cmp(x, y) == 0;
}

static bool same_object(const struct object *x, const struct object *y)
{
	return x->kind == y->kind && same_text(x->file, y->file) && x->line == y->line &&
	       schema_equal(x->kind->type, x->body, y->body);
}

static bool same_volume(const struct wanted_volume *x, const struct wanted_volume *y)
{
	return same_text(x->name, y->name) && same_text(x->path, y->path) && x->type == y->type &&
	       x->read_only == y->read_only && x->own == y->own;
}

static bool same_container(const struct wanted_container *x, const struct wanted_container *y)
{
	return same_text(x->name, y->name) && x->run == y->run && x->kill == y->kill &&
	       x->attempt == y->attempt && x->backoff == y->backoff && x->grace_s == y->grace_s &&
	       same_text(x->why, y->why);
}

static bool same_pod(const struct wanted_pod *x, const struct wanted_pod *y)
{
	if (!same_object(&x->object, &y->object) || x->stop != y->stop ||
	    x->grace_s != y->grace_s || !same_text(x->why, y->why) ||
	    !same_text(x->evict, y->evict) || !same_text(x->resize, y->resize) ||
	    !same_text(x->resize_waits, y->resize_waits) || x->config_digest != y->config_digest ||
	    x->volumes.n != y->volumes.n || x->ncontainers != y->ncontainers ||
	    !schema_equal(&pod_status_type, x->status, y->status))
		return false;
	for (uint32_t i = 0; i < x->volumes.n; i++)
		if (!same_volume(&x->volumes.v[i], &y->volumes.v[i]))
			return false;
	for (uint32_t i = 0; i < x->ncontainers; i++)
		if (!same_container(&x->containers[i], &y->containers[i]))
			return false;
	return true;
}

static bool same_service(const struct service_entry *x, const struct service_entry *y)
{
	return service_entry_same(x, y) && same_text(x->name, y->name);
}

static bool same_status(const struct wanted_status *x, const struct wanted_status *y)
{
	const struct field *f = schema_field(x->key.kind->type, "status");

	return same_key(&x->key, &y->key) && x->scaled == y->scaled && x->replicas == y->replicas &&
	       schema_equal(f->sub, x->status, y->status);
}

static bool same_event(const struct wanted_event *x, const struct wanted_event *y)
{
	return same_key(&x->key, &y->key) && same_text(x->uid, y->uid) && x->warning == y->warning &&
	       same_text(x->reason, y->reason) && same_text(x->message, y->message) &&
	       x->when == y->when;
}

static bool same_rollback(const struct wanted_rollback *x, const struct wanted_rollback *y)
{
	return same_key(&x->key, &y->key) && x->revision == y->revision;
}

static bool same_image(const struct wanted_image *x, const struct wanted_image *y)
{
	return same_text(x->image, y->image) && x->credentials == y->credentials &&
	       x->pull == y->pull && x->refresh == y->refresh && x->secrets.n == y->secrets.n;
}

#define SAME_LIST(x, y, same)                                                                  \
	({                                                                                     \
		bool all_ = (x).n == (y).n;                                                    \
		for (uint32_t i_ = 0; all_ && i_ < (x).n; i_++)                                \
			all_ = same(&(x).v[i_], &(y).v[i_]);                                   \
		all_;                                                                          \
	})

const char *wanted_difference(const struct wanted *x, const struct wanted *y)
{
	if (!SAME_LIST(x->pods, y->pods, same_pod))
		return "pods";
	if (!SAME_LIST(x->shown, y->shown, same_object))
		return "shown";
	if (!SAME_LIST(x->derived, y->derived, same_object))
		return "derived";
	if (!SAME_LIST(x->services, y->services, same_service))
		return "services";
	if (!SAME_LIST(x->endpoints, y->endpoints, same_object))
		return "endpoints";
	if (!SAME_LIST(x->statuses, y->statuses, same_status))
		return "statuses";
	if (!SAME_LIST(x->events, y->events, same_event))
		return "events";
	if (!SAME_LIST(x->rollbacks, y->rollbacks, same_rollback))
		return "rollbacks";
	if (!SAME_LIST(x->images, y->images, same_image))
		return "images";
	return x->wake == y->wake ? NULL : "wake";
}

static bool same_action(const struct action *x, const struct action *y)
{
	return x->kind == y->kind && same_text(x->namespace, y->namespace) &&
	       same_text(x->name, y->name) && same_text(x->container, y->container) &&
	       x->fresh == y->fresh && same_text(x->why, y->why);
}

bool same_actions(const struct action_list *x, const struct action_list *y)
{
	return SAME_LIST(*x, *y, same_action);
}
