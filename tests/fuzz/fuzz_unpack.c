/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader of layers, compressed or not: what it writes is a stream of whole operations, every
 * path stays inside, limits hold, and the last one is END or FAIL.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "fuzz.h"
#include "image/unpack_ops.h"
#include "image/unpack_read.h"

#define BYTES (1 << 20)

static void check_path(const char *p)
{
	fuzz_check(*p != '/', "%s", p);
	for (; *p; p += *p == '/') {
		size_t n = strcspn(p, "/");

		fuzz_check(n && n <= 255 && !(n == 1 && *p == '.') &&
			   !(n == 2 && p[0] == '.' && p[1] == '.'), "%s", p);
		p += n;
		fuzz_check(!(*p == '/' && !p[1]), "slash at the end");
	}
}

static void check_op(const struct unpack_op *op, const char *name, uint64_t *bytes)
{
	char path[UNPACK_NAME_MAX + 1];

	fuzz_check(op->op >= UNPACK_DIR && op->op <= UNPACK_FAIL, "%u", op->op);
	fuzz_check(op->nname <= UNPACK_NAME_MAX && op->ndata <= UNPACK_DATA_MAX, "lengths");
	snprintf(path, sizeof(path), "%.*s", (int)op->nname, name);
	fuzz_check(strlen(path) == op->nname, "NUL in a name");
	if (op->op == UNPACK_XATTR)
		fuzz_check(unpack_keeps_xattr(path), "%s", path);
	else
		check_path(path);
	if (op->op == UNPACK_DATA)
		*bytes += op->ndata;
}

static void check_stream(const struct buf *b)
{
	uint64_t bytes = 0;
	size_t at = 0;
	struct unpack_op op = { 0 };

	while (at < b->len) {
		fuzz_check(b->len - at >= sizeof(op), "half an operation");
		fuzz_check(op.op != UNPACK_END && op.op != UNPACK_FAIL, "more after the end");
		memcpy(&op, b->data + at, sizeof(op));
		at += sizeof(op);
		fuzz_check(b->len - at >= (size_t)op.nname + op.ndata, "half of the strings");
		check_op(&op, b->data + at, &bytes);
		at += (size_t)op.nname + op.ndata;
	}
	fuzz_check(op.op == UNPACK_END || op.op == UNPACK_FAIL, "no end");
	fuzz_check(bytes <= BYTES, "beyond the limit");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct unpack_limits limits = { .bytes = BYTES, .entries = 1000, .ratio = 1000 };
	int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	BUF_AUTO stream = { 0 };

	if (in < 0 || out < 0 || write(in, data, size) != (ssize_t)size)
		abort();
	lseek(in, 0, SEEK_SET);
	unpack_read(in, out, &limits, size % 5 == 0);
	lseek(out, 0, SEEK_SET);
	if (file_read_fd(out, "operations", 0, &stream, NULL) < 0)
		abort();
	check_stream(&stream);
	close(in);
	close(out);
	return 0;
}
