/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images for pods: which are there, which are being pulled and how far, which failed and when they
 * are tried again (10 s doubling to 300 s, or when the registry says). An entry is an image as
 * manifests name it with the credentials it is pulled with; nobody asks for it: after a while it
 * is forgotten. Pulling is the business of processes (puller.h), at most so many at a time.
 */
#pragma once

#include "daemon/settings.h"
#include "image/job.h"
#include "image/store.h"
#include "model/observed.h"
#include "model/wanted.h"

struct images;
struct loop;

struct images_events {
	void (*changed)(void *data);
	void *data;
};

/* program: orch-pull. The store is STATE/images. */
int images_new(struct loop *l, const struct settings *s, const char *program,
	       struct images_events ev, struct images **ret, struct err *err);
void images_free(struct images *im);	/* pulls end */
struct image_store *images_store(struct images *im);

void images_observe(struct images *im, struct arena *a, struct observed *ret);
/* What pods wait for: looks for it, begins pulls that are due. */
void images_want(struct images *im, const struct wanted *w);
/* Removes all that is not in use, whatever the thresholds say. */
void images_collect_unused(struct images *im);
bool images_collecting(const struct images *im);
bool images_busy(const struct images *im);
/* The store was changed by somebody else: whether images are there is asked again. */
void images_forget(struct images *im);
void images_removed(struct images *im);	/* a name: what only it needed goes, too */

/* A job of its own, for a person who waits; *io gets all that the settings say. */
int images_job(struct images *im, struct arena *a, enum pull_task task, struct pull_job *io,
	       struct err *err);
const char *images_program(const struct images *im);

/* Puts user and password for registry into STATE/auth.json, 0600; user NULL: takes them out. */
int images_put_credentials(struct images *im, const char *registry, const char *user,
			   const char *password, struct err *err);
