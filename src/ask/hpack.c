/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing header blocks; see hpack.h. */
#include "ask/hpack.h"

#include <errno.h>

#include "base/macro.h"

#define STATIC_ENTRIES 61
#define STATUS_FIRST 8
#define TEXT_MAX 4096

struct reader {
	const uint8_t *at, *end;
};

/* An integer whose first byte gives it the lowest bits. */
static int read_number(struct reader *r, unsigned bits, uint32_t *ret)
{
	uint32_t most = (1U << bits) - 1, v = *r->at++ & most;

	for (unsigned shift = 0; v >= most && shift <= 21; shift += 7) {
		if (r->at == r->end)
			return -EPROTO;
		uint8_t byte = *r->at++;
		if (shift == 0)
			v = most;
		v += (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = v;
			return 0;
		}
	}
	*ret = v;
	return v < most ? 0 : -EPROTO;
}

/*
 * The canonical code of appendix B: of each length the symbols in ascending order, codes counting
 * on from those of the length before. Symbols that are not printable have no place here, except for
 * NUL among those of 13 bits.
 */
static const struct {
	unsigned bits;
	const char *symbols;
	unsigned n;
} lengths[] = {
#define ROW(bits, s) { bits, s, sizeof(s) - 1 }
	ROW(5, "012aceiost"), ROW(6, " %-./3456789=A_bdfghlmnpru"),
	ROW(7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"), ROW(8, "&*,;XZ"), ROW(10, "!\"()?"),
	ROW(11, "'+|"), ROW(12, "#>"), ROW(13, "\0$@[]~"), ROW(14, "^}"), ROW(15, "<`{"),
	ROW(19, "\\"),
#undef ROW
};

/* The symbol that the n bits of code are; 0: no whole one, or none that has a place here. */
static char symbol(uint32_t code, unsigned n)
{
	uint32_t first = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lengths) && lengths[i].bits <= n; i++) {
		first <<= lengths[i].bits - bits;
		bits = lengths[i].bits;
		if (bits == n)
			return code >= first && code - first < lengths[i].n ?
			       lengths[i].symbols[code - first] : '\0';
		first += lengths[i].n;
	}
	return '\0';
}

/* What fills the last byte are the first bits of a symbol of ones, fewer than 8. */
static int read_huffman(const uint8_t *s, size_t n, char *to)
{
	uint32_t code = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < 8 * n; i++) {
		code = code << 1 | (s[i / 8] >> (7 - i % 8) & 1);
		char c = ++have >= 5 ? symbol(code, have) : '\0';
		if (!c && have > 19)
			return -EPROTO;
		if (!c)
			continue;
		if (len == TEXT_MAX)
			return -EPROTO;
		to[len++] = c;
		code = have = 0;
	}
	to[len] = '\0';
	return have < 8 && code == (1U << have) - 1 ? 0 : -EPROTO;
}

static int read_plain(const uint8_t *s, size_t n, char *to)
{
	if (n > TEXT_MAX)
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e)
			return -EPROTO;
	}
	memcpy(to, s, n);
	to[n] = '\0';
	return 0;
}

static int read_text(struct reader *r, char to[TEXT_MAX + 1])
{
	uint32_t n;

	if (r->at == r->end)
		return -EPROTO;
	bool huffman = *r->at & 0x80;
	if (read_number(r, 7, &n) < 0 || n > (size_t)(r->end - r->at))
		return -EPROTO;
	r->at += n;
	return huffman ? read_huffman(r->at - n, n, to) : read_plain(r->at - n, n, to);
}

/* Entries 8 to 14 of the static table. */
static const char *const statuses[] = { "200", "204", "206", "304", "400", "404", "500" };

static bool is_status(uint32_t entry)
{
	return entry >= STATUS_FIRST && entry < STATUS_FIRST + ARRAY_SIZE(statuses);
}

static int indexed(struct reader *r, hpack_field *field, void *data)
{
	uint32_t entry;

	if (read_number(r, 7, &entry) < 0 || !entry || entry > STATIC_ENTRIES)
		return -EPROTO;
	return is_status(entry) ? field(data, ":status", statuses[entry - STATUS_FIRST]) :
				  field(data, "", "");
}

/* What asks to be remembered is too large for a table of size 0, which is no error. */
static int literal(struct reader *r, unsigned bits, hpack_field *field, void *data)
{
	char name[TEXT_MAX + 1] = "", value[TEXT_MAX + 1];
	uint32_t entry;

	if (read_number(r, bits, &entry) < 0 || entry > STATIC_ENTRIES ||
	    (!entry && read_text(r, name) < 0) || read_text(r, value) < 0)
		return -EPROTO;
	return field(data, is_status(entry) ? ":status" : name, value);
}

static int table_size(struct reader *r)
{
	uint32_t size;

	return read_number(r, 5, &size) < 0 || size ? -EPROTO : 0;
}

int hpack_decode(const uint8_t *block, size_t n, hpack_field *field, void *data)
{
	struct reader r = { block, block + n };
	int code = 0;

	while (code == 0 && r.at < r.end) {
		if (*r.at & 0x80)
			code = indexed(&r, field, data);
		else if (*r.at & 0x40)
			code = literal(&r, 6, field, data);
		else if (*r.at & 0x20)
			code = table_size(&r);
		else
			code = literal(&r, 4, field, data);
	}
	return code;
}

/* ---- writing ---- */

static void put_number(struct buf *out, unsigned first, unsigned bits, size_t v)
{
	size_t most = (1U << bits) - 1;

	if (v < most) {
		buf_putc(out, (char)(first | v));
		return;
	}
	buf_putc(out, (char)(first | most));
	for (v -= most; v >= 0x80; v >>= 7)
		buf_putc(out, (char)(v | 0x80));
	buf_putc(out, (char)v);
}

static void put_text(struct buf *out, const char *s)
{
	put_number(out, 0, 7, strlen(s));
	buf_puts(out, s);
}

void hpack_literal(struct buf *out, unsigned entry, const char *name, const char *value)
{
	put_number(out, 0, 4, entry);
	if (!entry)
		put_text(out, name);
	put_text(out, value);
}
