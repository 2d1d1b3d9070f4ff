/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of grpc.health.v1 (protocol buffers); see grpc.h. */
#include <errno.h>
#include <stdint.h>

#include "ask/grpc.h"
#include "base/macro.h"

#define PREFIX 5	/* compressed or not, and the length */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct reader {
	const uint8_t *at, *end;
};

static void put_varint(struct buf *out, size_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(out, (char)(v | 0x80));
	buf_putc(out, (char)v);
}

void grpc_health_request(const char *service, struct buf *out)
{
	size_t n = strlen(service);
	BUF_AUTO message = { 0 };

	if (n) {
		buf_putc(&message, 1 << 3 | BYTES);
		put_varint(&message, n);
		buf_puts(&message, service);
	}
	const uint32_t len = (uint32_t)message.len;
	const char prefix[PREFIX] = { 0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8),
				      (char)len };
	buf_add(out, prefix, sizeof(prefix));
	if (len)
		buf_add(out, message.data, len);
}

static int read_varint(struct reader *r, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return 0;
	}
	return -EPROTO;
}

/* A field that is not ours, or the value of one that is. */
static int read_value(struct reader *r, unsigned wire, uint64_t *ret)
{
	uint64_t n = 0;

	*ret = 0;
	if (wire == VARINT)
		return read_varint(r, ret);
	if (wire == BYTES && read_varint(r, &n) < 0)
		return -EPROTO;
	if (wire == FIXED64 || wire == FIXED32)
		n = wire == FIXED64 ? 8 : 4;
	else if (wire != BYTES)
		return -EPROTO;
	if (n > (size_t)(r->end - r->at))
		return -EPROTO;
	r->at += n;
	return 0;
}

int grpc_health_status(const void *message, size_t n, unsigned *ret)
{
	const uint8_t *p = message;
	uint64_t key, value;
	unsigned status = 0;

	if (n < PREFIX || p[0] || ((size_t)p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4]) != n - PREFIX)
		return -EPROTO;
	struct reader r = { p + PREFIX, p + n };
	while (r.at < r.end) {
		if (read_varint(&r, &key) < 0 || key >> 3 == 0 || key >> 32 ||
		    read_value(&r, key & 7, &value) < 0)
			return -EPROTO;
		if (key >> 3 == 1 && (key & 7) == VARINT)
			status = (unsigned)MIN(value, (uint64_t)UINT32_MAX);
	}
	*ret = status;
	return 0;
}
