/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the tables share: a column names its cell and the function that prints it; one
 * array of columns per kind, ended by one without a name.
 */
#pragma once

#include "daemon/table.h"

struct cell {
	struct arena arena;
	int64_t now;
	struct json *j;
};

struct column {
	const char *name, *type;
	int priority;		/* 1: -o wide only */
	const char *doc;
	void (*print)(struct cell *c, const struct object *o);
};

void cell_name(struct cell *c, const struct object *o);
void cell_age(struct cell *c, const struct object *o);
void cell_none(struct cell *c, const struct object *o);
void cell_put_age(struct cell *c, int64_t since);
void cell_put_labels(struct cell *c, const struct strmap *m);
void cell_put_selector(struct cell *c, const struct label_selector *s);

/* table_workloads.c */
extern const struct column pod_columns[], replicaset_columns[], deployment_columns[];
/* table_services.c */
extern const struct column service_columns[], endpoints_columns[], endpointslice_columns[];
