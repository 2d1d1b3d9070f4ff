/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to a generation: what the directory says, minus what may not be taken away yet.
 * Built for a plan and for an apply alike; only apply goes on to admit and record it.
 */
#pragma once

#include "daemon/daemon.h"

void generation_build(struct daemon *d, const struct plan_options *o, struct generation *ret);
/* The manifests in force again, with the holds as they are now. */
void generation_of_applied(struct daemon *d, struct generation *ret);
/* The set that a recorded revision describes, without holds. */
struct set *generation_of_revision(const struct revision *r);
void generation_release(struct generation *g);

/* Fills in uids, addresses and ports without taking them: for a plan. */
int generation_admit_dry(struct daemon *d, struct generation *g, struct err *err);

/* Records g->set as the next revision (none when the files and holds in force are the
 * same as before), admits it and puts it in force; takes its parts. */
int generation_apply(struct daemon *d, struct generation *g, const char *cause, struct err *err);

/* "web.yaml changed, db.yaml added": how the manifests of two sets differ; "" when they do not.
 * before may be NULL. */
void generation_cause(const struct set *before, const struct set *after, struct buf *out);
