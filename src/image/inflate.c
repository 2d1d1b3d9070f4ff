/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompression; see inflate.h. A codec is three functions. Each call of step() takes what it can
 * from the input and puts what it can into the output; a codec that needs neither more input nor
 * more room and still does nothing has found its stream broken.
 */
#include "image/inflate.h"

#include <zlib.h>
#include <zstd.h>

#include "base/macro.h"

#define IN_SIZE (64 * 1024)
#define OUT_SIZE (256 * 1024)
#define ZSTD_WINDOW_LOG 25		/* 32 MiB */
#define RATIO_FROM (1ULL << 30)

struct codec {
	size_t nmagic;
	unsigned char magic[4];
	int (*begin)(struct inflate *f);
	int (*step)(struct inflate *f, size_t *io_out);
	void (*end)(struct inflate *f);
};

struct inflate {
	int fd;
	struct inflate_limits limits;
	const struct codec *codec;
	union {
		z_stream z;
		ZSTD_DStream *zstd;
	} u;
	bool begun;		/* inside of a member or a frame */
	bool eof;		/* of the input */
	size_t in_pos, in_len, out_pos, out_len;
	uint64_t total_in, total_out;
	struct digest digest;
	unsigned char in[IN_SIZE], out[OUT_SIZE];
};

/* ---- codecs: step() returns 0, or -EBADMSG; *io_out grows by what came out ---- */

static int none_begin(struct inflate *f)
{
	(void)f;
	return 0;
}

static int none_step(struct inflate *f, size_t *io_out)
{
	size_t n = MIN(f->in_len - f->in_pos, OUT_SIZE - *io_out);

	memcpy(f->out + *io_out, f->in + f->in_pos, n);
	f->in_pos += n;
	*io_out += n;
	f->begun = false;
	return 0;
}

static void none_end(struct inflate *f)
{
	(void)f;
}

