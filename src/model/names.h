/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kubernetes' rules for names, keys and paths, as predicates with the words that say what was
 * expected. Lengths are in bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum name_rule {
	NAME_LABEL,		/* RFC 1123 label */
	NAME_SUBDOMAIN,		/* RFC 1123 subdomain */
	NAME_LABEL_1035,	/* RFC 1035 label: Services */
	NAME_QUALIFIED,		/* [prefix/]name: label and annotation keys */
	NAME_LABEL_VALUE,
	NAME_CONFIG_KEY,	/* key of a ConfigMap or Secret */
	NAME_ENV,
	NAME_PORT,		/* IANA service name */
	NAME_HTTP_HEADER,
	NAME_PERCENT,
	NAME_RULES
};

bool name_ok(enum name_rule rule, const char *s);
/* "must be at most 63 characters", "must consist of ...", NULL when it is fine. */
const char *name_problem(enum name_rule rule, const char *s);

/* Has this path a component ".."? */
bool path_has_dotdot(const char *path);
