/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of PersistentVolumes and StorageClasses. */
#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

#define PARAMETERS_MAX 512
#define PARAMETERS_SIZE_MAX 262144	/* bytes of all keys and values */

void check_access_mode(struct check *c, const void *value)
{
	check_word(c, &access_mode_values, *(const char *const *)value);
}

void check_access_modes(struct check *c, const struct strs *modes)
{
	if (!modes->n)
		check_fail_at(c, "accessModes", "must have at least one mode");
	for (uint32_t i = 0; modes->n > 1 && i < modes->n; i++) {
		if (streq(modes->v[i], "ReadWriteOncePod")) {
			check_fail_at(c, "accessModes", "ReadWriteOncePod stands alone");
			return;
		}
	}
}

void check_storage_size(struct check *c, const char *child, const struct quantity *size)
{
	if (!size)
		check_fail_at(c, child, "missing; it is required");
	else if (size->milli <= 0)
		check_fail_at(c, child, "%s is not more than 0", size->text);
}

void check_csi_driver(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;
	char lower[64];
	size_t n = strlen(name);

	if (n >= sizeof(lower)) {
		check_fail(c, "must be at most 63 characters");
		return;
	}
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	check_name(c, "", NAME_SUBDOMAIN, lower);
}

void check_local_path(struct check *c, const void *value)
{
	const char *path = *(const char *const *)value;

	if (!*path)
		check_fail(c, "must not be empty");
	else if (path_has_dotdot(path))
		check_fail(c, "\"%.100s\" must not contain \"..\"", path);
}

void check_iscsi_pv(struct check *c, const void *obj)
{
	const struct iscsi_persistent_volume_source *s = obj;
	static const char *const forms[] = { "iqn.", "eui.", "naa." };
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		known |= strncmp(s->iqn, forms[i], 4) == 0;
	if (!known)
		check_fail_at(c, "iqn", "\"%.60s\" must begin with \"iqn.\", \"eui.\" or \"naa.\"",
			      s->iqn);
	if ((s->chap_auth_discovery || s->chap_auth_session) && !s->secret_ref)
		check_fail_at(c, "secretRef", "missing; CHAP needs it");
}

/* The sources are the OBJ rows but for those that say something else. */
static void check_source(struct check *c, const struct pv_spec *s)
{
	const char *first = NULL;

	for (unsigned i = 0; i < pv_spec_type.nfields; i++) {
		const struct field *f = &pv_spec_type.fields[i];

		if (f->kind != K_OBJ || i == pv_spec_claim_ref_row ||
		    i == pv_spec_node_affinity_row || !(s->node.set >> i & 1))
			continue;
		if (first)
			check_fail_at(c, f->key, "a volume has one source, and %s is there, too",
				      first);
		first = first ? first : f->key;
	}
	if (!first)
		check_fail(c, "a source is missing, like hostPath, local or nfs");
}

void check_pv_spec(struct check *c, const void *obj)
{
	const struct pv_spec *s = obj;

	check_access_modes(c, &s->access_modes);
	check_storage_size(c, "capacity.storage", qtymap_get(&s->capacity, "storage"));
	for (uint32_t i = 0; i < s->capacity.n; i++) {
		char child[300];

		snprintf(child, sizeof(child), "capacity[%.253s]", s->capacity.v[i].k);
		if (!streq(s->capacity.v[i].k, "storage"))
			check_fail_at(c, child, "only storage is possible");
	}
	check_source(c, s);
	if (s->local && !s->node_affinity)
		check_fail_at(c, "nodeAffinity", "missing; a local volume needs it");
	if (s->host_path && s->persistent_volume_reclaim_policy == PV_RECYCLE &&
	    streq(s->host_path->path, "/"))
		check_fail_at(c, "persistentVolumeReclaimPolicy",
			      "Recycle is not possible with the hostPath /");
}

void check_topology_requirement(struct check *c, const void *obj)
{
	if (!((const struct topology_selector_label_requirement *)obj)->values.n)
		check_fail_at(c, "values", "must have at least one value");
}

/* The label key rule after lower-casing. */
void check_provisioner(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;
	char lower[320];

	if (strlen(name) >= sizeof(lower)) {
		check_fail(c, "must be at most 317 characters");
		return;
	}
	for (size_t i = 0; i <= strlen(name); i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	check_name(c, "", NAME_QUALIFIED, lower);
}

void check_parameter(struct check *c, const void *value)
{
	if (!*((const struct strpair *)value)->k)
		check_fail(c, "the key must not be empty");
}

void check_storage_class(struct check *c, const void *obj)
{
	const struct storage_class *s = obj;
	size_t n = 0;

	for (uint32_t i = 0; i < s->parameters.n; i++)
		n += strlen(s->parameters.v[i].k) + strlen(s->parameters.v[i].v);
	if (s->parameters.n > PARAMETERS_MAX)
		check_fail_at(c, "parameters", "%u of them; at most %d are possible",
			      s->parameters.n, PARAMETERS_MAX);
	else if (n > PARAMETERS_SIZE_MAX)
		check_fail_at(c, "parameters", "%zu bytes in all; at most %d are possible", n,
			      PARAMETERS_SIZE_MAX);
}
