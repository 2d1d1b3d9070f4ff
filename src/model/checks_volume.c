/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of volumes, of what is mounted where, and of claims for storage. */
#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

void check_medium(struct check *c, const void *value)
{
	const char *medium = *(const char *const *)value;
	static const char *const known[] = {
		"", "Memory", "HugePages", "HugePages-2Mi", "HugePages-1Gi", NULL,
	};

	for (size_t i = 0; known[i]; i++)
		if (streq(known[i], medium))
			return;
	if (strncmp(medium, "HugePages-", 10) == 0)
		check_fail(c, "\"%.60s\" is not HugePages-2Mi or HugePages-1Gi", medium);
	else
		check_fail(c,
			   "\"%.60s\" is not Memory, HugePages or HugePages-SIZE, nor nothing for "
			   "the disk",
			   medium);
}

void check_quantity_positive(struct check *c, const void *value)
{
	const struct quantity *q = value;

	if (q->milli < 0)
		check_fail(c, "%s is less than 0", q->text);
}

void check_volume_mount(struct check *c, const void *obj)
{
	const struct volume_mount *m = obj;
	bool recursive = m->recursive_read_only && m->recursive_read_only != RECURSIVE_DISABLED;

	if (m->sub_path && *m->sub_path && m->sub_path_expr && *m->sub_path_expr)
		check_fail_at(c, "subPathExpr", "is not possible together with subPath");
	if (recursive && !m->read_only)
		check_fail_at(c, "recursiveReadOnly", "needs readOnly: true");
	if (recursive && m->mount_propagation > PROPAGATION_NONE)
		check_fail_at(c, "recursiveReadOnly", "needs mountPropagation None");
}

/* ---- claims ---- */

void check_storage(struct check *c, const void *value)
{
	const struct qtypair *p = value;

	if (!streq(p->k, "storage"))
		check_fail(c, "unknown resource \"%.60s\"; expected storage", p->k);
	else if (p->v.milli < 0)
		check_fail(c, "%s is less than 0", p->v.text);
}

void check_pvc_spec(struct check *c, const void *obj)
{
	const struct pvc_spec *s = obj;
	const struct quantity *size =
		s->resources ? qtymap_get(&s->resources->requests, "storage") : NULL;
	const struct quantity *limit =
		s->resources ? qtymap_get(&s->resources->limits, "storage") : NULL;

	check_access_modes(c, &s->access_modes);
	check_storage_size(c, "resources.requests.storage", size);
	if (size && limit && size->milli > limit->milli)
		check_fail_at(c, "resources.requests.storage", "%s is more than the limit, %s",
			      size->text, limit->text);
}

/* ---- storage of clouds and clusters ---- */

void check_cephfs(struct check *c, const void *obj)
{
	if (!((const struct ceph_fs_volume_source *)obj)->monitors.n)
		check_fail_at(c, "monitors", "must not be empty");
}

void check_rbd(struct check *c, const void *obj)
{
	if (!((const struct rbd_volume_source *)obj)->monitors.n)
		check_fail_at(c, "monitors", "must not be empty");
}

void check_fc(struct check *c, const void *obj)
{
	const struct fc_volume_source *v = obj;

	if (!v->target_wwns.n == !v->wwids.n)
		check_fail_at(c, "", "exactly one of targetWWNs and wwids is needed");
	else if (v->target_wwns.n && !HAS(v, fc_volume_source, lun))
		check_fail_at(c, "lun", "missing; targetWWNs needs it");
}

void check_flocker(struct check *c, const void *obj)
{
	const struct flocker_volume_source *v = obj;
	bool name = v->dataset_name && *v->dataset_name;
	bool uuid = v->dataset_u_uid && *v->dataset_u_uid;

	if (name == uuid)
		check_fail_at(c, "", "exactly one of datasetName and datasetUUID is needed");
	else if (name && strchr(v->dataset_name, '/'))
		check_fail_at(c, "datasetName", "\"%.100s\" must not contain \"/\"",
			      v->dataset_name);
}

void check_iqn(struct check *c, const void *value)
{
	const char *iqn = *(const char *const *)value;

	if (strncmp(iqn, "iqn.", 4) != 0 && strncmp(iqn, "eui.", 4) != 0 &&
	    strncmp(iqn, "naa.", 4) != 0)
		check_fail(c, "\"%.100s\" must begin with iqn, eui or naa, and a dot", iqn);
}

void check_iscsi(struct check *c, const void *obj)
{
	const struct iscsi_volume_source *v = obj;

	if ((v->chap_auth_discovery || v->chap_auth_session) && !v->secret_ref)
		check_fail_at(c, "secretRef", "missing; authentication needs it");
}

void check_nfs_path(struct check *c, const void *value)
{
	const char *path = *(const char *const *)value;

	if (*path != '/')
		check_fail(c, "\"%.100s\" is not an absolute path", path);
}

/* ---- projections ---- */

void check_downward_file(struct check *c, const void *obj)
{
	const struct downward_file *f = obj;
	const struct resource_field_selector *r = f->resource_field_ref;

	if (!f->field_ref == !r)
		check_fail_at(c, "", "exactly one of fieldRef and resourceFieldRef is needed");
	if (f->field_ref)
		check_field_path(c, "fieldRef.fieldPath", f->field_ref->field_path, true);
	if (r && (!r->container_name || !*r->container_name))
		check_fail_at(c, "resourceFieldRef.containerName",
			      "missing; a volume is of no container");
}

void check_trust_bundle(struct check *c, const void *obj)
{
	const struct cluster_trust_bundle_projection *p = obj;
	bool name = p->name && *p->name, signer = p->signer_name && *p->signer_name;

	if (name == signer)
		check_fail_at(c, "", "exactly one of name and signerName is needed");
	else if (name && p->label_selector)
		check_fail_at(c, "labelSelector", "is possible with signerName only");
}

void check_pod_certificate(struct check *c, const void *obj)
{
	const struct pod_certificate_projection *p = obj;

	if (!p->credential_bundle_path && !p->key_path && !p->certificate_chain_path)
		check_fail_at(c, "",
			      "one of credentialBundlePath, keyPath and certificateChainPath is "
			      "needed");
}

/* How many members of a struct of nothing but pointers, from row first on, are there? */
static unsigned count_sources(const struct type *t, unsigned first, const void *obj)
{
	unsigned n = 0;

	for (unsigned i = first; i < t->nfields; i++)
		n += *(void *const *)((const char *)obj + t->fields[i].offset) != NULL;
	return n;
}

void check_projection(struct check *c, const void *obj)
{
	unsigned n = count_sources(&volume_projection_type, 0, obj);

	if (n > 1)
		check_fail_at(c, "", "an entry has one source; this one has %u", n);
}

void check_volume(struct check *c, const void *obj)
{
	unsigned n = count_sources(&volume_type, volume_name_row + 1, obj);

	if (n > 1)
		check_fail_at(c, "", "a volume has one source; this one has %u", n);
}
