/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server-side tables (meta.k8s.io/v1 Table): the columns that kubectl shows for a kind, and the
 * cells of an object. https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
#pragma once

#include "base/json.h"
#include "model/object.h"

/* "columnDefinitions": [...] into the open object. */
void table_columns(struct json *j, enum kind_id kind);
/* One row as a value; full: the whole object in it instead of its metadata only. */
void table_row(struct json *j, const struct object *o, bool full, int64_t now);
