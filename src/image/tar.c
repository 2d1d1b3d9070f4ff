/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading tar (tar(5), POSIX.1-2001 pax); see tar.h. An entry is a header block of 512 bytes,
 * preceded by any number of blocks that say more about it (tar_pax.c keeps what those said) and
 * followed by its data, padded to 512. A sparse file's data are its pieces without the holes;
 * pieces says where each belongs.
 */
#include "image/tar.h"

#include <endian.h>

#include "base/macro.h"
#include "image/tar_pax.h"

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	union {
		char prefix[155];
		struct {
			char times[41];
			struct { char offset[12], n[12]; } sparse[4];
			char extended;
			char real_size[12];
		} gnu;
	} u;
	char rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");
_Static_assert(offsetof(struct header, u.gnu.sparse) == 386, "GNU sparse map");

struct extension {		/* of a GNU sparse map */
	struct { char offset[12], n[12]; } sparse[21];
	char extended;
	char rest[7];
};
_Static_assert(sizeof(struct extension) == BLOCK, "an extension is one block");

struct tar {
	struct tar_source source;
	struct pax pax;
	struct buf text;		/* of headers that precede an entry */
	uint64_t left, padding;		/* of the data */
	uint64_t offset, size;		/* where the data goes, where the file ends */
	struct tar_pieces pieces;	/* none: all of the data is one */
	size_t piece;
	uint64_t piece_left;
	char path[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
};

struct tar *tar_new(struct tar_source source)
{
	struct tar *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->source = source;
	return t;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	pax_release(&t->pax);
	buf_release(&t->text);
	tar_pieces_release(&t->pieces);
	free(t);
}

/* ---- bytes ---- */

static int broken(struct err *err, const char *what)
{
	return err_set(err, -EBADMSG, "the tar archive is broken: %s", what);
}

/* All n bytes; 1 when the source ended before the first of them. */
static int read_exactly(struct tar *t, void *to, size_t n, struct err *err)
{
	char *p = to;

	while (n) {
		const unsigned char *data;
		size_t got;
		int r = t->source.read(t->source.data, n, &data, &got, err);

		if (r < 0)
			return r;
		if (got == 0)
			return p == to ? 1 : broken(err, "it ends in the middle of a block");
		memcpy(p, data, got);
		p += got;
		n -= got;
	}
	return 0;
}

/* The last entry's padding may be missing, as umoci leaves it: no byte of contents is. */
static int skip_padding(struct tar *t, uint64_t n, struct err *err)
{
	int r = 0;

	while (n && r == 0) {
		const unsigned char *data;
		size_t got = 0;

		r = t->source.read(t->source.data, n, &data, &got, err);
		if (got == 0)
			break;
		n -= got;
	}
	return r;
}

static int skip(struct tar *t, uint64_t n, struct err *err)
{
	while (n) {
		const unsigned char *data;
		size_t got;
		int r = t->source.read(t->source.data, MIN(n, (uint64_t)1 << 20), &data, &got, err);

		if (r < 0)
			return r;
		if (got == 0)
			return broken(err, "it ends in the middle of an entry");
		n -= got;
	}
	return 0;
}

int tar_drain(struct tar *t, struct err *err)
{
	const unsigned char *data;
	size_t got;
	int r;

	do
		r = t->source.read(t->source.data, 1 << 20, &data, &got, err);
	while (r == 0 && got);
	return r;
}

static uint64_t padding_of(uint64_t n)
{
	return (BLOCK - n % BLOCK) % BLOCK;
}

/* ---- numbers ---- */

/* GNU: the first byte has bit 7 set, the rest is a number of base 256 in two's complement. */
static int binary(const unsigned char *p, size_t n, int64_t *ret)
{
	int64_t v = p[0] & 0x40 ? -1 : 0;
	size_t i = 0;

	for (; i + 8 < n; i++) {
		unsigned char byte = i ? p[i] : (unsigned char)((p[i] & 0x7f) | (v ? 0x80 : 0));

		if (byte != (v ? 0xff : 0))
			return -EBADMSG;
	}
	if (i && (p[i] & 0x80) != (v ? 0x80 : 0))
		return -EBADMSG;
	for (; i < n; i++) {
		unsigned char byte = i ? p[i] : (unsigned char)((p[i] & 0x3f) | (v ? 0xc0 : 0));

		v = (int64_t)((uint64_t)v << 8 | byte);
	}
	*ret = v;
	return 0;
}

/* Octal digits, between spaces and NULs; nothing at all is 0. */
static int number(const char *field, size_t n, int64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((unsigned char)field[0] & 0x80)
		return binary((const unsigned char *)field, n, ret);
	while (i < n && (field[i] == ' ' || !field[i]))
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++) {
		if (v >> 60)
			return -EBADMSG;
		v = v << 3 | (uint64_t)(field[i] - '0');
	}
	while (i < n && (field[i] == ' ' || !field[i]))
		i++;
	if (i < n)
		return -EBADMSG;
	*ret = (int64_t)v;
	return 0;
}

