/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scalar means: the YAML 1.1 types as Kubernetes' reader resolves them. Quoted scalars are
 * strings. Base 60 numbers and timestamps are strings, too; 0644 and 0o644 are octal; an integer
 * beyond 64 bits is a float.
 */
#pragma once

#include "schema/yaml.h"

enum scalar_type { SCALAR_STR, SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT };

struct scalar {
	enum scalar_type type;
	bool b;
	int64_t i;
	double f;
};

struct scalar scalar_resolve(const struct ynode *n);	/* n is a Y_SCALAR */
struct scalar scalar_resolve_text(const char *text);	/* as if it stood there without quotes */
/* 0999: neither octal nor, to most readers, decimal. */
bool scalar_bad_octal(const char *text);
/* An integer whose text is its decimal form. */
bool scalar_plain_decimal(const char *text);

/*
 * Kubernetes reads the key yes as "true" and 1.10 as "1.1". A key of another type than string is
 * taken only when it is a plain decimal, so that nobody finds another key than the one written.
 */
bool scalar_is_key(const struct ynode *key);
#define SCALAR_NO_KEY "a key that YAML takes for another type than string; quote it: \"%.60s\""
