/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods on this machine: makes run directory, volumes, cgroup, address and shim of a pod, speaks
 * with the shims, adopts them after a restart of orchd, and tells what runs as struct observed.
 * All calls return at once; what a shim answers later changes what runtime_observe() says and
 * calls changed(). Nothing is decided here.
 */
#pragma once

#include "base/loop.h"
#include "model/observed.h"
#include "model/set.h"
#include "model/wanted.h"
#include "net/net.h"
#include "sys/cgroup.h"

struct image_store;
struct runtime;

/* User namespaces: ranges of 65536 ids, the first one begins with first. */
struct userns_pool {
	uint32_t first, count;
	bool by_default;		/* also for pods that do not ask for it, where it is possible */
};

/* An OCI runtime that RuntimeClasses know by its name. */
struct runtime_handler { const char *name, *path; };

struct runtime_settings {
	const char *run_dir, *state_dir, *log_dir;
	const char *config_dir;		/* hidden from containers as those are; may be NULL */
	const char *shim;		/* path of the orch-shim program */
	const char *programs;		/* directory of those that shims start */
	struct strs unsafe_sysctls;	/* patterns; the strings live as long as the room */
	struct image_store *images;	/* NULL: only rootfs:/PATH can be run */
	const char *cluster_domain;
	const char *node_name;
	uint32_t drain_ms;		/* at most so long are established connections waited for */
	uint64_t log_max_bytes;
	uint32_t log_max_files;
	int64_t pod_pids;		/* of a pod; 0: no limit */
	uint32_t memory_qos;		/* thousandths of memoryThrottlingFactor; 0: no memory.min, .high */
	struct userns_pool userns;
	struct { struct runtime_handler *v; uint32_t n; } handlers;	/* live as long as the room */
};

struct runtime_events {
	void (*changed)(void *data);	/* something observed is different */
	void *data;
};

/* Adopts the pods of RUN/pods: connects to their shims, claims their addresses. */
int runtime_new(struct loop *l, const struct runtime_settings *s, struct net *net,
		struct cgroup_fs *cg, struct runtime_events ev, struct runtime **ret,
		struct err *err);
void runtime_free(struct runtime *r);	/* pods go on */
unsigned runtime_adopted(const struct runtime *r);

/* Adopted shims have all answered (or are known dead): until then observed is incomplete and
 * nobody may act on it. */
bool runtime_settled(const struct runtime *r);

void runtime_observe(struct runtime *r, struct arena *a, struct observed *ret);

/* Actions. set gives the ConfigMaps and Secrets. A failure leaves the pod BROKEN or the container
 * FAILED with a message, and is returned, too. */
int runtime_pod_create(struct runtime *r, const struct wanted_pod *p, const struct set *set,
		       struct err *err);
int runtime_pod_update(struct runtime *r, const struct wanted_pod *p, const struct set *set,
		       struct err *err);
/* Its containers have other requests and limits from now on, as far as memory in use and their
 * resizePolicy allow; again for what was not possible. */
int runtime_pod_resize(struct runtime *r, const struct wanted_pod *p, const struct set *set,
		       struct err *err);
int runtime_volumes_update(struct runtime *r, const struct wanted_pod *p, const struct set *set,
			   struct err *err);
int runtime_container_start(struct runtime *r, const struct wanted_pod *p,
			    const struct wanted_container *c, const struct set *set,
			    struct err *err);
int runtime_container_kill(struct runtime *r, const char *ns, const char *pod,
			   const char *container, uint32_t grace_s, struct err *err);
int runtime_pod_stop(struct runtime *r, const char *ns, const char *pod, uint32_t grace_s,
		     struct err *err);
/* Its containers never start again, also not after orchd did. What they wrote goes once they ended. */
int runtime_pod_evict(struct runtime *r, const char *ns, const char *pod, const char *why,
		      struct err *err);
int runtime_pod_remove(struct runtime *r, const char *ns, const char *pod, struct err *err);

