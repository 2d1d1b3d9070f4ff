/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * describe in kubectl's layout. Everything is written with tabs between label and value, and
 * aligned at the end. The text is kubectl's, so that eyes and scripts find what they know.
 */
#pragma once

#include "cli/print.h"

struct describe {
	struct cli *c;
	struct buf out;		/* still with tabs */
	struct buf *done;
};

void put_raw(struct describe *d, const char *text);	/* tabs in it are the user's own */

/* "label:\t" and the value, at a level of two blanks each. */
void put_line(struct describe *d, unsigned level, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The value at a path as text; "" when it is not there. */
const char *text_at(struct describe *d, json_t *o, const char *path);
const char *text_or(struct describe *d, json_t *o, const char *path, const char *otherwise);
/* "k=v", one a line, after a label; sep is "=" or ": ". */
void put_map(struct describe *d, unsigned level, const char *label, json_t *map, const char *sep);
const char *long_time(struct describe *d,
		      const char *rfc3339); /* Sat, 21 Nov 2026 10:00:00 +0000 */
const char *labels_line(struct describe *d, json_t *map);	/* "a=b,c=d", "<none>" */

/* Of a pod specification; statuses may be NULL. */
void put_containers(struct describe *d, unsigned level, json_t *spec, json_t *status);
void put_volumes(struct describe *d, unsigned level, json_t *spec);
void put_pod(struct describe *d, json_t *o);

/* describe_kinds.c */
void put_template(struct describe *d, json_t *template);
void put_deployment(struct describe *d, json_t *o);
void put_replicaset(struct describe *d, json_t *o);
void put_service(struct describe *d, json_t *o);
void put_endpoints(struct describe *d, json_t *o);
void put_configmap(struct describe *d, json_t *o);
void put_secret(struct describe *d, json_t *o);
void put_event(struct describe *d, json_t *o);
void put_rest(struct describe *d, json_t *o);	/* of any kind: what is not metadata, as YAML */

/* describe_policy.c */
void put_namespace(struct describe *d, json_t *o);
void put_quota(struct describe *d, json_t *o);
void put_limit_range(struct describe *d, json_t *o);

/* describe_jobs.c */
void put_job(struct describe *d, json_t *o);
void put_cronjob(struct describe *d, json_t *o);

/* "Pod Template:" and what is below, to standard output. */
void describe_template(struct cli *c, json_t *template);
/* One object with its events (NULL: not asked for), as text. */
void describe_text(struct cli *c, const struct kind *k, json_t *o, json_t *events, struct buf *out);
