/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What orchd gives a puller to do: one image, where it goes, and all that may be used to get it.
 * It crosses a pipe as text, "KEY LENGTH\nBYTES\n" for each field; keys of a registry or a policy
 * row belong to the last one begun. Credentials are in it, hence it is never in a command line.
 * The puller answers with lines on its standard output (struct pull_news).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define PULL_JOB_MAX (8 << 20)

struct pull_registry {
	const char *host;		/* "docker.io", "localhost:5000" */
	struct { const char **v; uint32_t n; } mirrors;	/* HOST[:PORT][/PATH], tried first, in order */
	bool insecure;			/* plain HTTP, and TLS without a known CA, are fine */
	const char *ca;			/* PEM text; NULL: those of the system */
};

enum pull_verdict { PULL_ACCEPT, PULL_REJECT, PULL_SIGNED, PULL_VERDICTS };

struct pull_rule {			/* the longest match counts */
	const char *match;		/* "", "ghcr.io", "ghcr.io/x", or with "@sha256:HEX" */
	enum pull_verdict verdict;
	const char *key;		/* PULL_SIGNED: public key, PEM text */
};

enum pull_task {
	PULL_IMAGE,
	PULL_LOGIN,		/* do the credentials open the registry called image? */
	PULL_GC,		/* remove what is not used */
	PULL_EXPORT,		/* write image to descriptor 3 as an oci-archive */
	PULL_TASKS
};

struct pull_gc {
	bool all;			/* struct image_gc has the meaning of all of these */
	unsigned high, low, min_age_s;
	struct { const char **v; uint32_t n; } in_use;
};

struct pull_job {
	enum pull_task task;
	const char *store;		/* its directory */
	const char *image;		/* as struct reference has its name */
	const char *name;		/* what the store shall call it; NULL: the same */
	const char *architecture;	/* of Go: amd64, arm64 */
	struct pull_gc gc;
	struct { const char **v; uint32_t n; } auths;	/* texts of auth files, first match first */
	struct { struct pull_registry *v; uint32_t n; } registries;
	struct { struct pull_rule *v; uint32_t n; } policies;
	struct { const char **v; uint32_t n; } environment;	/* https_proxy=..., no_proxy=... */
};

void pull_job_format(const struct pull_job *job, struct buf *out);
int pull_job_parse(struct arena *a, const char *text, size_t n, struct pull_job *ret,
		   struct err *err);

enum pull_news_kind {
	PULL_PROGRESS,		/* "progress DONE TOTAL" */
	PULL_DONE,		/* "done DIGEST SIZE"; PULL_GC: bytes that were freed */
	PULL_FAILED,		/* "failed RETRY-AFTER-SECONDS REASON TEXT" */
};

struct pull_news {
	enum pull_news_kind kind;
	uint64_t done, total;		/* bytes; PULL_DONE: total is the size */
	const char *digest;
	unsigned retry_after;		/* seconds that a registry asked for; 0: it did not */
	const char *reason;		/* "ErrImagePull", "SignatureValidationFailed" */
	const char *text;
};

/* line is without its newline, and is cut up; -EBADMSG. */
int pull_news_parse(char *line, struct pull_news *ret);
void pull_news_format(const struct pull_news *n, struct buf *out);
