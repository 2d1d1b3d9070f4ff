/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects by namespace and label, so that a selector looks at few of them. */
#pragma once

#include "model/set.h"

struct label_entry {
	const char *namespace, *key, *value;
	const struct object *object;
};
struct label_index { struct label_entry *v; uint32_t n; };

/* labels gives those of an object, NULL to leave it out. */
void label_index_make(struct arena *a, const struct object_list *of,
		      const struct strmap *(*labels)(const struct object *o),
		      struct label_index *ret);
/* The objects with that label, one entry each. */
struct label_index label_index_find(const struct label_index *x, const char *ns, const char *key,
				    const char *value);
/* Few objects, all that the selector matches among them: those with its rarest label. */
struct label_index label_index_select(const struct label_index *x, const char *ns,
				      const struct strmap *selector);