static int ranged(const char *field, size_t n, uint64_t max, uint64_t *ret)
{
	int64_t v;
	int r = number(field, n, &v);

	if (r < 0 || v < 0 || (uint64_t)v > max)
		return -EBADMSG;
	*ret = (uint64_t)v;
	return 0;
}

static bool checksum_right(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;
	int signed_sum = 0;
	int64_t given;

	for (size_t i = 0; i < BLOCK; i++) {
		bool blank = i >= offsetof(struct header, checksum) &&
			     i < offsetof(struct header, type);

		sum += blank ? ' ' : p[i];
		signed_sum += blank ? ' ' : (signed char)p[i];
	}
	/* some old programs summed up signed characters */
	return number(h->checksum, sizeof(h->checksum), &given) == 0 &&
	       (given == sum || given == signed_sum);
}

/* ---- headers that say more about the next entry ---- */

static int read_text(struct tar *t, uint64_t n, struct err *err)
{
	char block[BLOCK];

	if (n > TAR_HEADER_MAX)
		return err_set(err, -EFBIG, "the tar archive has a header of %llu bytes",
			       (unsigned long long)n);
	buf_reset(&t->text);
	for (uint64_t left = n; left;) {
		size_t take = MIN(left, (uint64_t)BLOCK);
		int r = read_exactly(t, block, BLOCK, err);

		if (r != 0)
			return r < 0 ? r : broken(err, "it ends in a header");
		buf_add(&t->text, block, take);
		left -= take;
	}
	return 0;
}

static int long_name(struct tar *t, uint64_t n, const char **set, struct err *err)
{
	int r = n ? read_text(t, n, err) : broken(err, "an empty long name");

	return r < 0 ? r : pax_set_name(&t->pax, set, t->text.data, strnlen(t->text.data, t->text.len),
					err);
}

static int pax_header(struct tar *t, uint64_t n, struct err *err)
{
	int r = read_text(t, n, err);

	return r < 0 || n == 0 ? r : pax_add(&t->pax, t->text.data, t->text.len, err);
}

/* 1 when h was such a header. What is said of all entries together is skipped, as others do. */
static int read_extra(struct tar *t, const struct header *h, uint64_t size, struct err *err)
{
	int r;

	switch (h->type) {
	case 'x':
	case 'X':
		r = pax_header(t, size, err);
		break;
	case 'g':
		r = read_text(t, size, err);
		break;
	case 'L':
		r = long_name(t, size, &t->pax.path, err);
		break;
	case 'K':
		r = long_name(t, size, &t->pax.link, err);
		break;
	default:
		return 0;
	}
	return r < 0 ? r : 1;
}

/* ---- sparse files ---- */

static int add_piece(struct tar *t, const char offset[12], const char n[12], struct err *err)
{
	uint64_t from, len;

	if (!*offset && !*n)
		return 0;
	if (ranged(offset, 12, INT64_MAX, &from) < 0 || ranged(n, 12, INT64_MAX, &len) < 0)
		return broken(err, "a number in a sparse map");
	return tar_pieces_add(&t->pieces, from, len, err);
}

static int gnu_sparse(struct tar *t, const struct header *h, struct err *err)
{
	bool more = h->u.gnu.extended;
	int r = 0;

	if (ranged(h->u.gnu.real_size, 12, INT64_MAX, &t->size) < 0)
		return broken(err, "the size of a sparse file");
	for (int i = 0; r == 0 && i < 4; i++)
		r = add_piece(t, h->u.gnu.sparse[i].offset, h->u.gnu.sparse[i].n, err);
	while (r == 0 && more) {
		struct extension e;

		r = read_exactly(t, &e, sizeof(e), err);
		if (r > 0)
			r = broken(err, "it ends in a sparse map");
		for (int i = 0; r == 0 && i < 21; i++)
			r = add_piece(t, e.sparse[i].offset, e.sparse[i].n, err);
		more = e.extended;
	}
	return r;
}

