/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control decides, as values: the other half of plan's merge-walk. */
#pragma once

#include "model/endpoints.h"
#include "model/object.h"

struct wanted_container {
	const char *name;
	bool run;		/* should run now: start it when it does not */
	bool kill;		/* runs and has to be killed (liveness); restart follows */
	uint32_t attempt, backoff;	/* of the start, when run */
	uint32_t grace_s;	/* of the kill */
	const char *why;
};

/* Where a volume of the pod that is a claim leads. */
struct wanted_volume {
	const char *name;
	const char *path;	/* of the host */
	enum host_path_type type;	/* what must be there, or is made */
	bool read_only;
	bool own;		/* an fsGroup is given to what is in it */
	bool block;		/* a device, not a directory: */
	bool file;		/* a file that becomes one */
};
struct wanted_volumes { struct wanted_volume *v; uint32_t n; };

struct wanted_pod {
	struct object object;		/* for a new pod complete; else the observed one, with
					 * metadata as wanted now */
	bool stop;			/* out of the services, drained, stopped and removed */
	bool unscheduled;		/* it has no place yet, and is shown without a node */
	uint32_t grace_s;
	const char *why;		/* "replaced: image changed", "scaled down", "new" */
	uint32_t settled;		/* 1 + its place in what is observed: it runs as it is
					 * wanted, and nothing is to be done; 0: that is not known */
	const char *evict;		/* it is not yet recorded why the pod is evicted */
	const char *resize;		/* why resources of its containers change in place; NULL: not now */
	unsigned resize_restarts;	/* containers that restart for it */
	const char *resize_waits;	/* why they do not change yet, "deferred: ..."; NULL: they do */
	const struct pod_spec *declared;	/* resize_waits: what is asked for, and shown */
	uint64_t config_digest;		/* what its volumes should hold */
	struct wanted_volumes volumes;	/* claims that are bound */
	struct wanted_container *containers;
	uint32_t ncontainers;
	struct pod_status *status;
};

struct wanted_image {			/* that a container waits for */
	const char *image;
	uint64_t credentials;	/* image_credentials(): what secrets hold */
	struct { const struct object **v; uint32_t n; } secrets;	/* imagePullSecrets */
	bool pull;		/* when it is absent; */
	bool refresh;		/* also when it is there */
};

struct wanted_status {			/* of a declared object or ReplicaSet */
	struct object_key key;
	const void *status;		/* struct deployment_status, ... */
	bool scaled;			/* it has other replicas than its manifest says: */
	int32_t replicas;
};

/* What a Deployment's manifest says did not run in time: its old template is to be held. */
struct wanted_rollback {
	struct object_key key;
	uint32_t revision;
};

struct wanted_event {
	struct object_key key;
	const char *uid;
	bool warning;
	const char *reason, *message;
	int64_t when;		/* the same words at the same time are the same event, told again */
};

struct wanted {
	struct arena *arena;
	struct { struct wanted_pod *v; uint32_t n; } pods;	/* sorted by namespace, name */
	struct object_list shown;	/* in place of what is declared: storage */
	struct object_list derived;	/* all that should be stored, sorted, with status */
	struct { struct service_entry *v; uint32_t n; } services;	/* sorted by ip, proto, port */
	struct { struct object *v; uint32_t n; } endpoints;	/* kind Endpoints, sorted */
	struct { struct wanted_status *v; uint32_t n; } statuses;
	struct { struct wanted_event *v; uint32_t n; } events;
	struct { struct wanted_rollback *v; uint32_t n; } rollbacks;
	struct { struct wanted_image *v; uint32_t n; } images;
	int64_t wake;		/* when time alone changes something, ns since the epoch; 0: never */
};
