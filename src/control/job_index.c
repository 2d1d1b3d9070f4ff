/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges instead of bits: a Job may have billions of indexes, and few gaps. */
#include "control/job_index.h"

#include "base/buf.h"
#include "base/macro.h"

void indexes_parse(struct arena *a, const char *text, struct indexes *ret)
{
	const char *s = text ? text : "";

	*ret = (struct indexes){ 0 };
	while (*s >= '0' && *s <= '9') {
		char *end;
		struct index_range r = { .from = strtoll(s, &end, 10) };

		r.to = *end == '-' ? strtoll(end + 1, &end, 10) : r.from;
		if (ret->n && ret->v[ret->n - 1].to + 1 == r.from)
			ret->v[ret->n - 1].to = r.to;
		else
			*arena_push(a, ret) = r;
		s = *end == ',' ? end + 1 : end;
	}
}

const char *indexes_text(struct arena *a, const struct indexes *s)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < s->n; i++) {
		const struct index_range *r = &s->v[i];

		buf_printf(&b, "%s%lld", i ? "," : "", (long long)r->from);
		if (r->to > r->from)	/* a hyphen for three and more */
			buf_printf(&b, "%c%lld", r->to > r->from + 1 ? '-' : ',', (long long)r->to);
	}
	return b.len ? arena_strdup(a, buf_str(&b)) : NULL;
}

const struct index_range *indexes_find(const struct indexes *s, int64_t i)
{
	for (uint32_t k = 0; k < s->n; k++)
		if (i >= s->v[k].from && i <= s->v[k].to)
			return &s->v[k];
	return NULL;
}

void indexes_add(struct arena *a, struct indexes *s, int64_t i)
{
	uint32_t at = 0;

	if (indexes_find(s, i))
		return;
	while (at < s->n && s->v[at].from < i)
		at++;
	bool after = at && s->v[at - 1].to + 1 == i, before = at < s->n && s->v[at].from == i + 1;
	if (after && before) {
		s->v[at - 1].to = s->v[at].to;
		memmove(s->v + at, s->v + at + 1, (s->n - at - 1) * sizeof(*s->v));
		s->n--;
	} else if (after) {
		s->v[at - 1].to = i;
	} else if (before) {
		s->v[at].from = i;
	} else {
		arena_push(a, s);
		memmove(s->v + at + 1, s->v + at, (s->n - at - 1) * sizeof(*s->v));
		s->v[at] = (struct index_range){ i, i };
	}
}

static int64_t overlap(struct index_range x, struct index_range y)
{
	int64_t from = MAX(x.from, y.from), to = MIN(x.to, y.to);

	return to < from ? 0 : to - from + 1;
}

int64_t indexes_count(const struct indexes *s, const struct indexes *among, int64_t limit)
{
	struct index_range all = { 0, limit - 1 };
	int64_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		struct index_range r = s->v[i];

		r.to = MIN(r.to, all.to);
		if (!among)
			n += overlap(r, all);
		for (uint32_t k = 0; among && k < among->n; k++)
			n += overlap(r, among->v[k]);
	}
	return n;
}