/* A decimal number in a line of its own, in the data. */
static int map_line(struct tar *t, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;

	for (int i = 0; i < 20; i++) {
		char c;

		if (t->left == 0 || read_exactly(t, &c, 1, err) != 0)
			return broken(err, "a sparse map");
		t->left--;
		if (c == '\n' && i) {
			*ret = v;
			return 0;
		}
		if (c < '0' || c > '9')
			return broken(err, "a number in a sparse map");
		v = v * 10 + (uint64_t)(c - '0');
	}
	return broken(err, "a number in a sparse map");
}

/* pax 1.0: the map is in front of the data, padded to whole blocks. */
static int map_in_data(struct tar *t, struct err *err)
{
	uint64_t before = t->left, n, from, len;
	int r = map_line(t, &n, err);

	for (; r == 0 && n; n--) {
		r = map_line(t, &from, err);
		if (r == 0)
			r = map_line(t, &len, err);
		if (r == 0)
			r = tar_pieces_add(&t->pieces, from, len, err);
	}
	if (r < 0)
		return r;
	uint64_t pad = padding_of(before - t->left);
	if (pad > t->left)
		return broken(err, "a sparse map");
	t->left -= pad;
	return skip(t, pad, err);
}

static int map_of(struct tar *t, const struct header *h, struct err *err)
{
	int r = 0;

	t->size = t->left;
	if (h->type == 'S') {
		r = gnu_sparse(t, h, err);
	} else if (t->pax.sparse) {
		t->size = t->pax.real_size;
		tar_pieces_move(&t->pieces, &t->pax.pieces);
		r = t->pax.map_in_data ? map_in_data(t, err) : 0;
	} else {
		return 0;
	}
	if (r < 0)
		return r;
	return tar_pieces_check(&t->pieces, t->size, t->left) ? 0 :
	       broken(err, "a sparse map that does not fit its file");
}

/* ---- entries ---- */

static int type_of(const struct header *h, const char *path)
{
	switch (h->type) {
	case '\0':
		return path[strlen(path) - 1] == '/' ? TAR_DIR : TAR_FILE;
	case '0':
	case '7':
	case 'S':
		return TAR_FILE;
	case '1':
		return TAR_LINK;
	case '2':
		return TAR_SYMLINK;
	case '3':
		return TAR_CHAR;
	case '4':
		return TAR_BLOCK;
	case '5':
		return TAR_DIR;
	case '6':
		return TAR_FIFO;
	}
	return -1;
}

/* The name that a pax header gave, or that of the fields. */
static int names_of(struct tar *t, const struct header *h, struct err *err)
{
	bool prefixed = memcmp(h->magic, "ustar", 6) == 0 && h->u.prefix[0];
	const char *pax = t->pax.sparse_name ? t->pax.sparse_name : t->pax.path;

	if (pax)
		snprintf(t->path, sizeof(t->path), "%s", pax);
	else
		snprintf(t->path, sizeof(t->path), "%.*s%s%.*s", prefixed ? 155 : 0, h->u.prefix,
			 prefixed ? "/" : "", 100, h->name);
	if (t->pax.link)
		snprintf(t->link, sizeof(t->link), "%s", t->pax.link);
	else
		snprintf(t->link, sizeof(t->link), "%.100s", h->link);
	return t->path[0] ? 0 : broken(err, "an entry without a name");
}

static int numbers_of(const struct tar *t, const struct header *h, struct tar_entry *e,
		      struct err *err)
{
	uint64_t mode, uid = t->pax.uid, gid = t->pax.gid, major = 0, minor = 0;
	bool device = h->type == '3' || h->type == '4';

