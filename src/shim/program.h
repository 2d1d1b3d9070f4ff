/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs: flat lists of set-up operations. orchd (room runtime) decides and writes them, the
 * shim executes them in one pass and decides nothing: it knows no YAML, no netlink, no seccomp.
 * The sandbox program runs once in the shim itself; a container program runs in the child that
 * becomes the container; an exec program joins a running container.
 *
 * A program is a sequence of records, each: struct prog_op, then nbytes raw bytes padded to a
 * multiple of 8, then nstr NUL-terminated strings; size counts the whole record and is padded to
 * a multiple of 8. Records are host-endian and never leave the machine; both ends are installed
 * together, and PROG_VERSION travels in every message (shim/protocol.h).
 *
 * Paths. What is made or mounted below the directory of the program's PIVOT or ROOT is resolved
 * with that directory as the root, whatever symbolic links an image has put there, and so is all
 * after PIVOT. Other paths are the host's and trusted. In a source "DIR//SUB" only DIR is trusted:
 * SUB is resolved inside DIR (a volume's subPath).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PROG_VERSION 11

/* OP(name, strings, doc). a and b are the record's two numbers. */
#define PROG_OPS(OP)                                                                           \
	OP(UNSHARE, 0, "unshare(2) with flags a")                                              \
	OP(JOIN, 0, "setns(2) into the namespaces b of the running container that the program is for; with CLONE_NEWUSER, stdio is given to a, and its root is become") \
	OP(SLAVE, 0, "make all mounts of this mount namespace recursively slave")              \
	OP(USERNS, 0, "make the pod's user namespace, in which ids from 0 on are those from a on outside, and new namespaces b that belong to it, which are entered") \
	OP(ENTER, 0, "give stdio to a, enter the pod's user namespace as its root, and unshare(2) b") \
	OP(KEEP_MOUNTS, 0, "keep this mount namespace, for binds with BIND_HOST")               \
	OP(TASKS, 1, "write 0 to the v1 tasks file s0: this thread joins that cgroup")         \
	OP(HOSTNAME, 1, "sethostname(2)")                                                      \
	OP(NETLINK_HOST, 0, "send the netlink messages in bytes in the host's network namespace; each must be acknowledged") \
	OP(NETLINK_POD, 0, "the same in the pod's network namespace")                          \
	OP(WRITE, 2, "write s1 to the existing file s0, as user b; a=1: a missing file is fine") \
	OP(MKDIR, 1, "mkdir(2) with mode a; existing is fine; b=1: parents too")               \
	OP(MKNOD, 1, "mknod(2) with mode a, device b")                                         \
	OP(SYMLINK, 2, "symbolic link s1 that points to s0; existing is fine")                 \
	OP(FILE, 1, "create file s0 with mode a and the bytes as content")                     \
	OP(MOUNT, 4, "mount(2): source s0, target s1, type s2, data s3, flags a")              \
	OP(BIND, 2, "bind s0 on s1, flags a (MS_REC, MS_RDONLY, MS_NOSUID, a propagation...); s1 is created as s0's type when it is missing; b: BIND_ flags") \
	OP(OWN, 1, "give the tree s0 to group a: what its owner may, the group may, and new files are the group's; b=1: unless s0 itself is so already") \
	OP(ROOT, 1, "s0 will be the root, of a container that the program has somebody make")  \
	OP(PIDS, 0, "the pid namespace for the container stays open as descriptor a")          \
	OP(PIVOT, 1, "make s0 the root (pivot_root(2)), drop the old one")                     \
	OP(CONSOLE, 0, "standard input and output become a new terminal of the root's /dev/pts, whose master is sent to the shim") \
	OP(MASK, 1, "hide s0: an empty read-only directory or /dev/null over it; missing is fine") \
	OP(READONLY, 1, "bind s0 onto itself read-only; missing is fine")                      \
	OP(CHDIR, 1, "chdir(2); b=1: create it when it is missing")                            \
	OP(RLIMIT, 0, "setrlimit(2) of resource a, both limits b")                             \
	OP(OOM_SCORE, 0, "write (int64_t)a to /proc/self/oom_score_adj; refusal is fine")      \
	OP(GROUPS, 0, "setgroups(2), bytes are gid_t[]")                                       \
	OP(GID, 0, "setresgid(2) a")                                                           \
	OP(UID, 0, "setresuid(2) a, keeping capabilities until CAPS; stdio is given to a")     \
	OP(CAPS, 0, "permitted, effective and bounding sets are a, as far as the shim has them; inheritable and ambient are b") \
	OP(NO_NEW_PRIVS, 0, "prctl(PR_SET_NO_NEW_PRIVS)")                                      \
	OP(SECCOMP, 0, "install the filter, bytes are struct sock_filter[]")                   \
	OP(ENV, 1, "s0 is NAME=VALUE")                                                         \
	OP(ARG, 1, "s0 is the next argument")                                                  \
	OP(EXEC, 0, "execve(2) of the first ARG, found through the PATH of ENV; the last record")

enum {
	BIND_INNER = 1,		/* s1 names a path in the new root even where it does not begin with it */
	BIND_MAKE = 2,		/* SUB of a source DIR//SUB is made, inside DIR, with DIR's mode */
	BIND_TOP = 4,		/* MS_RDONLY is not for the mounts below */
	BIND_IDMAP = 8,		/* ids of its files are ids in the pod's user namespace */
	BIND_TRY_IDMAP = 16,	/* if its file system knows how */
	BIND_HOST = 32,		/* s0 as KEEP_MOUNTS has it, so that what is mounted there is shared */
};

enum prog_opcode {
#define OP(name, strings, doc) OP_##name,
	PROG_OPS(OP)
#undef OP
	OP_COUNT
};

struct prog_op {
	uint32_t size;		/* of the whole record, multiple of 8 */
	uint16_t op;		/* enum prog_opcode */
	uint16_t nstr;
	uint32_t nbytes;	/* without the padding */
	uint32_t reserved;
	uint64_t a, b;
};

/* The number that IFLA_NET_NS_FD names in NETLINK_HOST: the shim keeps its own netns open there. */
#define PROG_NETNS_FD 9

/* That of PIDS. */
#define PROG_PIDS_FD 10

#define PROG_USERNS_IDS 65536

/* What went wrong, filled by whoever executes a program. */
struct prog_fail {
	int32_t error;		/* errno, 0: nothing */
	uint32_t op;		/* enum prog_opcode */
	uint32_t index;		/* record number */
	char what[116];		/* the operation's path or string */
};

/* Writers (runtime). s are the strings of the operation, as many as its row says. */
void prog_add(struct buf *p, enum prog_opcode op, uint64_t a, uint64_t b, const char *const *s,
	      const void *bytes, size_t n);
#define PROG_S(...) ((const char *const[]){ __VA_ARGS__ })

const char *prog_op_name(unsigned op);		/* "MOUNT" */
/* 0, or -EINVAL when the records do not add up: checked once before anything is executed. */
int prog_check(const void *p, size_t n);

/* Readers, of a program that prog_check() found right. */
static inline const void *prog_bytes(const struct prog_op *op)
{
	return op + 1;
}

static inline const char *prog_strings(const struct prog_op *op)
{
	return (const char *)(op + 1) + (((size_t)op->nbytes + 7) & ~(size_t)7);
}
