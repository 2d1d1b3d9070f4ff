/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in memory around the real core: control, plan and the daemon's carrying out decide, and
 * what a kernel, the shims, the store and the image store would do is played here, with invented
 * times from a seed. Behaviour is chosen by words in a container's image: "crash" ends with exit
 * code 1 after a second, "never" is never ready, "nosandbox" can't be made, "exitN" ends with exit
 * code N after a second, "coin" with 0 or 1, "nopull" can't be pulled. Without a readiness probe a
 * container is ready once it runs.
 *
 * What control and plan may never do to a machine is a violation: recorded, or told to whoever asked
 * to be told.
 */
#pragma once

#include "base/hash.h"
#include "base/macro.h"
#include "control/control.h"
#include "plan/plan.h"

#define SIM_CONTAINERS 4
#define SIM_CPU 100			/* thousandths of a processor for each place of a pod */
#define SIM_START (1764000000LL * NSEC)		/* 2025-11-24T16:00:00Z */

struct retry;

struct sim_container {
	struct observed_container c;
	int64_t ready_at, ends_at;	/* 0: never */
	int exit_code;
};

struct sim_pod {
	struct arena arena;
	struct object object;
	enum pod_stage stage;
	uint32_t ip;
	int64_t created_at, up_at, stopped_at, down_at, ready_since;
	uint64_t config_digest;
	struct observed_resize resize;	/* generation 0: none */
	const char *message;
	struct sim_container containers[SIM_CONTAINERS];
	uint32_t n;
};

struct sim_derived { unsigned refs; struct arena arena; struct object object; };
struct sim_records { struct sim_derived **v; uint32_t n; };

struct sim_entry {			/* what the store would remember of an object */
	char key[300], uid[37];
	int64_t created, generation;
	uint64_t digest;
	uint32_t number;
};
struct sim_entries { struct sim_entry *v; uint32_t n; };

struct sim_image {
	char image[80];
	struct observed_image o;
	int64_t done_at;
	unsigned failures;
};

struct sim_store {
	struct sim_records derived;
	struct sim_entries inventory;
};

struct sim {
	struct set *set;
	int64_t now;			/* of the clock on the wall, */
	int64_t jumped;			/* which did so all in all */
	uint64_t rng;
	struct { struct sim_pod **v; uint32_t n; } pods;
	struct sim_records derived;	/* of the store: in memory, */
	struct sim_entries inventory;
	uint64_t stamps;		/* of pods and records, so far */
	bool dirty;			/* they differ from the disk's */
	struct sim_store durable;	/* on disk, */
	struct hold_list holds;		/* and these always on disk */
	struct arena arena;		/* lists of pointers, inventory */
	struct { struct sim_image *v; uint32_t n; } images;
	struct arena services_arena;
	const struct service_entry *services;
	uint32_t nservices;
	bool services_known;
	uint32_t next_number;
	int64_t slow;			/* upper bound of every delay */
	int64_t started;		/* orchd, */
	struct retry *retries;		/* and its memory: of what failed, */
	struct memo *memo;		/* and of earlier passes */
	uint64_t compared, kept;	/* passes that were made without it, too, and what it saved */
	uint64_t passes, actions;
	uint32_t failures;		/* actions that failed in the last pass */
	int64_t wake;
	const struct zone *(*zone)(void *data, const char *name);	/* data is the arena */

	uint32_t room;			/* pods for which the node has a place, and a tenth of a
					 * processor for each; 0: any number */
	unsigned lost_percent;		/* of actions that fail without a trace */
	unsigned fail_percent;		/* of actions that fail */
	bool disk_full;
	int64_t demand;			/* for the work of each app, thousandths of a processor */
	int64_t sampled;		/* pods were measured last; 0: not since orchd started */
	int32_t dies_after;		/* so many actions; negative: it does not */
	bool dead;			/* until the end of this pass */
	const struct action_list *doing;	/* of this pass */

	void (*check)(struct sim *s, const struct observed *o, const struct wanted *w);
	void (*acts)(struct sim *s, const struct observed *o, const struct wanted *w,
		     const struct action *a);	/* before */
	void (*did)(struct sim *s, const struct observed *o, const struct wanted *w,
		    const struct action_list *l);
	void (*applied)(struct sim *s, const struct set *was, const struct plan *p);
	void (*violation)(struct sim *s);	/* NULL: goes on */
	const char *rule;		/* that was broken first; NULL: none */
	char what[400];
	void *data;
};

uint64_t sim_random(struct sim *s);
int64_t sim_delay(struct sim *s);
void sim_init(struct sim *s, uint64_t seed);
void sim_release(struct sim *s);
void sim_broken(struct sim *s, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* store.c */
struct sim_files { struct manifest *v[40]; uint32_t n; };
void sim_files_add(struct sim_files *f, const char *path, const char *text);
/* Broken files are only told about, as on a machine that never saw a good version of them. Takes
 * the files. */
struct set *sim_set(struct sim *s, struct sim_files *f, const struct hold_list *holds);
void sim_use(struct sim *s, struct set *set);	/* makes it what is applied; takes the reference */
void sim_derived_put(struct sim *s, const struct object *o);
void sim_derived_forget(struct sim *s, const struct object_key *key);
int sim_save(struct sim *s);
void sim_store_restart(struct sim *s);		/* what was not durable is gone */
void sim_store_release(struct sim *s);

/* holds.c */
enum sim_verb { SIM_PAUSE, SIM_RESUME, SIM_RESTART, SIM_UNDO, SIM_UNHOLD };
/* Of one of the objects that roll. False: refused, or there is nothing to do. ret: what is held now. */
bool sim_rollout(struct sim *s, enum sim_verb verb, uint32_t which, struct hold *ret);
void sim_end_holds(struct sim *s, const struct set *set);	/* that edits ended */

/* machine.c: pods */
struct sim_pod *sim_pod(struct sim *s, const char *ns, const char *name);
void sim_pod_free(struct sim_pod *p);
void sim_container_end(struct sim_pod *p, struct sim_container *c, int64_t at, int code, int signal,
		       bool oom);
void sim_lose(struct sim_pod *p, const char *why);	/* its sandbox */
void sim_reboot(struct sim *s);			/* no pod is left, what the store has on disk is */
void sim_restart(struct sim *s);		/* of orchd alone */
void sim_jump(struct sim *s, int64_t by);	/* of the clock on the wall */
int sim_act(struct sim *s, const struct wanted *w, const struct action *a);
/* What happens by now; when something happens next, 0: never. */
int64_t sim_tick(struct sim *s);

/* metrics.c: what pods use, while somebody wants to know. When the next sample is due, 0: never */
int64_t sim_metrics_tick(struct sim *s);

/* images.c */
void sim_images_want(struct sim *s, const struct wanted *w);
int64_t sim_images_tick(struct sim *s);

/* pass.c */
struct control_in sim_control_in(struct sim *s, const struct set *set, const struct observed *o,
				 uint64_t seed);
void sim_sort(struct sim *s);			/* pods and records, as they are observed */
void sim_observe(struct sim *s, struct arena *a, struct observed *o);
uint32_t sim_pass(struct sim *s);		/* the number of its actions */
/* One pass, then time goes on to the next event. False: nothing will ever happen again. */
bool sim_step(struct sim *s);
bool sim_settle(struct sim *s, unsigned max);
void sim_run_until(struct sim *s, int64_t t);