/* The machine: thousandths of processors, bytes of memory and of the disk with the state. */
void runtime_node(const struct runtime *r, int64_t *ret_cpu_milli, int64_t *ret_memory,
		  int64_t *ret_disk);

/* Directories of volumes. One is removed a little later, outside of the pass, and only from among
 * them. */
int runtime_volume_make(struct runtime *r, const char *dir, struct err *err);
/* The same for a block volume: a sparse file, which may grow. */
int runtime_block_make(struct runtime *r, const char *file, int64_t size, struct err *err);
void runtime_volume_remove(struct runtime *r, const char *dir);

/* exec: the descriptors come through done(); then exited() once. Both get data. */
struct runtime_exec {
	const char *ns, *pod, *container;	/* container NULL: the first */
	const char *const *argv;
	bool tty;
	uint16_t rows, cols;
	void (*done)(void *data, int error, const char *message, const int *fds, unsigned nfds);
	void (*exited)(void *data, int exit_code);
	void *data;
};
int runtime_exec(struct runtime *r, const struct runtime_exec *e, uint64_t *ret_id,
		 struct err *err);
void runtime_exec_resize(struct runtime *r, uint64_t id, uint16_t rows, uint16_t cols);
void runtime_exec_forget(struct runtime *r, uint64_t id);	/* no more callbacks */

/* Adds an ephemeral container: name, image, target, command, stdin and tty count. -EBUSY: there is
 * one of that name. */
int runtime_debug(struct runtime *r, const char *ns, const char *pod,
		  const struct ephemeral_container *e, const struct set *set, struct err *err);

/* Attaches to what a container says, and, with input, to what it reads: the descriptors come through
 * done() as shim/protocol.h says of SHIM_ATTACH. They end by themselves. */
struct runtime_attach {
	const char *ns, *pod, *container;	/* container NULL: the first */
	bool input;
	void (*done)(void *data, int error, const char *message, const int *fds, unsigned nfds);
	void *data;
};
int runtime_attach(struct runtime *r, const struct runtime_attach *a, uint64_t *ret_id,
		   struct err *err);

/* The root directory of a container as it sees it, through done(), and who its processes are: as the
 * host numbers them, and where they begin. */
struct runtime_root {
	const char *ns, *pod, *container;	/* container NULL: the first */
	void (*done)(void *data, int error, const char *message, const int *fds, unsigned nfds);
	void *data;
};
struct runtime_user {
	uid_t uid;
	gid_t gid;
	struct { gid_t *v; uint32_t n; } groups;
	const char *work_dir;
};
int runtime_root(struct runtime *r, const struct runtime_root *x, struct arena *a,
		 struct runtime_user *ret, uint64_t *ret_id, struct err *err);

/* A TCP connection to a port of the pod's loopback address, through done(). It may not be
 * established yet; its end is nobody's business here. */
struct runtime_connect {
	const char *ns, *pod;
	uint16_t port;
	void (*done)(void *data, int error, const char *message, const int *fds, unsigned nfds);
	void *data;
};
int runtime_connect(struct runtime *r, const struct runtime_connect *c, uint64_t *ret_id,
		    struct err *err);

/* What is observed from now on: memory and processes of what runs; the disk of all pods, some seconds
 * later. */
void runtime_measure(struct runtime *r, bool counters, bool disk);
/* Writable layers of containers that have ended go; what starts again has a new one. */
void runtime_clear_ended(struct runtime *r);
/* An evicted pod has not yet ended, or directories are on their way out. */
bool runtime_clearing(const struct runtime *r);

/* What a container that runs has used so far. */
int runtime_usage(struct runtime *r, const char *ns, const char *pod, const char *container,
		  struct cgroup_usage *ret, struct err *err);

/* Directory of a container's logs: N.log is attempt N. -ENOENT for an unknown pod. */
int runtime_log_dir(struct runtime *r, const char *ns, const char *pod, const char *container,
		    struct buf *ret, struct err *err);