	if (ranged(h->mode, 8, INT64_MAX, &mode) < 0 ||
	    (!t->pax.has_uid && ranged(h->uid, 8, UINT32_MAX - 1, &uid) < 0) ||
	    (!t->pax.has_gid && ranged(h->gid, 8, UINT32_MAX - 1, &gid) < 0) ||
	    (device && ranged(h->major, 8, UINT32_MAX, &major) < 0) ||
	    (device && ranged(h->minor, 8, UINT32_MAX, &minor) < 0))
		return broken(err, "a number in a header");
	e->mtime = t->pax.mtime;
	e->mtime_ns = t->pax.mtime_ns;
	if (!t->pax.has_mtime && number(h->mtime, 12, &e->mtime) < 0)
		return broken(err, "a time in a header");
	e->mode = mode & 07777;
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	return 0;
}

static int entry_of(struct tar *t, const struct header *h, uint64_t size, struct tar_entry *e,
		    struct err *err)
{
	*e = (struct tar_entry){ 0 };
	int r = names_of(t, h, err);
	if (r == 0)
		r = numbers_of(t, h, e, err);
	if (r < 0)
		return r;
	int type = type_of(h, t->path);
	if (type < 0)
		return err_set(err, -EBADMSG, "the tar archive has an entry of unknown type %#x",
			       (unsigned char)h->type);
	e->type = (enum tar_type)type;
	t->left = type == TAR_FILE ? size : 0;
	t->padding = padding_of(t->left);
	r = type == TAR_FILE ? map_of(t, h, err) : 0;
	e->path = t->path;
	e->link = t->link;
	e->size = t->size;
	e->xattrs = t->pax.xattrs;
	e->nxattrs = t->pax.nxattrs;
	return r;
}

static int finish_entry(struct tar *t, struct err *err)
{
	int r = skip(t, t->left, err);

	if (r == 0)
		r = skip_padding(t, t->padding, err);
	t->left = t->padding = t->size = t->offset = 0;
	t->piece = 0;
	t->piece_left = 0;
	tar_pieces_reset(&t->pieces);
	pax_reset(&t->pax);
	return r;
}

static bool all_zero(const struct header *h)
{
	static const char zero[BLOCK];

	return memcmp(h, zero, BLOCK) == 0;
}

/* A block of zeros, or no more blocks, is the end: 0. 1: a header. */
static int read_header(struct tar *t, struct header *h, struct err *err)
{
	int r = read_exactly(t, h, BLOCK, err);

	if (r != 0)
		return MIN(r, 0);
	if (all_zero(h))
		return 0;
	return checksum_right(h) ? 1 : broken(err, "the checksum of a header");
}

int tar_next(struct tar *t, struct tar_entry *ret, struct err *err)
{
	struct header h;
	int r = finish_entry(t, err);

	while (r == 0) {
		uint64_t size = 0;

		r = read_header(t, &h, err);
		if (r <= 0)
			return r;
		if (t->pax.has_size && !strchr("xXgLK", h.type))
			size = t->pax.size;
		else if (ranged(h.size, 12, INT64_MAX, &size) < 0)
			return broken(err, "the size of an entry");
		r = read_extra(t, &h, size, err);
		if (r == 0) {
			r = entry_of(t, &h, size, ret, err);
			return r < 0 ? r : 1;
		}
		r = MIN(r, 0);
	}
	return r;
}

/* Goes to the piece that the next byte belongs to. */
static void next_piece(struct tar *t)
{
	while (t->piece < t->pieces.n && t->piece_left == 0) {
		t->offset = t->pieces.v[t->piece].offset;
		t->piece_left = t->pieces.v[t->piece].n;
		t->piece++;
	}
}

int tar_data(struct tar *t, size_t max, const unsigned char **ret, size_t *ret_n,
	     uint64_t *ret_offset, struct err *err)
{
	*ret_n = 0;
	if (t->left == 0)
		return 0;
	if (t->pieces.n && t->piece_left == 0)
		next_piece(t);
	uint64_t n = MIN(t->left, (uint64_t)max);
	if (t->pieces.n)
		n = MIN(n, t->piece_left);
	int r = t->source.read(t->source.data, (size_t)n, ret, ret_n, err);
	if (r == 0 && *ret_n == 0)
		r = broken(err, "it ends in the middle of a file");
	if (r < 0)
		return r;
	*ret_offset = t->offset;
	t->offset += *ret_n;
	t->left -= *ret_n;
	if (t->pieces.n)
		t->piece_left -= *ret_n;
	return 0;
}
