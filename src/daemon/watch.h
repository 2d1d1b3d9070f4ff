/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config directory. inotify(7) is only a hint that something may have changed: after the
 * settle window the directory is walked and files whose stat changed are read; what counts is the
 * content digest. An overflow, a lost watch or a vanished directory lead to the same walk. A file
 * that does not parse keeps its last good manifest in force. When no manifest at all is found
 * where there were some (empty, missing or unmounted directory), everything stays in force.
 */
#pragma once

#include "base/loop.h"
#include "model/set.h"

struct watch;

struct watch_events {
	void (*changed)(void *data);	/* the manifests in force, or messages about files, differ */
	void *data;
};

/* seed: manifests in force before this start (of the last revision); references are taken. */
int watch_new(struct loop *l, const char *dir, unsigned settle_ms, struct manifest *const *seed,
	      uint32_t nseed, struct watch_events ev, struct watch **ret, struct err *err);
void watch_free(struct watch *w);

/* Walks now, without waiting for the settle window; true when something changed. Who only looks
 * takes nothing away from others: changed() follows all the same, until watch_taken(). */
bool watch_scan(struct watch *w);
/* What was found so far is acted on. Without this changed() is called again with the next walk. */
void watch_taken(struct watch *w);

/* In force, and failing newest versions; both valid until the next scan. */
void watch_manifests(const struct watch *w, struct manifest ***ret_good, uint32_t *ret_ngood,
		     struct manifest ***ret_broken, uint32_t *ret_nbroken);
/* Why nothing found is not taken as "delete everything"; NULL when all is well. */
const char *watch_warning(const struct watch *w);
