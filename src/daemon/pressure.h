/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's signals, measured every 10 s, and every second while something has to be gained.
 * What they mean, and which pod goes, is control's business (control/eviction.h); here is what
 * control has to know of earlier looks. Of a disk that is short, what nobody uses is removed
 * before any pod is.
 */
#pragma once

#include "base/loop.h"
#include "control/eviction.h"

struct arena;
struct daemon;
struct observed;
struct wanted;

struct pressure {
	struct daemon *d;
	struct loop_timer timer;
	struct eviction_rules rules;
	struct eviction_state state;
	struct observed_node node;
	int64_t waits_since;		/* for pods that go to be gone; 0: for none */
	bool cleaning;			/* unused images are being removed */
};

void pressure_start(struct daemon *d);
void pressure_end(struct daemon *d);
/* Before runtime_observe(): what control will ask for is measured. */
void pressure_observe(struct daemon *d, struct observed *ret);
/* After the pass: was somebody chosen? */
void pressure_decided(struct daemon *d, const struct wanted *w);
