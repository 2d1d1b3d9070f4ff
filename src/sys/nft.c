/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libnftables keeps one context; it reads the part of the rule set that a command needs before
 * each run, so nothing here caches. A failed run changes nothing: the kernel takes a batch whole
 * or not at all. The library reports failures as text only; the first line is kept as message.
 */
#include "sys/nft.h"

#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

struct nft {
	struct nft_ctx *ctx;
};

int nft_new(struct nft **ret, struct err *err)
{
	struct nft *n = calloc(1, sizeof(*n));

	if (!n)
		return err_sys(err, -ENOMEM, "nftables");
	n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!n->ctx || nft_ctx_buffer_output(n->ctx) || nft_ctx_buffer_error(n->ctx)) {
		nft_free(n);
		return err_set(err, -ENOMEM, "nftables: cannot make a context");
	}
	*ret = n;
	return 0;
}

void nft_free(struct nft *n)
{
	if (!n)
		return;
	if (n->ctx)
		nft_ctx_free(n->ctx);
	free(n);
}

static const struct {
	const char *text;
	int code;
} failures[] = {
	{ "No such file or directory", -ENOENT },
	{ "File exists", -EEXIST },
	{ "Device or resource busy", -EBUSY },
	{ "Operation not permitted", -EPERM },
	{ "Operation not supported", -EOPNOTSUPP },
	{ "Protocol error", -EPROTO },
};

static int failure_code(const char *text, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (memmem(text, n, failures[i].text, strlen(failures[i].text)))
			return failures[i].code;
	return -EINVAL;
}

int nft_run(struct nft *n, const char *commands, struct buf *out, struct err *err)
{
	int r = nft_run_cmd_from_buffer(n->ctx, commands);
	const char *text = nft_ctx_get_output_buffer(n->ctx);

	/* Reading a buffer also empties it, so both are read in any case. */
	if (out && text)
		buf_puts(out, text);
	text = nft_ctx_get_error_buffer(n->ctx);
	if (r == 0)
		return 0;
	if (!text || !*text)
		return err_set(err, -EINVAL, "nftables: refused without a reason");

	int len = (int)strcspn(text, "\n");

	return err_set(err, failure_code(text, (size_t)len), "nftables: %.*s", len, text);
}

int nft_table_handle(struct nft *n, const char *table, uint64_t *ret, struct err *err)
{
	static const char mark[] = "# handle ";
	BUF_AUTO command = { 0 };
	BUF_AUTO out = { 0 };
	unsigned flags = nft_ctx_output_get_flags(n->ctx);
	const char *p;
	int r;

	buf_printf(&command, "list table ip %s", table);
	nft_ctx_output_set_flags(n->ctx, flags | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_TERSE);
	r = nft_run(n, command.data, &out, err);
	nft_ctx_output_set_flags(n->ctx, flags);
	if (r)
		return r;
	p = strstr(buf_str(&out), mark);
	if (!p)
		return err_set(err, -EPROTO, "nftables: a table without a handle");
	*ret = strtoull(p + strlen(mark), NULL, 10);
	return 0;
}
