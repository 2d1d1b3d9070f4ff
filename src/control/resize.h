/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resources of pods that run, changed in place. */
#pragma once

#include "control/schedule.h"

struct resize {				/* that its manifest asks for */
	struct pod_spec desired;	/* completed; apart from resources what the pod has */
	const struct pod_spec *shown;	/* as declared */
	const char *hash;		/* of the words in the manifest */
	int64_t since;			/* when it was asked for */
	const char *reason, *message;	/* why it waits; NULL: it does not */
};

/* The pod, which has its metadata as it is wanted, is to have these resources. */
void resize_ask(struct pass *p, struct member *m, const struct resize *asked);
/* What was asked for and is not there yet is not asked for any more. */
void resize_forget(struct pass *p, struct member *m);
/* Those of pods that have their place, or need none: what there is room for is so from now on. */
void resizes_decide(struct pass *p);
/* More than the pod is to have: what waits, and what is about to be given back, is still its own. */
void resize_need(struct pass *p, const struct member *m, struct room_need *n);

/* resize_status.c: conditions and events */
void resize_show(struct pass *p, const struct member *m, struct pod_status *s);
/* Requests and limits of a container, as they are and as they are set aside for it. */
void resize_show_container(struct pass *p, const struct member *m, uint32_t index,
			   struct container_status *s);
