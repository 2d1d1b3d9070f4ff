/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pax records; see tar_pax.h. A key is one row: its name and what it does with its value. Values
 * stay where they are in a copy of the header, whose newline after each becomes its NUL.
 */
#include "image/tar_pax.h"

#include "base/macro.h"

#define XATTR_PREFIX "SCHILY.xattr."
#define XATTRS_MAX 256

static int broken(struct err *err, const char *what)
{
	return err_set(err, -EBADMSG, "the tar archive is broken: %s", what);
}

/* ---- pieces of sparse files: room is the next power of two ---- */

int tar_pieces_add(struct tar_pieces *p, uint64_t offset, uint64_t n, struct err *err)
{
	if (p->n == TAR_SPARSE_MAX)
		return err_set(err, -EFBIG, "the tar archive has a file of more than %d pieces",
			       TAR_SPARSE_MAX);
	if ((p->n & (p->n - 1)) == 0) {
		p->v = reallocarray(p->v, p->n ? p->n * 2 : 1, sizeof(*p->v));
		if (!p->v)
			abort();
	}
	p->v[p->n++] = (struct tar_piece){ offset, n };
	return 0;
}

void tar_pieces_release(struct tar_pieces *p)
{
	free(p->v);
	*p = (struct tar_pieces){ 0 };
}

void tar_pieces_reset(struct tar_pieces *p)
{
	if (p->n)
		tar_pieces_release(p);
}

void tar_pieces_move(struct tar_pieces *to, struct tar_pieces *from)
{
	tar_pieces_release(to);
	*to = *from;
	*from = (struct tar_pieces){ 0 };
}

bool tar_pieces_check(const struct tar_pieces *p, uint64_t size, uint64_t data)
{
	uint64_t end = 0, sum = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct tar_piece *v = &p->v[i];

		if (v->offset < end || v->offset > size || v->n > size - v->offset)
			return false;
		end = v->offset + v->n;
		sum += v->n;
	}
	return sum == data;
}

/* ---- values ---- */

static int decimal(const char *s, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (n == 0 || n > 19)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EBADMSG;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v > max)
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int set_name(const char **ret, const char *v, size_t n)
{
	if (n > TAR_PATH_MAX || memchr(v, '\0', n))
		return -EBADMSG;
	*ret = n ? v : NULL;
	return 0;
}

static int on_path(struct pax *p, const char *v, size_t n) { return set_name(&p->path, v, n); }
static int on_link(struct pax *p, const char *v, size_t n) { return set_name(&p->link, v, n); }

/* An empty value takes an earlier one away: then the field of the entry counts again. */
static int set_number(bool *has, uint64_t *ret, const char *v, size_t n, uint64_t max)
{
	*has = n;
	return n ? decimal(v, n, max, ret) : 0;
}

static int on_uid(struct pax *p, const char *v, size_t n)
{
	return set_number(&p->has_uid, &p->uid, v, n, UINT32_MAX - 1);
}

static int on_gid(struct pax *p, const char *v, size_t n)
{
	return set_number(&p->has_gid, &p->gid, v, n, UINT32_MAX - 1);
}

static int on_size(struct pax *p, const char *v, size_t n)
{
	return set_number(&p->has_size, &p->size, v, n, INT64_MAX);
}

/* Digits behind the point, to nanoseconds. */
static int fraction(const char *s, size_t n, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < MAX(n, (size_t)9); i++) {
		if (i < n && (s[i] < '0' || s[i] > '9'))
			return -EBADMSG;
		if (i < 9)
			v = v * 10 + (uint32_t)(i < n ? s[i] - '0' : 0);
	}
	*ret = v;
	return 0;
}

/* "-1.5" is half a second before "-1": seconds are rounded down, nanoseconds always count up. */
static int on_mtime(struct pax *p, const char *v, size_t n)
{
	bool minus = n && v[0] == '-';
	const char *point = memchr(v, '.', n);
	size_t whole = (point ? (size_t)(point - v) : n) - minus;
	uint64_t s = 0;
	uint32_t ns = 0;

	p->has_mtime = n;
	if (n == 0)
		return 0;
	if (decimal(v + minus, whole, INT64_MAX, &s) < 0 ||
	    (point && fraction(point + 1, n - (size_t)(point + 1 - v), &ns) < 0))
		return -EBADMSG;
	p->mtime = minus ? -(int64_t)s - (ns != 0) : (int64_t)s;
	p->mtime_ns = minus && ns ? 1000000000 - ns : ns;
	return 0;
}

static int on_sparse_name(struct pax *p, const char *v, size_t n)
{
	return set_name(&p->sparse_name, v, n);
}

static int on_sparse_size(struct pax *p, const char *v, size_t n)
{
	p->sparse = true;
	return decimal(v, n, INT64_MAX, &p->real_size);
}

static int on_sparse_major(struct pax *p, const char *v, size_t n)
{
	p->map_in_data = n == 1 && *v == '1';
	return n == 1 && (*v == '0' || *v == '1') ? 0 : -EBADMSG;
}

static int on_sparse_minor(struct pax *p, const char *v, size_t n)
{
	(void)p;
	return n == 1 && (*v == '0' || *v == '1') ? 0 : -EBADMSG;
}

static int on_sparse_offset(struct pax *p, const char *v, size_t n)
{
	return decimal(v, n, INT64_MAX, &p->piece_offset);
}

