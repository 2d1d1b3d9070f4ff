/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables in the process: libnftables with its text grammar (nft(8)); one transaction a call. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct nft;

int nft_new(struct nft **ret, struct err *err);
void nft_free(struct nft *n);
/* Runs commands as one atomic transaction; out (may be NULL) receives what they print. */
int nft_run(struct nft *n, const char *commands, struct buf *out, struct err *err);
