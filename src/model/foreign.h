/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds that are not ours: which are known and passed over, which are mistakes. */
#pragma once

#include "model/object.h"

/*
 * What apiVersion and kind of a document mean. 0 with *ret_kind (and a warning when it is only kept), or
 * with NULL and a warning (a kind that is not acted on), or -EINVAL with an error that says what was expected.
 */
int kind_of_document(const char *file, const struct ynode *doc, const struct kind **ret_kind,
		     struct msgs *m);

/* "Pod" of "PodList" and so on, when Kubernetes has such a list; else NULL. */
const char *kind_of_list(struct arena *a, const char *api, const char *list);
