/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins are called UID.CONTAINER, or of volumes UID..VOLUME; see images.h. */
#include "runtime/images.h"

#include <stdio.h>

#include "base/macro.h"
#include "base/reference.h"
#include "image/store.h"

static const char *owner_of(struct arena *a, const struct sandbox *p,
			    const struct container_run *run)
{
	return arena_printf(a, "%s.%s", p->uid, run->spec->name);
}

static const char *volume_owner_of(struct arena *a, const struct sandbox *p, const struct volume *v)
{
	return arena_printf(a, "%s..%s", p->uid, v->name);
}

/* As kubelet shows it: where it is from, and which one. */
static void remember_id(struct container_run *run, const struct reference *r, const char *digest)
{
	BUF_AUTO id = { 0 };

	if (r->host)
		buf_printf(&id, "%s/%s@%s", r->host, r->path, digest);
	else
		buf_puts(&id, r->transport == TRANSPORT_ROOTFS ? r->name : digest);
	free(run->image_id);
	run->image_id = buf_take(&id);
}

int images_resolve(struct sandbox *p, struct container_run *run, bool start, struct arena *a,
		   struct image *ret, struct err *err)
{
	struct image_store *store = p->rt->s.images;
	const char *owner = owner_of(a, p, run);
	struct reference r;
	int code = reference_parse(a, run->spec->image, &r, err);

	if (code < 0)
		return code;
	if (start && store && r.transport != TRANSPORT_ROOTFS)
		code = image_store_pin(store, r.name, owner, err);
	if (code == 0)
		code = image_resolve(a, store, r.name, owner, ret, err);
	if (code == 0)
		remember_id(run, &r, ret->id);
	return code;
}

int images_resolve_volume(struct sandbox *p, const struct volume *v, struct arena *a,
			  struct image *ret, struct err *err)
{
	struct image_store *store = p->rt->s.images;
	const char *owner = volume_owner_of(a, p, v);
	struct reference r;
	int code = v->image->reference ? reference_parse(a, v->image->reference, &r, err) :
					 err_set(err, -EINVAL, "it names no image");

	if (code == 0 && store && r.transport != TRANSPORT_ROOTFS)
		code = image_store_pin(store, r.name, owner, err);
	return code < 0 ? code : image_resolve(a, store, r.name, owner, ret, err);
}

static void unpin_volumes(struct sandbox *p, struct arena *a)
{
	const struct volume_list *l = &p->object.pod->spec.volumes;

	for (uint32_t i = 0; p->rt->s.images && i < l->n; i++)
		if (l->v[i].image)
			image_store_unpin(p->rt->s.images, volume_owner_of(a, p, &l->v[i]), NULL);
}

void images_unpin(struct sandbox *p)
{
	struct arena a = { 0 };

	unpin_volumes(p, &a);

	for (uint32_t i = 0; p->rt->s.images && i < p->nruns; i++)
		image_store_unpin(p->rt->s.images, owner_of(&a, p, &p->runs[i]), NULL);
	for (struct ephemeral *e = p->ephemerals; p->rt->s.images && e; e = e->next)
		image_store_unpin(p->rt->s.images, owner_of(&a, p, &e->run), NULL);
	arena_release(&a);
}

static bool is_known(const struct runtime *r, const char *owner)
{
	size_t n = strcspn(owner, ".");

	for (uint32_t i = 0; i < r->nsandboxes; i++)
		if (strlen(r->sandboxes[i]->uid) == n &&
		    memcmp(r->sandboxes[i]->uid, owner, n) == 0)
			return true;
	return false;
}

void images_unpin_unknown(struct runtime *r)
{
	struct arena a = { 0 };
	const char *const *owners;

	if (r->s.images && image_store_pins(r->s.images, &a, &owners, NULL) == 0)
		for (; *owners; owners++)
			if (!is_known(r, *owners))
				image_store_unpin(r->s.images, *owners, NULL);
	arena_release(&a);
}

const char *images_id(struct sandbox *p, struct container_run *run)
{
	struct arena a = { 0 };
	struct image i;

	if (!run->image_id && run->st.phase != SHIM_CREATED)
		images_resolve(p, run, false, &a, &i, NULL);
	arena_release(&a);
	return run->image_id;
}
