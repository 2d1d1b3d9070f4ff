/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of orch-pull: a job goes in, news comes out, line by line, as they happen. The job is in
 * memory only (memfd_create(2)). It never outlives orchd: when nobody reads its news, it ends.
 */
#pragma once

#include "base/loop.h"
#include "image/job.h"

struct puller;

struct puller_events {
	void (*news)(void *data, const struct pull_news *n);
	/* The process has ended, after PULL_DONE or PULL_FAILED; the puller is gone. */
	void (*ended)(void *data);
	void *data;
};

/* data_fd: becomes descriptor 3, the caller keeps his; -1: none. */
int puller_start(struct loop *l, const char *program, const struct pull_job *job, int data_fd,
		 struct puller_events ev, struct puller **ret, struct err *err);
void puller_end(struct puller *p);	/* now, and not from within an event: orchd ends */
void puller_drop(struct puller *p);	/* ends it; no more events */
