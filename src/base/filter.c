/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search as instructions; see filter.h. */
#include "base/filter.h"

#include <errno.h>
#include <sys/prctl.h>

struct run {
	uint32_t first;		/* number; the run ends where the next begins */
	uint8_t verdict;
};

static size_t count(const struct buf *code)
{
	return code->len / sizeof(struct sock_filter);
}

static void emit(struct buf *code, struct sock_filter f)
{
	buf_add(code, &f, sizeof(f));
}

/* The search over runs[lo, hi): the accumulator holds the number. Offsets of conditional jumps have
 * 8 bits, so a far half is reached by a plain jump. */
static void emit_search(const struct filter *f, struct buf *code, const struct run *runs, size_t lo,
			size_t hi)
{
	if (hi - lo == 1) {
		const struct filter_block *b = &f->blocks[runs[lo].verdict];

		buf_add(code, b->v, b->n * sizeof(b->v[0]));
		return;
	}

	size_t mid = lo + (hi - lo) / 2;

	emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, runs[mid].first, 0, 1));

	size_t jump = count(code);

	emit(code, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	emit_search(f, code, runs, lo, mid);
	((struct sock_filter *)code->data)[jump].k = (uint32_t)(count(code) - jump - 1);
	emit_search(f, code, runs, mid, hi);
}

static size_t runs_collect(const struct filter *f, struct run runs[FILTER_CALLS + 1])
{
	size_t n = 0;

	for (uint32_t nr = 0; nr < FILTER_CALLS; nr++)
		if (n == 0 || runs[n - 1].verdict != f->verdicts[nr])
			runs[n++] = (struct run){ nr, f->verdicts[nr] };
	if (runs[n - 1].verdict != f->beyond)
		runs[n++] = (struct run){ FILTER_CALLS, f->beyond };
	return n;
}

int filter_build(const struct filter *f, struct buf *out)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0),
		FILTER_RET(f->foreign),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct run runs[FILTER_CALLS + 1];
	BUF_AUTO code = { 0 };

	buf_add(&code, head, sizeof(head));
	emit_search(f, &code, runs, 0, runs_collect(f, runs));
	if (count(&code) > BPF_MAXINSNS)
		return -E2BIG;
	buf_add(out, code.data, code.len);
	return 0;
}

int filter_install(const struct filter *f)
{
	BUF_AUTO code = { 0 };
	int r = filter_build(f, &code);
	struct sock_fprog prog = {
		.len = (unsigned short)count(&code), .filter = (struct sock_filter *)code.data,
	};

	if (r < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 ? -errno : 0;
}
