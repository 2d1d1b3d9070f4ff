/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pax headers and GNU's long names say about the next entry of a tar archive, and the maps of
 * sparse files. Internal to tar.c.
 */
#pragma once

#include "image/tar.h"

struct tar_piece { uint64_t offset, n; };
struct tar_pieces { struct tar_piece *v; size_t n; };

int tar_pieces_add(struct tar_pieces *p, uint64_t offset, uint64_t n, struct err *err);
void tar_pieces_reset(struct tar_pieces *p);
void tar_pieces_release(struct tar_pieces *p);
void tar_pieces_move(struct tar_pieces *to, struct tar_pieces *from);
/* In order, apart, inside of size, and together as many bytes as there is data. */
bool tar_pieces_check(const struct tar_pieces *p, uint64_t size, uint64_t data);

struct pax {
	const char *path, *link, *sparse_name;	/* NULL: not said */
	bool has_uid, has_gid, has_size, has_mtime;
	uint64_t uid, gid, size;
	int64_t mtime;
	uint32_t mtime_ns;
	struct tar_xattr *xattrs;
	size_t nxattrs;
	bool sparse, map_in_data;
	uint64_t real_size, piece_offset;
	struct tar_pieces pieces;
	char *texts[8];			/* what the strings above are in */
	size_t ntexts, bytes;
};

void pax_reset(struct pax *p);
void pax_release(struct pax *p);
/* The records of one header, "LENGTH KEY=VALUE\n" each; later ones win. */
int pax_add(struct pax *p, const char *text, size_t n, struct err *err);
/* GNU's long names: *set is p->path or p->link. */
int pax_set_name(struct pax *p, const char **set, const char *name, size_t n, struct err *err);
