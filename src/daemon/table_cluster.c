/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of nodes, classes, limits and storage. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "daemon/table_cells.h"
#include "schema/schema.h"

/* Nodes */

#define ROLE "node-role.kubernetes.io/"

static void node_word(struct cell *c, const struct object *o)
{
	const struct node_object *n = o->body;
	const char *word = "Unknown";

	for (uint32_t i = 0; i < n->status.conditions.n; i++) {
		const struct condition *k = &n->status.conditions.v[i];

		if (streq(k->type, "Ready"))
			word = k->status && streq(k->status, "True") ? "Ready" : "NotReady";
	}
	json_str(c->j, n->spec.unschedulable ?
			       arena_printf(&c->arena, "%s,SchedulingDisabled", word) : word);
}

static void node_roles(struct cell *c, const struct object *o)
{
	const struct strmap *m = &o->meta->labels;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < m->n; i++) {
		if (strncmp(m->v[i].k, ROLE, sizeof(ROLE) - 1) == 0)
			buf_printf(&b, "%s%s", b.len ? "," : "", m->v[i].k + sizeof(ROLE) - 1);
	}
	json_str(c->j, b.len ? buf_str(&b) : "<none>");
}

const struct column node_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Status", "string", 0, "State in one word", .print = node_word },
	{ "Roles", "string", 0, "Roles, by its labels", .print = node_roles },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Version", "string", 0, "Version of its agent", .path = "status.nodeInfo.kubeletVersion" },
	{ 0 },
};

/* Classes and accounts */

const struct column priorityclass_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Value", "integer", 0, "Priority", .path = "value" },
	{ "Global-Default", "string", 0, "Whether pods without a class have it",
	  .path = "globalDefault" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "PreemptionPolicy", "string", 0, "Whether its pods displace others",
	  .path = "preemptionPolicy" },
	{ 0 },
};

const struct column runtimeclass_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Handler", "string", 0, "Runtime", .path = "handler" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void sa_secrets(struct cell *c, const struct object *o)
{
	json_int(c->j, ((const struct service_account *)o->body)->secrets.n);
}

const struct column serviceaccount_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Secrets", "integer", 0, "Number of secrets", .print = sa_secrets },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

/* Limits */

static void created_at(struct cell *c, const struct object *o)
{
	char text[32];

	time_format(o->meta->creation_timestamp, text);
	json_str(c->j, text);
}

const struct column limitrange_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Created At", "string", 0, "Time of creation", .print = created_at },
	{ 0 },
};

/* "cpu: 0/4, pods: 3/10", of limits or of everything else. */
static void put_quota(struct cell *c, const struct object *o, bool limits)
{
	const struct resource_quota *q = o->body;
	const struct qtymap *hard = q->status.hard.n ? &q->status.hard : &q->spec.hard;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < hard->n; i++) {
		const struct quantity *used = qtymap_get(&q->status.used, hard->v[i].k);

		if ((strncmp(hard->v[i].k, "limits.", 7) == 0) == limits)
			buf_printf(&b, "%s%s: %s/%s", b.len ? ", " : "", hard->v[i].k,
				   used ? used->text : "0", hard->v[i].v.text);
	}
	json_str(c->j, buf_str(&b));
}

static void quota_request(struct cell *c, const struct object *o)
{
	put_quota(c, o, false);
}

static void quota_limit(struct cell *c, const struct object *o)
{
	put_quota(c, o, true);
}

const struct column resourcequota_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Request", "string", 0, "Used of what is allowed", .print = quota_request },
	{ "Limit", "string", 0, "Used of what is allowed, of limits", .print = quota_limit },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

/* Storage */

#define DEFAULT_CLASS "storageclass.kubernetes.io/is-default-class"

static void class_name(struct cell *c, const struct object *o)
{
	const char *is_default = strmap_get(&o->meta->annotations, DEFAULT_CLASS);
	bool shown = is_default && streq(is_default, "true");

	json_str(c->j, arena_printf(&c->arena, "%s%s", o->meta->name, shown ? " (default)" : ""));
}

