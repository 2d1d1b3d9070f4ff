/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs, as values: made by room runtime from shims, read by control and plan. */
#pragma once

#include "model/endpoints.h"
#include "model/eviction.h"
#include "model/object.h"

enum pod_stage {
	POD_STARTING,		/* sandbox is being made */
	POD_UP,			/* sandbox exists */
	POD_STOPPING,		/* drain, signal or grace period */
	POD_DOWN,		/* no process left; run directory and cgroup still there */
	POD_BROKEN,		/* sandbox could not be made, or the shim died: message says why */
};

enum run_phase { RUN_CREATED, RUN_RUNNING, RUN_ENDED, RUN_FAILED };

struct run_end {
	int exit_code, signal;
	bool oom_killed;
	int64_t started_at, finished_at;
};

enum probe_kind { PROBE_READINESS, PROBE_LIVENESS, PROBE_STARTUP, PROBE_KINDS };

/* What a container uses, as it was measured last. */
struct container_use {
	int64_t at;		/* 0: it was not */
	int64_t window;		/* over which cpu was averaged */
	int64_t cpu_milli, memory;
};

/* A start that was given up before there was a process: nothing ran, and nothing is counted. */
enum start_fault { FAULT_NONE, FAULT_MOUNT, FAULT_CONFIG, FAULT_CREATE };

struct start_refusal {
	enum start_fault fault;
	uint32_t times;		/* in a row */
	int64_t at;		/* the last of them */
	const char *message;
};

struct observed_container {
	const char *name;
	struct container_use used;
	enum run_phase phase;
	uint32_t attempt;	/* number of restarts so far */
	uint32_t backoff;	/* restarts since the last clean run */
	int64_t started_at;
	struct run_end end;	/* RUN_ENDED */
	struct run_end last;	/* the run before; finished_at 0: none */
	bool configured[PROBE_KINDS], decided[PROBE_KINDS], passed[PROBE_KINDS];
	bool warned[PROBE_KINDS];	/* the verdict came with a warning */
	int64_t probe_told_at[PROBE_KINDS];	/* when the verdict that has a message came; 0: none */
	const char *probe_message[PROBE_KINDS];
	bool hook_runs, hook_failed;	/* postStart: until it has passed, the container is not started */
	const char *hook_message[2];	/* why postStart, preStop failed */
	const char *message;	/* RUN_FAILED: why it could not be started */
	struct start_refusal refused;	/* the last start was; phase is that of the run before */
	const char *last_words;	/* RUN_ENDED: its termination message */
	const char *image_id;	/* "rootfs:/PATH" or HOST/PATH@DIGEST; NULL: it was not started */
	int64_t memory, pids;	/* working set and processes, when somebody wants to know */
	bool pending;		/* a start or kill was sent and not yet answered */
	bool outdated;		/* this run began before a change of resources that it restarts for */
	const struct container_resources *in_force;	/* NULL: those of its specification */
};

/* The last change of its resources. */
struct observed_resize {
	int64_t generation;	/* that asked for it */
	int64_t started_at, tried_at, failed_at;
	int64_t done_at;	/* 0: something still has what it had before */
	const char *error;	/* why, when it is not for a restart; NULL: for nothing */
};

/* What a pod has on the node's disk, in bytes. */
struct pod_usage {
	int64_t *volumes;	/* emptyDirs on disk, by index of the volume */
	int64_t *containers;	/* writable layer and logs, by pod_container() */
	int64_t inodes;		/* files in all of them */
};

struct observed_pod {
	const struct object *object;	/* the Pod as it was created */
	uint64_t stamp;			/* of the object */
	enum pod_stage stage;
	uint32_t ip;
	int64_t created_at;
	int64_t stopped_at;	/* when it was told to stop; 0: it was not */
	int64_t ready_since;	/* all containers ready since then; 0: not ready */
	uint64_t config_digest;	/* set_config_hash(volumes) of what its volumes hold */
	const struct pod_usage *usage;	/* NULL: not measured */
	const char *evicted;	/* it was: why; NULL: it was not */
	const struct observed_resize *resize;	/* NULL: there was none */
	const char *message;
	struct observed_container *containers;
	uint32_t ncontainers;
	struct { struct observed_container *v; uint32_t n; } ephemerals;	/* as object lists them */
};

/* What the node has, and has left. capacity 0: not known. */
struct observed_node {
	int64_t at;		/* when it was measured */
	int64_t available[SIGNALS], capacity[SIGNALS];
};

enum image_pull { IMAGE_IDLE, IMAGE_PULLING, IMAGE_FAILED };

/* What orchd knows of an image that a pod asked for, and of the last pull. */
struct observed_image {
	const char *image;	/* as in the manifest */
	uint64_t credentials;	/* as wanted_image has it */
	bool present;		/* in the store */
	const char *digest;	/* present: of its manifest */
	uint64_t size;		/* bytes of its layers */
	enum image_pull pull;
	uint64_t done, total;	/* IMAGE_PULLING: bytes; total 0: not yet known */
	unsigned quarters;	/* of them, in full */
	int64_t started_at;	/* the last pull: asked for, */
	int64_t begun_at;	/* when its turn came, */
	int64_t quarter_at;	/* the last of its quarters, */
	int64_t pulled_at;	/* and its good end; 0: there was none since orchd started */
	int64_t failed_at, retry_at;	/* IMAGE_FAILED */
	const char *reason, *message;	/* "ErrImagePull", what went wrong */
};

struct observed {
	struct observed_pod *pods;	/* sorted by namespace, name */
	uint32_t npods;
	struct object_list derived;	/* objects that control made and the store keeps, sorted */
	const struct service_entry *services;	/* what the service maps hold, sorted */
	uint32_t nservices;
	bool services_known;		/* false: not written since the start, so write them */
	const struct observed_node *node;	/* NULL: not measured */
	const struct observed_image *images;
	uint32_t nimages;
};

/* With all that it points to, but for the body of the object. */
struct observed_pod *observed_pod_copy(struct arena *a, const struct observed_pod *p);
/* Is nothing known to differ, the object by its stamp? */
bool observed_pod_same(const struct observed_pod *x, const struct observed_pod *y);
const struct observed_image *observed_image(const struct observed *o, const char *image,
					    uint64_t credentials);
const struct observed_pod *observed_find(const struct observed *o, const char *ns,
					 const char *name);
/* Ended by a signal, with another code than 0, or could not be started. */
bool observed_container_failed(const struct observed_container *c);
/* Runs, and what follows a sidecar may start: its startup probe has passed, or there is none. */
bool observed_container_started(const struct observed_container *c);
/* Running, and its readiness (and startup) probe passes or there is none. */
bool observed_container_ready(const struct observed_container *c);
