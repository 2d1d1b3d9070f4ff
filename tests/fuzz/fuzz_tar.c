/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tar: the first byte says in pieces of what size the rest is given. Whatever comes out keeps the
 * promises of tar.h: names, bounded numbers, data that is inside of its file and in order.
 */
#include "../unit/image/pieces.h"
#include "fuzz.h"

static void check_entry(const struct tar_entry *e)
{
	fuzz_check(e->path[0] && strlen(e->path) <= TAR_PATH_MAX, "path");
	fuzz_check(strlen(e->link) <= TAR_PATH_MAX, "link");
	fuzz_check(e->mode <= 07777 && e->mtime_ns < 1000000000, "numbers");
	fuzz_check(e->uid != UINT32_MAX && e->gid != UINT32_MAX, "owner");
	fuzz_check(e->size <= INT64_MAX, "size");
	for (size_t i = 0; i < e->nxattrs; i++)
		fuzz_check(e->xattrs[i].name[0] && e->xattrs[i].n <= TAR_XATTR_MAX, "attribute");
}

static void read_data(struct tar *t, const struct tar_entry *e)
{
	uint64_t at = 0, offset;
	const unsigned char *p;
	size_t n;

	while (tar_data(t, 700, &p, &n, &offset, NULL) == 0 && n) {
		fuzz_check(offset >= at && offset <= e->size && n <= e->size - offset, "%s", e->path);
		at = offset + n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct tar_entry e;
	int r;

	if (size == 0)
		return 0;
	struct pieces s = { data + 1, size - 1, (size_t)data[0] * 4 + 1 };
	struct tar *t = tar_new((struct tar_source){ pieces_give, &s });
	while ((r = tar_next(t, &e, &err)) > 0) {
		check_entry(&e);
		if (e.size % 3)
			read_data(t, &e);
	}
	fuzz_check(r == 0 || err.msg[0], "no message");
	tar_free(t);
	return 0;
}
