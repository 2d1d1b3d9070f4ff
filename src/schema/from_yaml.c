/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trees as JSON, typed as Kubernetes' reader types them. Where a value stands is known only by
 * the way back up: it costs nothing until something is wrong.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/scalar.h"
#include "schema/walk.h"

/* The values around one: element i of node, which is itself element up->i of up->node. */
struct step {
	const struct step *up;
	const struct ynode *node;
	uint32_t i;
};

struct write {
	struct json *j;
	struct buf *path;
	struct err *err;
};

static int write_value(struct write *w, const struct ynode *n, const struct step *up);

static void put_path(struct buf *path, const struct step *s)
{
	if (!s)
		return;
	put_path(path, s->up);
	if (s->node->kind == Y_MAP)
		path_key(path, s->node->keys[s->i]->text);
	else
		path_index(path, s->i);
}

static int fail(struct write *w, const struct ynode *n, const struct step *up, const char *fmt)
{
	put_path(w->path, up);
	err_set(w->err, -EINVAL, fmt, n->text);
	return err_at(w->err, "", n->line, n->col);
}

/* The fewest digits that give the number back. */
static void write_float(struct json *j, double f)
{
	char text[32];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, f);
		if (strtod(text, NULL) == f)
			break;
	}
	json_raw(j, text);
}

static int write_scalar(struct write *w, const struct ynode *n, const struct step *up)
{
	struct scalar s = scalar_resolve(n);

	switch (s.type) {
	case SCALAR_STR:
		json_strn(w->j, n->text, n->len);
		return 0;
	case SCALAR_NULL:
		json_put_null(w->j);
		return 0;
	case SCALAR_BOOL:
		json_bool(w->j, s.b);
		return 0;
	case SCALAR_INT:
		json_int(w->j, s.i);
		return 0;
	case SCALAR_FLOAT:
		break;
	}
	if (!isfinite(s.f))
		return fail(w, n, up, "expected a value that JSON knows, not the number %.60s");
	write_float(w->j, s.f);
	return 0;
}

static int write_map(struct write *w, const struct ynode *n, const struct step *up)
{
	int r = 0;

	json_begin_object(w->j);
	for (uint32_t i = 0; i < n->n && r == 0; i++) {
		struct step here = { up, n, i };
		if (!scalar_is_key(n->keys[i]))
			return fail(w, n->keys[i], &here, SCALAR_NO_KEY);
		json_key(w->j, n->keys[i]->text);
		r = write_value(w, n->values[i], &here);
	}
	json_end_object(w->j);
	return r;
}

static int write_list(struct write *w, const struct ynode *n, const struct step *up)
{
	int r = 0;

	json_begin_array(w->j);
	for (uint32_t i = 0; i < n->n && r == 0; i++)
		r = write_value(w, n->values[i], &(struct step){ up, n, i });
	json_end_array(w->j);
	return r;
}

static int write_value(struct write *w, const struct ynode *n, const struct step *up)
{
	static int (*const by_kind[])(struct write *, const struct ynode *, const struct step *) = {
		[Y_SCALAR] = write_scalar, [Y_MAP] = write_map, [Y_SEQ] = write_list,
	};
	return by_kind[n->kind](w, n, up);
}

int ynode_json(const struct ynode *n, struct json *j, struct buf *path, struct err *err)
{
	struct write w = { j, path, err };

	return write_value(&w, n, NULL);
}
