/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that containers wait for, with kubelet's reasons and words. A container whose image has to
 * be pulled asks for it in every pass; whoever pulls tells how far it is in what is observed. With
 * imagePullPolicy Always a pull counts when it ended after the container began to wait.
 */
#include "base/hash.h"
#include "base/reference.h"
#include "control/pass.h"

#define SLOW_PULL (5 * NSEC)	/* one that takes longer tells how far it is */

static const struct waiting nothing;

/* ---- credentials ---- */

static const struct bytes *secret_bytes(const struct object *o)
{
	static const char *const keys[] = { ".dockerconfigjson", ".dockercfg" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (uint32_t k = 0; k < o->secret->data.n; k++)
			if (streq(o->secret->data.v[k].k, keys[i]))
				return &o->secret->data.v[k].v;
	return NULL;
}

/* The pod's own, else those of its account. */
static const struct local_reference_list *pull_secrets(struct pass *p, const struct object *pod)
{
	const struct pod_spec *s = &pod->pod->spec;
	const struct object *account;

	if (s->image_pull_secrets.n)
		return &s->image_pull_secrets;
	account = set_find(p->in->set, KIND_SERVICEACCOUNT, pod->meta->namespace,
			   s->service_account_name ? s->service_account_name : "default");
	return account ? &account->service_account->image_pull_secrets : &s->image_pull_secrets;
}

/* The Secrets that there are; a missing one is told, and the pull tried without it. */
static void add_secrets(struct pass *p, const struct member *m, struct wanted_image *w)
{
	const struct object *pod = &m->want.object;
	const struct local_reference_list *l = pull_secrets(p, pod);

	for (uint32_t i = 0; i < l->n; i++) {
		const char *name = l->v[i].name ? l->v[i].name : "";
		const struct object *o = set_find(p->in->set, KIND_SECRET, pod->meta->namespace,
						  name);
		const struct bytes *b = o ? secret_bytes(o) : NULL;

		if (b) {
			w->credentials = fnv64(w->credentials ? w->credentials : FNV64_INIT,
					       b->data, b->len);
			*arena_push(p->a, &w->secrets) = o;
		} else {
			pass_event_at(p, pod, true, "FailedToRetrieveImagePullSecret",
				      arena_printf(p->a, "Unable to retrieve some image pull secrets "
						   "(%s); attempting to pull the image may not "
						   "succeed.", name),
				      m->seen ? m->seen->created_at : p->in->now);
		}
	}
}

/* ---- telling ---- */

struct telling {
	struct pass *p;
	const struct object *pod;
	const char *image;
};

static void tell(const struct telling *t, int64_t when, bool warning, const char *reason,
		 const char *text)
{
	if (when && t->p->in->now - when <= TELL_WINDOW)
		pass_event_at(t->p, t->pod, warning, reason, text, when);
}

/* As Go prints a duration below some hours: 850ms, 1.234s, 2m3.5s. */
static const char *go_duration(struct arena *a, int64_t ns)
{
	long long ms = MAX(ns, 0) / MSEC;

	if (ms < 1000)
		return arena_printf(a, "%lldms", ms);
	if (ms < 60000)
		return arena_printf(a, "%lld.%03llds", ms / 1000, ms % 1000);
	return arena_printf(a, "%lldm%lld.%03llds", ms / 60000, ms / 1000 % 60, ms % 1000);
}

static void tell_pulled(const struct telling *t, const struct observed_image *i)
{
	struct arena *a = t->p->a;

	tell(t, i->started_at, false, "Pulling", arena_printf(a, "Pulling image \"%s\"", t->image));
	tell(t, i->pulled_at, false, "Pulled",
	     arena_printf(a, "Successfully pulled image \"%s\" in %s (%s including waiting). Image "
			  "size: %llu bytes.", t->image,
			  go_duration(a, i->pulled_at - i->begun_at),
			  go_duration(a, i->pulled_at - i->started_at),
			  (unsigned long long)i->size));
}

/* Its quarters, as events of their own. */
static void tell_pulling(const struct telling *t, const struct observed_image *i)
{
	struct arena *a = t->p->a;

	tell(t, i->started_at, false, "Pulling", arena_printf(a, "Pulling image \"%s\"", t->image));
	if (i->quarters % 4 && i->quarter_at - i->begun_at >= SLOW_PULL)
		tell(t, i->quarter_at, false, "Pulling",
		     arena_printf(a, "Pulling image \"%s\": %u %% of %llu MB", t->image,
				  i->quarters * 25,
				  (unsigned long long)((i->total + 999999) / 1000000)));
}

static void tell_failed(const struct telling *t, const struct observed_image *i)
{
	struct arena *a = t->p->a;
	int64_t later = i->failed_at + SHOW_ERROR;

	tell(t, i->started_at, false, "Pulling", arena_printf(a, "Pulling image \"%s\"", t->image));
	tell(t, i->failed_at, true, "Failed",
	     arena_printf(a, "Failed to pull image \"%s\": %s", t->image, i->message));
	tell(t, i->failed_at, true, "Failed", arena_printf(a, "Error: %s", i->reason));
	if (t->p->in->now < later)
		return;
	tell(t, later, false, "BackOff", arena_printf(a, "Back-off pulling image \"%s\"", t->image));
	tell(t, later, true, "Failed", "Error: ImagePullBackOff");
}

/* ---- what it waits for ---- */

static struct waiting creating(const struct telling *t, const struct member *m,
			       const struct observed_image *i)
{
	bool inits = m->want.object.pod->spec.init_containers.n > 0;
	struct waiting w = { inits ? "PodInitializing" : "ContainerCreating", NULL };

	if (i && i->pull == IMAGE_PULLING && i->total)
		w.message = arena_printf(t->p->a, "pulling image \"%s\": %llu of %llu MB", t->image,
					 (unsigned long long)(i->done / 1000000),
					 (unsigned long long)((i->total + 999999) / 1000000));
	return w;
}

static struct waiting failed(const struct telling *t, const struct observed_image *i)
{
	struct pass *p = t->p;

	tell_failed(t, i);
	pass_wake(p, i->retry_at);
	if (p->in->now >= i->failed_at + SHOW_ERROR)
		return (struct waiting){
			"ImagePullBackOff", arena_printf(p->a, "Back-off pulling image \"%s\": %s: %s",
							 t->image, i->reason, i->message) };
	pass_wake(p, i->failed_at + SHOW_ERROR);
	return (struct waiting){ i->reason, i->message };
}

static struct waiting invalid(const struct telling *t, const struct member *m, const char *why)
{
	struct arena *a = t->p->a;
	const char *text = arena_printf(a, "Failed to apply default image tag \"%s\": %s", t->image,
					why);
	int64_t when = m->seen ? m->seen->created_at : t->p->in->now;

	tell(t, when, true, "InspectFailed", text);
	tell(t, when, true, "Failed", "Error: InvalidImageName");
	return (struct waiting){ "InvalidImageName", text };
}

static struct waiting never(const struct telling *t, const struct member *m)
{
	struct arena *a = t->p->a;
	const char *text = arena_printf(a, "Container image \"%s\" is not present with pull policy "
					"of Never", t->image);
	int64_t when = m->seen ? m->seen->created_at : t->p->in->now;

	tell(t, when, true, "ErrImageNeverPull", text);
	tell(t, when, true, "Failed", "Error: ErrImageNeverPull");
	return (struct waiting){ "ErrImageNeverPull", text };
}

/* Since when the container waits: its last end, or the pod's creation. */
static int64_t waits_since(struct pass *p, const struct member *m, const char *name)
{
	const struct observed_container *c = member_container(m, name);

	if (c && c->end.finished_at)
		return c->end.finished_at;
	return m->seen ? m->seen->created_at : p->in->now;
}

static struct waiting decide(const struct telling *t, struct member *m,
			     const struct container *spec, struct wanted_image *w)
{
	const struct observed_image *i = observed_image(t->p->in->observed, spec->image,
							w->credentials);
	enum pull_policy policy = spec->image_pull_policy;
	int64_t since = waits_since(t->p, m, spec->name);

	w->pull = policy != PULL_NEVER;
	w->refresh = policy == PULL_ALWAYS;
	if (i && i->present && (!w->refresh || i->pulled_at >= since)) {
		if (i->pulled_at >= since)
			tell_pulled(t, i);
		else
			pass_event(t->p, t->pod, false, "Pulled",
				   arena_printf(t->p->a, "Container image \"%s\" already present on "
						"machine", t->image));
		return nothing;
	}
	*arena_push(t->p->a, &t->p->out->images) = *w;
	if (i && !w->pull)
		return never(t, m);
	if (i && i->pull == IMAGE_FAILED)
		return failed(t, i);
	if (i && i->pull == IMAGE_PULLING)
		tell_pulling(t, i);
	return creating(t, m, i);
}

struct waiting image_decide(struct pass *p, struct member *m, const struct container *spec)
{
	struct telling t = { p, &m->want.object, spec->image };
	struct wanted_image w = { .image = spec->image };
	struct reference r;
	struct err err = { 0 };

	if (reference_parse(p->a, spec->image, &r, &err) < 0)
		return invalid(&t, m, err.msg);
	if (r.transport == TRANSPORT_ROOTFS)
		return nothing;
	add_secrets(p, m, &w);
	return decide(&t, m, spec, &w);
}

static enum pull_policy policy_of(const struct image_volume *v)
{
	return v->pull_policy ? v->pull_policy :
	       reference_floats(v->reference) ? PULL_ALWAYS : PULL_IF_NOT_PRESENT;
}

static const struct image_volume *image_mounted(const struct pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->volumes.n; i++)
		if (streq(s->volumes.v[i].name, name))
			return s->volumes.v[i].image;
	return NULL;
}

struct waiting image_decide_volumes(struct pass *p, struct member *m, const struct container *spec)
{
	for (uint32_t i = 0; i < spec->volume_mounts.n; i++) {
		const struct image_volume *v = image_mounted(&m->want.object.pod->spec,
							     spec->volume_mounts.v[i].name);
		struct container as = { .name = spec->name };

		if (!v || !v->reference || !*v->reference)
			continue;
		as.image = v->reference;
		as.image_pull_policy = policy_of(v);
		struct waiting w = image_decide(p, m, &as);
		if (w.reason)
			return w;
	}
	return nothing;
}
