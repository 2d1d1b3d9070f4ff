/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs: writing records, and checking them before they are executed; see program.h. */
#include "shim/program.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

#define PAD(n) (((n) + 7) & ~(size_t)7)

static const struct {
	const char *name;
	unsigned nstr;
} rows[OP_COUNT] = {
#define OP(name, strings, doc) [OP_##name] = { #name, strings },
	PROG_OPS(OP)
#undef OP
};

static void pad(struct buf *p, size_t n)
{
	static const char zero[8];

	buf_add(p, zero, PAD(n) - n);
}

void prog_add(struct buf *p, enum prog_opcode op, uint64_t a, uint64_t b, const char *const *s,
	      const void *bytes, size_t n)
{
	struct prog_op head = {
		.op = (uint16_t)op,
		.nstr = (uint16_t)rows[op].nstr,
		.nbytes = (uint32_t)n,
		.a = a,
		.b = b,
	};
	size_t strings = 0;

	for (unsigned i = 0; i < head.nstr; i++)
		strings += strlen(s[i]) + 1;
	head.size = (uint32_t)(sizeof(head) + PAD(n) + PAD(strings));
	buf_add(p, &head, sizeof(head));
	buf_add(p, bytes, n);
	pad(p, n);
	for (unsigned i = 0; i < head.nstr; i++)
		buf_add(p, s[i], strlen(s[i]) + 1);
	pad(p, strings);
}

const char *prog_op_name(unsigned op)
{
	return op < OP_COUNT ? rows[op].name : "unknown";
}

/* The strings of one record fit in what is left of it after its bytes. */
static bool strings_fit(const char *p, size_t room, unsigned nstr)
{
	for (unsigned i = 0; i < nstr; i++) {
		const char *end = memchr(p, '\0', room);
		if (!end)
			return false;
		room -= (size_t)(end - p) + 1;
		p = end + 1;
	}
	return true;
}

static bool record_right(const char *p, const struct prog_op *head)
{
	if (head->op >= OP_COUNT || head->nstr != rows[head->op].nstr)
		return false;
	size_t room = head->size - sizeof(*head), bytes = PAD((size_t)head->nbytes);
	return bytes <= room &&
	       strings_fit(p + sizeof(*head) + bytes, room - bytes, head->nstr);
}

int prog_check(const void *prog, size_t n)
{
	const char *p = prog;

	while (n) {
		struct prog_op head;
		if (n < sizeof(head))
			return -EINVAL;
		memcpy(&head, p, sizeof(head));
		if (head.size < sizeof(head) || head.size > n || head.size % 8 ||
		    !record_right(p, &head))
			return -EINVAL;
		p += head.size;
		n -= head.size;
		if (head.op == OP_EXEC && n)
			return -EINVAL;
	}
	return 0;
}
