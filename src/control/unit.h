/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units of work that a memo keeps: a workload with its pods, or a service. A unit has a memory of its
 * own for all that it gives and for what it saw, and never points into a set. It is kept when it gave
 * nothing that depends on the present moment, on the room of the node or on other units, and lost
 * when something changes that it read: its object, a pod or record of one of the owners that it asked
 * about, configuration that its pods use, or when the time comes that it wanted to be woken.
 * What happens to a kept pod by others spoils the pass, which is then done again with nothing kept.
 */
#pragma once

#include "control/memo.h"
#include "control/schedule.h"

/* An owner whose pods or records a unit reads, by the hash of its uid. */
struct owner_link {
	struct owner_link *next;	/* in its bucket */
	struct owner_link *also;	/* of the same unit */
	uint64_t uid;
	struct unit *unit;
};

/* A pod of a unit that is kept: nothing else of it has to be looked at in a pass. */
struct kept_pod {
	struct member *member;
	struct unit *unit;
	const char *namespace, *name;
	struct observed_pod seen;
	struct wanted_pod want;
};

struct unit {
	struct arena arena;
	struct owner_link self;
	struct owner_link *links;	/* to all others */
	struct object object;		/* a copy */
	struct wanted out;		/* what it gave at work */
	struct member_list members;	/* its pods */
	struct kept_pod *pods;		/* the same, when it is kept */
	struct room_need room;		/* of all its pods together */
	struct { uint64_t *v; uint32_t n; } labels;	/* of its pods, or the one a service asks for */
	int64_t wake;			/* when time changes it; 0: never */
	int32_t replicas;		/* as it was scaled */
	uint64_t used;			/* in this pass last */
	bool repels;			/* its pods have required anti-affinity */
	bool passing;			/* it gave what holds for this moment only */
	bool kept;
};

struct record_mark { uint64_t stamp, owner; };	/* of a record: owner 0 is none */

struct memo {
	struct set *set;		/* of the last pass, like all that follows */
	int64_t now;
	uint32_t node_ip;
	const struct node_system_info *node_info;
	char *node_name;
	struct unit **units;
	uint32_t nunits, room;
	struct owner_link **buckets;
	uint32_t nbuckets;		/* a power of two */
	struct { struct kept_pod **v; uint32_t n, room; } pods;	/* in the order of their names */
	struct { struct record_mark *v; uint32_t n, room; } records;
	uint64_t newest;		/* stamp of a record */
	uint64_t passes;
	struct memo_counts counts;
};

/* memo_lose.c */
void memo_begin(struct pass *p);	/* loses what changed */

/* memo.c */
uint64_t uid_hash(const char *uid);
struct unit *memo_find(const struct memo *m, uint64_t uid);	/* that reads this owner */
void memo_drop_unused(struct memo *m);
struct record_mark record_mark(const struct object *o);
void memo_end(struct pass *p);		/* keeps what can be */
void memo_forget(struct memo *m);	/* everything */
void memo_reset(struct memo *m, struct unit *u);	/* to what it was when it was new */
struct unit *memo_unit(struct pass *p, const struct object *o);	/* NULL: there is no memo */
void memo_link(struct memo *m, struct unit *u, const char *uid);

/* unit.c: what is made between enter and leave is the unit's; NULL is no unit */
struct unit_scope { struct arena *a; struct wanted *out, own; };
void unit_enter(struct pass *p, struct unit *u, struct unit_scope *s);
void unit_leave(struct pass *p, struct unit *u, struct unit_scope *s);
/* Runs it, or gives what it gave before. */
void unit_run(struct pass *p, const struct object *o,
	      void (*run)(struct pass *p, const struct object *o));
/* Was it kept until now, with pods? */
bool unit_has_kept_pods(const struct unit *u);
bool unit_again(struct pass *p, struct unit *u);	/* gives what it gave, if that is kept */
void unit_depends(struct pass *p);	/* the one at work, on what others do: it can't be kept */
void units_settle(struct pass *p);	/* workloads that can be kept are, when their pods are done */
uint64_t label_hash(const char *ns, const struct strpair *l);
