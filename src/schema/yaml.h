/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML (and JSON, which libyaml reads as flow style) to a tree with positions, as Kubernetes
 * reads it: scalars keep their text and style, typing happens in the decoder, which knows what a
 * field wants. Depth, size and alias expansion are bounded; duplicate keys are refused with both
 * positions; merge keys are applied.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/msgs.h"

enum ynode_kind { Y_SCALAR, Y_MAP, Y_SEQ };

struct ynode {
	enum ynode_kind kind;
	bool plain;		/* scalar without quotes: may be null, bool or number */
	uint32_t line, col;	/* 1-based */
	const char *text;	/* scalar */
	uint32_t len;
	uint32_t n;		/* entries */
	struct ynode **keys;	/* map: scalars, in the order of the file */
	struct ynode **values;	/* map and sequence */
};

struct yaml_doc {
	struct ynode *root;	/* never NULL: empty documents are skipped */
	uint32_t start, end;	/* byte range in the text */
	uint32_t line;		/* of its first line */
};

struct yaml_docs { struct yaml_doc *v; uint32_t n; };

#define YAML_MAX_BYTES (4u << 20)
#define YAML_MAX_DEPTH 100
#define YAML_MAX_NODES 500000	/* aliases expanded; long scalars count several times */

/* Adds what is wrong to m (at most one syntax error: parsing stops there). 0 or -EINVAL. */
int yaml_parse(struct arena *a, const char *file, const char *text, size_t n,
	       struct yaml_docs *ret, struct msgs *m);
struct ynode *ynode_get(const struct ynode *map, const char *key);	/* NULL when absent */
bool ynode_is_null(const struct ynode *n);	/* absent, ~, null or empty plain */
/* YAML 1.1 as Kubernetes resolves it: true for plain yes/no/on/off/y/n/true/false. */
bool ynode_bool(const struct ynode *n, bool *ret);

/*
 * Writes what a reader without a schema makes of the tree, keys in the order of the file. 0, or
 * -EINVAL for what JSON does not know (infinity, keys that are no strings): the message and
 * position are in err, where it stands is added to path.
 */
int ynode_json(const struct ynode *n, struct json *j, struct buf *path, struct err *err);
