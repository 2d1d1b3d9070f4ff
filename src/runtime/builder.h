/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's program while it is being written: what it is made from, and where the operations
 * go. container.c orders the parts; container_root.c makes the root and the kernel's file systems
 * in it, container_layer.c what is written below it, container_mounts.c what is bound there: files of
 * /etc, shared memory, volumes; container_checks.c are its probes and hooks.
 */
#pragma once

#include <sys/mount.h>

#include "runtime/identity.h"
#include "runtime/images.h"
#include "runtime/sandbox.h"
#include "sys/cgroup.h"

#define QUIET_MOUNT (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* What an OCI runtime is to bind: prepared outside of the root, with all its flags. */
struct staged_mount { const char *from, *to; uint64_t flags; };

struct builder {
	struct arena *a;
	struct sandbox *p;
	const struct container *c;
	struct image image;
	struct identity id;
	struct env env;
	struct strs argv;
	const char *root;		/* the mount point of the container's root */
	const char *layer;		/* its writable layer: LAYER.upper and LAYER.work */
	const struct wanted_volumes *claims;
	struct bytes filter;		/* seccomp, once it was needed */
	enum start_fault fault;		/* what it is, should the next step fail */
	struct { struct staged_mount *v; uint32_t n; } staged;	/* of a handler */
	struct buf *out;
};

static inline void builder_op0(struct builder *b, enum prog_opcode op, uint64_t x, uint64_t y)
{
	prog_add(b->out, op, x, y, NULL, NULL, 0);
}

static inline void builder_op1(struct builder *b, enum prog_opcode op, uint64_t x, uint64_t y,
			       const char *s)
{
	prog_add(b->out, op, x, y, PROG_S(s), NULL, 0);
}

static inline const char *builder_in_root(struct builder *b, const char *path)
{
	return arena_printf(b->a, "%s%s", b->root, path);
}

static inline void builder_bind(struct builder *b, const char *from, const char *to, uint64_t flags)
{
	prog_add(b->out, OP_BIND, flags, BIND_INNER, PROG_S(from, to), NULL, 0);
}

/* Paths of the kernel's that containers can't see, and can't write. */
struct paths { const char *const *v; size_t n; };
extern const struct paths container_masked, container_read_only;

/* The container's own group. */
struct cgroup_entry builder_cgroup(const struct builder *b);

/* The root with /proc, /dev and /sys in it, mounted at b->root. -E2BIG: too many layers. */
int container_root(struct builder *b, struct err *err);
/* The files of an image, for reading, mounted at dir. */
int container_image(struct builder *b, const struct image *img, const char *dir, struct err *err);
/* What is bound below b->root. Errors are those of a volume, and name it. */
int container_binds(struct builder *b, struct err *err);
/* A process beside the container's: joins it and becomes b->argv with b->env. */
int container_join(struct builder *b, struct err *err);
/* Makes the layer of an attempt, b->layer; what a killed orchd left of it goes. */
int container_layer(struct builder *b, uint32_t attempt, struct err *err);
void container_layer_sweep(struct builder *b, uint32_t attempt);
/* Sends the container's probes and hooks to the shim. */
int container_checks(struct builder *b, struct err *err);
