/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request and its reply, free of the HTTP library: handlers read the one and fill the other.
 * A reply is a body, or a stream (watches, followed logs) that is asked for more whenever the
 * client can take more and something may have changed, or the raw connection (exec).
 */
#pragma once

#include "daemon/daemon.h"

struct request;
struct stream;

#define REQUEST_ARGS 4

struct reply {
	unsigned code;			/* HTTP status; 0 counts as 200 */
	const char *type;		/* NULL: application/json */
	struct buf body;
	struct stream *stream;		/* instead of body; owned by the reply */
	/* instead of both: 101 to protocol upgrade, then the connection is handed over; it must be
	 * given back with http_close() */
	const char *upgrade;
	void (*upgraded)(void *data, int fd, void *connection);
	void (*dropped)(void *data);	/* instead: the client went away before */
	void *upgrade_data;
};

struct request_values {
	struct request_value { const char *key, *value; } *v;
	uint32_t n;
};

struct request {
	struct daemon *d;
	const char *method, *path;
	const char *args[REQUEST_ARGS];	/* what the pattern's :words stood for, in order */
	struct request_values query, headers;
	struct arena arena;
};

/* NULL when absent. The value of a repeated key by index. */
const char *request_query(const struct request *q, const char *key);
unsigned request_query_all(const struct request *q, const char *key, const char **v, unsigned max);
const char *request_header(const struct request *q, const char *name);
bool request_flag(const struct request *q, const char *key);	/* true, 1, or present and empty */
int64_t request_int(const struct request *q, const char *key, int64_t dflt);

struct stream {
	/* Appends what there is to out; false when the stream has ended. Called again after
	 * http_wake(), or when anything in the view changed. */
	bool (*more)(struct stream *s, struct buf *out);
	void (*free)(struct stream *s);
	void *waiter;			/* of http.c */
};
void http_wake(struct stream *s);
void http_close(void *connection);

/* Fills the reply with a Kubernetes Status object. */
void reply_status(struct reply *r, unsigned code, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void reply_not_found(struct reply *r, const struct kind *kind, const char *name);
void reply_error(struct reply *r, const struct err *err);	/* by errno */

typedef void (*handler)(struct request *q, struct reply *r);
/* Finds the handler for method and path; fills in the reply itself when there is none. */
void route(struct request *q, struct reply *r);

#define METRICS_VERSION "metrics.k8s.io/v1beta1"

/* api_discovery.c, api_objects.c, api_logs.c, api_metrics.c, api_orch.c, api_images.c, api_exec.c */
void api_version(struct request *q, struct reply *r);
void api_healthy(struct request *q, struct reply *r);
void api_versions(struct request *q, struct reply *r);
void api_groups(struct request *q, struct reply *r);
void api_group(struct request *q, struct reply *r);
void api_resources(struct request *q, struct reply *r);
void api_list(struct request *q, struct reply *r);
void api_get(struct request *q, struct reply *r);
void api_log(struct request *q, struct reply *r);
void api_pod_metrics_list(struct request *q, struct reply *r);
void api_pod_metrics(struct request *q, struct reply *r);
void api_node_metrics(struct request *q, struct reply *r);
void api_plan(struct request *q, struct reply *r);
void api_apply(struct request *q, struct reply *r);
void api_revisions(struct request *q, struct reply *r);
void api_revision(struct request *q, struct reply *r);
void api_status(struct request *q, struct reply *r);
void api_rollout(struct request *q, struct reply *r);
void api_rollout_status(struct request *q, struct reply *r);
void api_images(struct request *q, struct reply *r);
void api_image_inspect(struct request *q, struct reply *r);
void api_image_pull(struct request *q, struct reply *r);
void api_image_remove(struct request *q, struct reply *r);
void api_image_prune(struct request *q, struct reply *r);
void api_image_export(struct request *q, struct reply *r);
void api_image_login(struct request *q, struct reply *r);
void api_image_logout(struct request *q, struct reply *r);
void api_exec(struct request *q, struct reply *r);
void api_attach(struct request *q, struct reply *r);
void api_debug(struct request *q, struct reply *r);
void api_root(struct request *q, struct reply *r);
void api_port_forward(struct request *q, struct reply *r);
void api_exec_end(struct daemon *d);	/* closes all sessions */