const struct column storageclass_columns[] = {
	{ "Name", "string", 0, "Name", .print = class_name },
	{ "Provisioner", "string", 0, "What makes its volumes", .path = "provisioner" },
	{ "ReclaimPolicy", "string", 0, "What becomes of a volume", .path = "reclaimPolicy",
	  .absent = "Delete" },
	{ "VolumeBindingMode", "string", 0, "When a volume is made", .path = "volumeBindingMode",
	  .absent = "Immediate" },
	{ "AllowVolumeExpansion", "string", 0, "Whether claims may grow",
	  .path = "allowVolumeExpansion" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void put_modes(struct cell *c, const struct strs *modes)
{
	static const struct { const char *word, *text; } table[] = {
		{ "ReadWriteOnce", "RWO" }, { "ReadOnlyMany", "ROX" }, { "ReadWriteMany", "RWX" },
		{ "ReadWriteOncePod", "RWOP" },
	};
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		for (uint32_t k = 0; k < modes->n; k++) {
			if (streq(modes->v[k], table[i].word))
				buf_printf(&b, "%s%s", b.len ? "," : "", table[i].text);
		}
	}
	json_str(c->j, buf_str(&b));
}

static void put_storage(struct cell *c, const struct qtymap *m)
{
	const struct quantity *q = qtymap_get(m, "storage");

	json_str(c->j, q ? q->text : "");
}

static void pv_capacity(struct cell *c, const struct object *o)
{
	put_storage(c, &((const struct pv *)o->body)->spec.capacity);
}

static void pv_modes(struct cell *c, const struct object *o)
{
	put_modes(c, &((const struct pv *)o->body)->spec.access_modes);
}

static void pv_claim(struct cell *c, const struct object *o)
{
	const char *name = cell_text(c, o, "spec.claimRef.name", NULL);

	json_str(c->j, name ? arena_printf(&c->arena, "%s/%s",
					   cell_text(c, o, "spec.claimRef.namespace", ""), name) : "");
}

const struct column pv_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Capacity", "string", 0, "Size", .print = pv_capacity },
	{ "Access Modes", "string", 0, "How it may be mounted", .print = pv_modes },
	{ "Reclaim Policy", "string", 0, "What becomes of it",
	  .path = "spec.persistentVolumeReclaimPolicy", .absent = "Retain" },
	{ "Status", "string", 0, "Phase", .path = "status.phase", .absent = "Pending" },
	{ "Claim", "string", 0, "Whose it is", .print = pv_claim },
	{ "StorageClass", "string", 0, "Class", .path = "spec.storageClassName" },
	{ "VolumeAttributesClass", "string", 0, "Class of attributes",
	  .path = "spec.volumeAttributesClassName", .absent = "<unset>" },
	{ "Reason", "string", 0, "Why it is so", .path = "status.reason" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "VolumeMode", "string", 1, "File system or block device", .path = "spec.volumeMode",
	  .absent = "Filesystem" },
	{ 0 },
};

static void pvc_capacity(struct cell *c, const struct object *o)
{
	put_storage(c, &((const struct pvc *)o->body)->status.capacity);
}

static void pvc_modes(struct cell *c, const struct object *o)
{
	put_modes(c, &((const struct pvc *)o->body)->status.access_modes);
}

const struct column pvc_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Status", "string", 0, "Phase", .path = "status.phase", .absent = "Pending" },
	{ "Volume", "string", 0, "The volume it has", .path = "spec.volumeName" },
	{ "Capacity", "string", 0, "Size", .print = pvc_capacity },
	{ "Access Modes", "string", 0, "How it may be mounted", .print = pvc_modes },
	{ "StorageClass", "string", 0, "Class", .path = "spec.storageClassName" },
	{ "VolumeAttributesClass", "string", 0, "Class of attributes",
	  .path = "spec.volumeAttributesClassName", .absent = "<unset>" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "VolumeMode", "string", 1, "File system or block device", .path = "spec.volumeMode",
	  .absent = "Filesystem" },
	{ 0 },
};
