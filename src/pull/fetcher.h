/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fetcher: the half of orch-pull that has no rights. It finds out what an image consists of,
 * asks the keeper for a place for each part that is missing, and fills it. Where the parts come
 * from is a source: a registry, or a directory. Its message to the keeper ends it, good or bad.
 */
#pragma once

#include "base/reference.h"
#include "image/job.h"
#include "pull/manifest.h"
#include "pull/protocol.h"
#include "pull/transfer.h"

struct fetcher;

/* A part of an image on its way to the store or into memory. */
struct part {
	struct descriptor d;
	const char *what;	/* "layer", "config", for messages */
	const char *diff;	/* a layer's: of its uncompressed tar; NULL: no layer */
	int fd;			/* where it goes; -1: text */
	struct buf text;
	bool arrived;
};

struct source {
	/* Digest, size and type of a manifest without its text; 0 and no digest: nobody says.
	 * NULL: this source has nothing to ask first. */
	int (*resolve)(struct fetcher *f, const char *which, struct descriptor *ret,
		       struct err *err);
	/* which: a tag, a digest, NULL for the only one. type is what the source says it is. */
	int (*manifest)(struct fetcher *f, const char *which, struct buf *out, const char **ret_type,
			struct err *err);
	/* All of them, in any order; each is handed to fetcher_arrived() as it is there. */
	int (*parts)(struct fetcher *f, struct part *v, unsigned n, struct err *err);
	void (*close)(struct fetcher *f);
};

struct fetcher {
	struct arena arena;
	const struct pull_job *job;
	struct reference ref;
	struct platform platform;
	int keeper;			/* socket */
	int memory;			/* memfd that the record goes to */
	const struct source *source;
	void *source_state;
	struct transfers http;
	uint64_t total, before;		/* bytes of parts; of those that were there already */
	int64_t told_at;		/* the last progress */
	unsigned retry_after;		/* that a registry asked for */
	const char *reason;		/* of the failure; NULL: ErrImagePull */
};

/* Runs in the sandbox and returns the exit status of its process. */
int fetcher_run(const struct pull_job *job, int keeper, int memory);

/* Asks the keeper; the answer comes over *m, a descriptor in *ret_fd when it sent one. */
int fetcher_ask(struct fetcher *f, struct fetch_msg *m, int *ret_fd, struct err *err);
int fetcher_tell(struct fetcher *f, const struct fetch_msg *m, struct err *err);
void fetcher_progress(struct fetcher *f, uint64_t received);
int fetcher_arrived(struct fetcher *f, struct part *p, struct err *err);
/* A part as text, its digest checked; keep: in the store, too. */
int fetcher_text(struct fetcher *f, const char *what, const struct descriptor *d, bool keep,
		 struct buf *out, struct err *err);

void digest_of(const void *data, size_t n, char ret[DIGEST_TEXT]);

/* registry.c, directory.c */
extern const struct source registry_source, oci_source, docker_source;
/* registry.c: do the credentials of the job open host? */
int registry_login(struct fetcher *f, const char *host, struct err *err);

/* policy.c: may this image be used? digests: of the index and of the manifest, NULL-terminated;
 * before anything is known of them an empty list. */
int policy_check(struct fetcher *f, const char *const *digests, struct err *err);
/* signature.c: one of the image's signatures is by this key (PEM). */
int signature_check(struct fetcher *f, const char *key, const char *const *digests,
		    struct err *err);
