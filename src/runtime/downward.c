/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The downward API; see downward.h. */
#include "runtime/downward.h"

#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"

/* As Go's %q: quotes, backslashes and control characters are escaped, other text is as it is. */
static void quote(struct buf *out, const char *s)
{
	static const char letters[] = "abtnvfr";	/* of 7 to 13 */

	buf_putc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c >= 7 && c <= 13)
			buf_printf(out, "\\%c", letters[c - 7]);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

/* Sorted by key, as maps are. */
static const char *lines(struct arena *a, const struct strmap *m)
{
	BUF_AUTO out = { 0 };

	for (uint32_t i = 0; i < m->n; i++) {
		buf_printf(&out, "%s%s=", i ? "\n" : "", m->v[i].k);
		quote(&out, m->v[i].v);
	}
	return arena_strdup(a, buf_str(&out));
}

/* "metadata.labels['KEY']": the value, "" when there is no such key; NULL: another path. */
static const char *entry(struct arena *a, const struct strmap *m, const char *path,
			 const char *name)
{
	size_t n = strlen(name);

	if (strncmp(path, name, n) != 0)
		return NULL;
	if (!path[n])
		return lines(a, m);
	if (strncmp(path + n, "['", 2) != 0)
		return NULL;
	const char *key = path + n + 2;
	const char *value = strmap_get(m, arena_strndup(a, key, strcspn(key, "'")));
	return value ? value : "";
}

const char *downward_metadata(struct arena *a, const struct meta *m, const char *path)
{
	const struct {
		const char *path, *value;
	} plain[] = {
		{ "metadata.name", m->name },
		{ "metadata.namespace", m->namespace },
		{ "metadata.uid", m->uid },
	};
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (streq(path, plain[i].path))
			return plain[i].value ? plain[i].value : "";
	value = entry(a, &m->labels, path, "metadata.labels");
	return value ? value : entry(a, &m->annotations, path, "metadata.annotations");
}

static int64_t node_milli(struct node_size node, const char *name)
{
	const struct {
		const char *name;
		int64_t milli;
	} all[] = {
		{ "cpu", node.cpu_milli }, { "memory", node.memory * 1000 },
		{ "ephemeral-storage", node.disk * 1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (streq(all[i].name, name))
			return all[i].milli;
	return 0;
}

static int64_t resource_milli(const struct resource_requirements *r, struct node_size node,
			      bool limit, const char *name)
{
	const struct quantity *q = r && !limit ? qtymap_get(&r->requests, name) : NULL;

	if (r && !q)
		q = qtymap_get(&r->limits, name);
	int64_t milli = q ? q->milli : 0;
	return limit && !milli ? node_milli(node, name) : milli;
}

bool downward_resource(const struct container *c, const struct resource_field_selector *s,
		       struct node_size node, int64_t *ret)
{
	bool limit = strncmp(s->resource, "limits.", 7) == 0;
	int64_t divisor = s->divisor.milli > 0 ? s->divisor.milli : 1000;
	const char *dot = strchr(s->resource, '.');

	if (!c || !dot)
		return false;
	int64_t milli = resource_milli(c->resources, node, limit, dot + 1);
	*ret = milli / divisor + (milli % divisor > 0);
	return true;
}
