/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP transfers with libcurl: several at a time, into memory or a file, resumed where they broke.
 * What a server's answer means is the caller's business: finished() is called after each attempt
 * and says whether to try again. Limits are kept while bytes come, not after.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TRANSFER_PARALLEL 3

enum transfer_next { TRANSFER_DONE, TRANSFER_AGAIN, TRANSFER_FAILED };

struct http_access {
	bool plain;		/* http:// was agreed to */
	bool unverified;	/* any certificate will do */
	const char *ca;		/* PEM text; NULL: the system's */
};

struct transfer {
	/* what is asked for */
	char *url;
	char *authorization;		/* value of the header; NULL: none */
	const char *accept;		/* media types; NULL: any */
	char *post;			/* form to be posted; NULL: GET or HEAD */
	bool head;			/* only what there is to be said of it */
	struct http_access access;
	int fd;				/* gets the body, from its end on; -1: body does */
	uint64_t limit;			/* of the body's bytes in all */
	bool exact;			/* and it has to be so many */
	unsigned patience;		/* so many attempts may be made */
	enum transfer_next (*finished)(struct transfer *t);
	void *data;
	/* the answer */
	struct buf body;		/* of a failure: what the server says, cut off */
	long code;			/* HTTP status; 0: there was no answer */
	CURLcode result;
	int error;			/* -errno of a write, -EFBIG, or 0 */
	char message[CURL_ERROR_SIZE];
	char type[128];			/* Content-Type */
	char challenge[2048];		/* WWW-Authenticate */
	char digest[128];		/* Docker-Content-Digest */
	uint64_t length;		/* Content-Length; 0: not told */
	unsigned retry_after;
	/* inside */
	struct transfers *all;
	CURL *easy;
	struct curl_slist *headers;
	uint64_t got;			/* in the file or body */
	unsigned attempts;
	int64_t not_before;		/* CLOCK_MONOTONIC ns, of the next attempt */
	bool running, over, told;
};

struct transfers {
	CURLM *multi;
	uint64_t received;		/* bytes of bodies into files, over all */
	void (*progress)(void *data);	/* now and then; may be NULL */
	void *data;
};

int transfers_init(struct transfers *all);
void transfers_release(struct transfers *all);

/* Runs them until each is done, or one of them failed: then -EIO and the rest is dropped. */
int transfers_run(struct transfers *all, struct transfer *const *v, unsigned n);
void transfer_release(struct transfer *t);	/* an all-zero one with fd -1 is fine */

/* Is this a failure that another attempt may cure: the connection, 5xx? */
bool transfer_may_recover(const struct transfer *t);
/* Tries again after a pause that grows; TRANSFER_FAILED when that was done often enough. */
enum transfer_next transfer_retry(struct transfer *t);
/* What went wrong, in words: "connection refused", "503 Service Unavailable: ...". */
void transfer_describe(const struct transfer *t, struct buf *out);
