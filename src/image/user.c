/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users; see user.h. Both files are lines of fields between colons; a line that has too few is not
 * looked at, as libc does. As in other runtimes a name comes before a number: a user may be called
 * "1000".
 */
#include "image/user.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/macro.h"

#define FIELDS 7
#define GROUPS_MAX 32

struct line { const char *field[FIELDS]; size_t len[FIELDS]; unsigned n; };

/* The next line of *p; false at the end. */
static bool next_line(const char **p, struct line *l)
{
	if (!**p)
		return false;
	l->n = 0;
	for (bool more = true; more;) {
		size_t n = strcspn(*p, l->n < FIELDS - 1 ? ":\n" : "\n");

		l->field[l->n] = *p;
		l->len[l->n++] = n;
		*p += n;
		more = **p == ':';
		*p += **p != '\0';
	}
	return true;
}

static bool is(const struct line *l, unsigned i, const char *s, size_t n)
{
	return i < l->n && l->len[i] == n && memcmp(l->field[i], s, n) == 0;
}

static bool number_of(const char *s, size_t n, uint32_t *ret)
{
	uint64_t v = 0;

	if (n == 0 || n > 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*ret = (uint32_t)v;
	return v < UINT32_MAX;
}

static bool field_number(const struct line *l, unsigned i, uint32_t *ret)
{
	return i < l->n && number_of(l->field[i], l->len[i], ret);
}

struct who {
	uint32_t uid, gid;
	const char *name;	/* NULL: passwd does not know it */
	size_t nname;
};

/* By name, else by number. */
static bool find_user(const char *passwd, const char *s, size_t n, struct who *ret)
{
	bool numeric = number_of(s, n, &ret->uid);
	struct who by_number = { .uid = ret->uid };
	struct line l;
	uint32_t uid, gid;

	while (next_line(&passwd, &l)) {
		if (!field_number(&l, 2, &uid) || !field_number(&l, 3, &gid))
			continue;
		if (is(&l, 0, s, n)) {
			*ret = (struct who){ uid, gid, l.field[0], l.len[0] };
			return true;
		}
		if (numeric && uid == by_number.uid && !by_number.name)
			by_number = (struct who){ uid, gid, l.field[0], l.len[0] };
	}
	*ret = by_number;
	return numeric;
}

static bool find_group(const char *group, const char *s, size_t n, uint32_t *ret)
{
	struct line l;

	while (next_line(&group, &l))
		if (is(&l, 0, s, n) && field_number(&l, 2, ret))
			return true;
	return number_of(s, n, ret);
}

/* Is the name among those between commas? */
static bool lists(const struct line *l, const struct who *w)
{
	const char *p = l->n > 3 ? l->field[3] : "", *end = l->n > 3 ? p + l->len[3] : p;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t n = (size_t)((comma ? comma : end) - p);

		if (n == w->nname && memcmp(p, w->name, n) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

static void add_groups(const char *group, const struct who *w, struct buf *out)
{
	struct line l;
	uint32_t gid;
	int n = 0;

	while (w->name && n < GROUPS_MAX && next_line(&group, &l)) {
		if (lists(&l, w) && field_number(&l, 2, &gid) && gid != w->gid) {
			buf_printf(out, ",%u", gid);
			n++;
		}
	}
}

int user_resolve(const char *user, const char *passwd, const char *group, char *ret, size_t n,
		 struct err *err)
{
	size_t len = strcspn(user, ":");
	BUF_AUTO ids = { 0 };
	struct who w = { 0 };

	ret[0] = '\0';
	if (!*user)
		return 0;
	if (len && !find_user(passwd, user, len, &w))
		return err_set(err, -ENOENT, "the image's user \"%.100s\" is not in its /etc/passwd",
			       user);
	if (!len)
		find_user(passwd, "0", 1, &w);
	bool given = user[len] == ':' && user[len + 1];
	if (given && !find_group(group, user + len + 1, strlen(user + len + 1), &w.gid))
		return err_set(err, -ENOENT, "the group of the image's user \"%.100s\" is not in its "
			       "/etc/group", user);
	buf_printf(&ids, "%u:%u", w.uid, w.gid);
	if (!given)
		add_groups(group, &w, &ids);
	if (ids.len >= n)
		return err_set(err, -EFBIG, "the image's user \"%.100s\" is in too many groups", user);
	snprintf(ret, n, "%s", ids.data);
	return 0;
}