static int gzip_begin(struct inflate *f)
{
	return inflateInit2(&f->u.z, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM;
}

/* What follows a member is another one, or padding of zeros that some tools leave: 1 for that. */
static int gzip_member(struct inflate *f)
{
	if (f->in[f->in_pos] == 0) {
		f->in_pos++;
		return 1;
	}
	f->begun = true;
	return inflateReset(&f->u.z) == Z_OK ? 0 : -EBADMSG;
}

static int gzip_step(struct inflate *f, size_t *io_out)
{
	int r = f->begun ? 0 : gzip_member(f);

	if (r != 0)
		return MIN(r, 0);
	f->u.z.next_in = f->in + f->in_pos;
	f->u.z.avail_in = (unsigned)(f->in_len - f->in_pos);
	f->u.z.next_out = f->out + *io_out;
	f->u.z.avail_out = (unsigned)(OUT_SIZE - *io_out);
	r = inflate(&f->u.z, Z_NO_FLUSH);
	f->in_pos = f->in_len - f->u.z.avail_in;
	*io_out = OUT_SIZE - f->u.z.avail_out;
	if (r == Z_STREAM_END)
		f->begun = false;
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static void gzip_end(struct inflate *f)
{
	inflateEnd(&f->u.z);
}

static int zstd_begin(struct inflate *f)
{
	f->u.zstd = ZSTD_createDStream();
	if (!f->u.zstd ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(f->u.zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		return -ENOMEM;
	return 0;
}

static int zstd_step(struct inflate *f, size_t *io_out)
{
	ZSTD_inBuffer in = { f->in, f->in_len, f->in_pos };
	ZSTD_outBuffer out = { f->out, OUT_SIZE, *io_out };
	size_t r = ZSTD_decompressStream(f->u.zstd, &out, &in);

	f->in_pos = in.pos;
	*io_out = out.pos;
	f->begun = r != 0;
	return ZSTD_isError(r) ? -EBADMSG : 0;
}

static void zstd_end(struct inflate *f)
{
	ZSTD_freeDStream(f->u.zstd);
}

static const struct codec codecs[] = {
	{ 2, { 0x1f, 0x8b }, gzip_begin, gzip_step, gzip_end },
	{ 4, { 0x28, 0xb5, 0x2f, 0xfd }, zstd_begin, zstd_step, zstd_end },
	{ 0, { 0 }, none_begin, none_step, none_end },
};

/* ---- input ---- */

static int fill(struct inflate *f)
{
	if (f->in_pos == f->in_len)
		f->in_pos = f->in_len = 0;
	while (!f->eof && f->in_len < IN_SIZE) {
		ssize_t n = read(f->fd, f->in + f->in_len, IN_SIZE - f->in_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		f->eof = n == 0;
		f->in_len += (size_t)n;
		f->total_in += (size_t)n;
		if (f->in_len - f->in_pos >= 4)
			break;
	}
	return 0;
}

int inflate_new(int fd, const struct inflate_limits *l, struct inflate **ret, struct err *err)
{
	struct inflate *f = calloc(1, sizeof(*f));

	if (!f)
		return err_sys(err, -ENOMEM, "decompressor");
	f->fd = fd;
	f->limits = *l;
	digest_init(&f->digest);
	int r = fill(f);
	for (f->codec = codecs; f->codec->nmagic; f->codec++) {
		if (f->in_len >= f->codec->nmagic &&
		    memcmp(f->in, f->codec->magic, f->codec->nmagic) == 0)
			break;
	}
	if (r == 0)
		r = f->codec->begin(f);
	if (r < 0) {
		inflate_free(f);
		return err_sys(err, r, "cannot read the layer");
	}
	*ret = f;
	return 0;
}

void inflate_free(struct inflate *f)
{
	if (!f)
		return;
	if (f->codec)
		f->codec->end(f);
	free(f);
}

/* ---- output ---- */

static int within_limits(const struct inflate *f, struct err *err)
{
	if (f->total_out > f->limits.bytes)
		return err_set(err, -EFBIG, "uncompressed, it is larger than %llu bytes",
			       (unsigned long long)f->limits.bytes);
	if (f->total_out > RATIO_FROM && f->total_out / f->limits.ratio > f->total_in)
		return err_set(err, -EFBIG, "it is compressed more than %llu times: a decompression "
			       "bomb", (unsigned long long)f->limits.ratio);
	return 0;
}

/* Once around: more input when there is none, then the codec. 1: the stream has ended. */
static int advance(struct inflate *f, struct err *err)
{
	int r = f->in_pos == f->in_len ? fill(f) : 0;

	if (r < 0)
		return err_sys(err, r, "cannot read the layer");
	if (f->in_pos == f->in_len && f->eof && !f->begun)
		return 1;
	size_t before = f->in_pos;
	r = f->codec->step(f, &f->out_len);
	if (r == 0 && f->out_len == 0 && f->in_pos == before && f->in_pos == f->in_len && f->eof)
		return err_set(err, -EBADMSG, "the compressed data is truncated");
	return r < 0 ? err_set(err, r, "the compressed data is broken") : 0;
}

static int refill(struct inflate *f, struct err *err)
{
	int r = 0;

	f->out_pos = f->out_len = 0;
	while (r == 0 && f->out_len == 0)
		r = advance(f, err);
	if (r < 0)
		return r;
	digest_add(&f->digest, f->out, f->out_len);
	f->total_out += f->out_len;
	return within_limits(f, err);
}

int inflate_read(struct inflate *f, size_t max, const unsigned char **ret, size_t *ret_n,
		 struct err *err)
{
	int r = f->out_pos == f->out_len ? refill(f, err) : 0;

	if (r < 0)
		return r;
	*ret = f->out + f->out_pos;
	*ret_n = MIN(max, f->out_len - f->out_pos);
	f->out_pos += *ret_n;
	return 0;
}

void inflate_digest(struct inflate *f, char *ret, size_t n)
{
	struct digest d = f->digest;
	char hex[DIGEST_HEX];

	digest_end(&d, hex);
	snprintf(ret, n, "sha256:%s", hex);
}
