/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables in the process: libnftables with its text grammar (nft(8)); one transaction a call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct nft;

int nft_new(struct nft **ret, struct err *err);
void nft_free(struct nft *n);
/* Runs commands as one atomic transaction; out (may be NULL) receives what they print. */
int nft_run(struct nft *n, const char *commands, struct buf *out, struct err *err);
/* The kernel's number of a table (family ip); another table of the same name has another one.
 * -ENOENT when there is none. */
int nft_table_handle(struct nft *n, const char *table, uint64_t *ret, struct err *err);

/* Changes of the rule set by others: a non-blocking descriptor that becomes readable with every
 * change; reading drains it and tells whether any came from another process, or may have. */
int nft_watch_open(struct err *err);
bool nft_watch_read(int fd);
