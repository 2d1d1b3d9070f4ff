/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User namespaces of pods: which have one, and whose ids are whose. Every pod that has one owns a
 * range of ids of the node until the last file that may belong to them is removed; no two ranges
 * ever overlap, also when the pool was changed between two runs of orchd. Which range a pod has is
 * kept in its record.
 */
#pragma once

#include "model/object.h"
#include "runtime/runtime.h"

#define USERNS_IDS 65536u	/* of one range */

struct userns {
	struct userns_pool pool;
	uint32_t *taken;	/* first ids, in no order */
	uint32_t ntaken, room;
	uint32_t next;		/* number of the range to look at first: a range rests a while */
};

bool userns_wanted(const struct userns *u, const struct pod_spec *s);
/* -ENOSPC when all are taken. */
int userns_take(struct userns *u, uint32_t *ret_first, struct err *err);
void userns_claim(struct userns *u, uint32_t first);	/* that an orchd before us had taken */
void userns_free(struct userns *u, uint32_t first);
void userns_release(struct userns *u);
