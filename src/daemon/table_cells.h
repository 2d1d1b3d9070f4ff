/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the tables share: a column names its cell and the function that prints it; one
 * array of columns per kind, ended by one without a name. What a column only copies from a field it
 * names by the field's path.
 */
#pragma once

#include "daemon/table.h"
#include "schema/type.h"

struct cell {
	struct arena arena;
	int64_t now;
	struct json *j;
};

struct column {
	const char *name, *type;
	int priority;		/* 1: -o wide only */
	const char *doc;
	void (*print)(struct cell *c, const struct object *o);	/* NULL: the field at path */
	const char *path;	/* "spec.provisioner" */
	const char *absent;	/* printed when the field is not set; NULL: "" */
};

/* The value at a path of mappings, NULL when something on the way is absent. */
const void *cell_find(const struct object *o, const char *path, const struct field **ret_field);
/* Text of a plain field, absent when it has no value. */
const char *cell_text(struct cell *c, const struct object *o, const char *path, const char *absent);
int64_t cell_number(const struct object *o, const char *path);	/* 0 when absent */

void cell_name(struct cell *c, const struct object *o);
void cell_age(struct cell *c, const struct object *o);
void cell_none(struct cell *c, const struct object *o);
void cell_selector(struct cell *c, const struct object *o);	/* spec.selector, of either shape */
/* Of the pod template, wherever the kind has it. */
void cell_containers(struct cell *c, const struct object *o);
void cell_images(struct cell *c, const struct object *o);
const struct pod_template *cell_template(const struct object *o);
void cell_ready(struct cell *c, const struct object *o);	/* "1/2": pods, of those wanted */
void cell_put_age(struct cell *c, int64_t since);
void cell_put_ratio(struct cell *c, int64_t part, int64_t all);
void cell_put_labels(struct cell *c, const struct strmap *m);
void cell_put_selector(struct cell *c, const struct label_selector *s);

/* table_workloads.c */
extern const struct column pod_columns[], replicaset_columns[], deployment_columns[];
/* table_services.c */
extern const struct column service_columns[], endpoints_columns[], endpointslice_columns[];
extern const struct column ingress_columns[], ingressclass_columns[], networkpolicy_columns[];
/* table_sets.c */
extern const struct column statefulset_columns[], daemonset_columns[];
extern const struct column podtemplate_columns[], controllerrevision_columns[];
extern const struct column job_columns[], cronjob_columns[], hpa_columns[], pdb_columns[];
/* table_cluster.c */
extern const struct column node_columns[], priorityclass_columns[], runtimeclass_columns[];
extern const struct column serviceaccount_columns[], limitrange_columns[], resourcequota_columns[];
extern const struct column pv_columns[], pvc_columns[], storageclass_columns[];