static int on_sparse_bytes(struct pax *p, const char *v, size_t n)
{
	uint64_t bytes;
	int r = decimal(v, n, INT64_MAX, &bytes);

	return r < 0 ? r : tar_pieces_add(&p->pieces, p->piece_offset, bytes, NULL);
}

/* "OFFSET,BYTES,OFFSET,BYTES..." */
static int on_sparse_map(struct pax *p, const char *v, size_t n)
{
	const char *end = v + n;
	uint64_t number[2];

	tar_pieces_reset(&p->pieces);
	for (int i = 0; v < end; i++) {
		const char *comma = memchr(v, ',', (size_t)(end - v));
		size_t len = (size_t)((comma ? comma : end) - v);

		if (decimal(v, len, INT64_MAX, &number[i & 1]) < 0)
			return -EBADMSG;
		if ((i & 1) && tar_pieces_add(&p->pieces, number[0], number[1], NULL) < 0)
			return -EFBIG;
		v += len + 1;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct pax *p, const char *v, size_t n);
} keys[] = {
	{ "path", on_path },
	{ "linkpath", on_link },
	{ "uid", on_uid },
	{ "gid", on_gid },
	{ "size", on_size },
	{ "mtime", on_mtime },
	{ "GNU.sparse.name", on_sparse_name },
	{ "GNU.sparse.size", on_sparse_size },		/* 0.0, 0.1 */
	{ "GNU.sparse.realsize", on_sparse_size },	/* 1.0 */
	{ "GNU.sparse.major", on_sparse_major },
	{ "GNU.sparse.minor", on_sparse_minor },
	{ "GNU.sparse.offset", on_sparse_offset },
	{ "GNU.sparse.numbytes", on_sparse_bytes },
	{ "GNU.sparse.map", on_sparse_map },
};

/* ---- extended attributes ---- */

static struct tar_xattr *xattr_find(struct pax *p, const char *name)
{
	for (size_t i = 0; i < p->nxattrs; i++)
		if (streq(p->xattrs[i].name, name))
			return &p->xattrs[i];
	return NULL;
}

static int add_xattr(struct pax *p, const char *name, const char *v, size_t n)
{
	struct tar_xattr *x = xattr_find(p, name);

	if (!*name || strlen(name) > 255 || n > TAR_XATTR_MAX)
		return -EBADMSG;
	if (!x) {
		if (p->nxattrs == XATTRS_MAX)
			return -EFBIG;
		if (!p->xattrs)
			p->xattrs = calloc(XATTRS_MAX, sizeof(*p->xattrs));
		if (!p->xattrs)
			abort();
		x = &p->xattrs[p->nxattrs++];
	}
	*x = (struct tar_xattr){ name, v, n };
	return 0;
}

/* ---- records ---- */

static int set_key(struct pax *p, const char *key, const char *v, size_t n)
{
	const size_t prefix = sizeof(XATTR_PREFIX) - 1;

	if (strncmp(key, XATTR_PREFIX, prefix) == 0)
		return add_xattr(p, key + prefix, v, n);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (streq(key, keys[i].key))
			return keys[i].set(p, v, n);
	return 0;	/* comments, names of users, times that are not kept */
}

/* One record at text; its length, or -EBADMSG. */
static int record(struct pax *p, char *text, size_t n, size_t *ret)
{
	char *space = memchr(text, ' ', MIN(n, (size_t)20));
	uint64_t length;

	if (!space || decimal(text, (size_t)(space - text), n, &length) < 0)
		return -EBADMSG;
	char *key = space + 1, *end = text + length - 1;
	char *equals = key < end ? memchr(key, '=', (size_t)(end - key)) : NULL;
	if (!equals || *end != '\n' || memchr(key, '\0', (size_t)(equals - key)))
		return -EBADMSG;
	*equals = *end = '\0';
	*ret = length;
	return set_key(p, key, equals + 1, (size_t)(end - equals - 1));
}

/* A copy that lives as long as what is said of the entry. */
static char *keep(struct pax *p, const char *text, size_t n, struct err *err)
{
	if (p->ntexts == ARRAY_SIZE(p->texts) || n > TAR_HEADER_MAX - p->bytes) {
		err_set(err, -EFBIG, "the tar archive has too many headers for one entry");
		return NULL;
	}
	char *copy = malloc(n + 1);
	if (!copy)
		abort();
	memcpy(copy, text, n);
	copy[n] = '\0';
	p->texts[p->ntexts++] = copy;
	p->bytes += n;
	return copy;
}

int pax_add(struct pax *p, const char *text, size_t n, struct err *err)
{
	char *at = keep(p, text, n, err);

	if (!at)
		return -EFBIG;
	while (n) {
		size_t length = 0;
		int r = record(p, at, n, &length);

		if (r == -EFBIG)
			return err_set(err, r, "the tar archive says too much about one entry");
		if (r < 0)
			return broken(err, "a pax header");
		at += length;
		n -= length;
	}
	return 0;
}

int pax_set_name(struct pax *p, const char **set, const char *name, size_t n, struct err *err)
{
	if (n == 0 || n > TAR_PATH_MAX)
		return broken(err, "a long name");
	*set = keep(p, name, n, err);
	return *set ? 0 : -EFBIG;
}

void pax_release(struct pax *p)
{
	for (size_t i = 0; i < p->ntexts; i++)
		free(p->texts[i]);
	free(p->xattrs);
	tar_pieces_release(&p->pieces);
	*p = (struct pax){ 0 };
}

void pax_reset(struct pax *p)
{
	pax_release(p);
}
