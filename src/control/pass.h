/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of control, as the files of this room share it. Every pod that runs becomes a member;
 * whoever wants it claims it, controllers add new ones, and what nobody claimed is stopped. A
 * ReplicaSet, stored or declared, becomes a rset: a private copy of the object, its members, and
 * how many it should have. Nothing outlives the pass.
 */
#pragma once

#include "base/macro.h"
#include "control/control.h"
#include "schema/schema.h"

#define SANDBOX_ATTEMPT_ANNOTATION "orch/sandbox-attempt"
#define SPEC_HASH_ANNOTATION "orch/spec-hash"
#define CONFIG_CHANGE_ANNOTATION "orch/config-change"
#define EVICTION_GRACE 1u	/* seconds, as kubelet */
#define BACKOFF_MAX_ANNOTATION "orch/restart-backoff-max"

struct waiting { const char *reason, *message; };	/* reason NULL: for nothing */

/* Whoever makes a pod go that its controller would keep. */
enum disruption { NOT_DISRUPTED, DISRUPTED_BY_PREEMPTION, DISRUPTED_BY_TAINT, DISRUPTED_BY_NODE };

struct member {
	const struct observed_pod *seen;	/* NULL: made in this pass */
	struct wanted_pod want;
	const char *owner;		/* uid of the controller; "" for a bare pod */
	bool claimed;			/* somebody wants it, or already decided about it */
	bool active;			/* fills a place: not stopping, finished or given up */
	bool expired;			/* its activeDeadlineSeconds are over */
	const char *evicted;		/* why it was, or is from now on; NULL: it is not */
	uint32_t evict_grace;		/* seconds for its containers to end */
	bool over;			/* nothing but sidecars is left to run, or an init container failed
					 * for good */
	bool finished;			/* over, and the sidecars have ended, too */
	bool lost;			/* its sandbox is gone or could not be made */
	bool containers_ready;
	bool ready;			/* all containers are, and readiness gates are passed */
	int64_t ready_since;
	bool bound;			/* the node is its place: something of it was started here */
	bool placed;			/* it is bound, or will be: room is taken for it */
	bool leaves;			/* thought away, while others look for room */
	bool gated;			/* schedulingGates keep it from being looked at */
	struct resize *resize;		/* resources it is asked to have and does not; NULL: none */
	bool nominated;			/* less important pods make room for it */
	enum disruption disrupted;
	struct unit *home;		/* in whose memory it lives; NULL: the pass's */
	struct unit *unit;		/* that asked for it by its owner; NULL: none */
	bool kept;			/* as an earlier pass left it */
	struct kept_pod *as_kept;	/* what is kept of it; NULL: nothing */
	const char *unscheduled;	/* why it has no place yet; NULL: it has one */
	const char *cannot_mount;	/* why a volume can't be; NULL: all can */
	struct waiting *images;		/* what each container waits for; NULL: not yet decided */
	unsigned attempt;		/* sandboxes lost in a row before this one */
};
struct member_list { struct member **v; uint32_t n; };

struct rset {
	struct object object;		/* a private copy of the body */
	const struct object *stored;	/* what the store has; NULL: nothing yet */
	struct member_list members;	/* its active pods, in the end those that stay */
	struct member_list replaced;	/* given up in this pass */
	int32_t replicas;		/* how many it should have */
	int32_t available;		/* active and ready for long enough */
	struct member_list stopping;	/* pods that still exist but do not count any more */
	bool forgotten;			/* history beyond the limit */
	const char *why;		/* pods of it are stopped */
	const char *refused;		/* a pod of it is not admitted; NULL: all are */
	bool own;			/* shares nothing with the store's record any more */
};
struct rset_list { struct rset **v; uint32_t n; };

struct storage;
struct quota;
struct unit;
struct kept_pod;
struct unit_list { struct unit **v; uint32_t n; };
struct resize;

/* Replicas of something that is scaled by somebody else than its manifest. */
struct scale { const struct object *target; int32_t replicas; };

struct pass {
	struct arena *a;		/* what is made now; of a unit while that is at work */
	const struct control_in *in;
	struct wanted *out;		/* the same */
	struct unit *unit;		/* at work; NULL: none */
	struct arena *own;		/* of the pass: its lists of members */
	/* By index of observed pods. What is kept stays so until somebody touches it. */
	struct { struct kept_pod **kept; struct unit **homes; } seen_as;
	struct { uint64_t *v; uint32_t n; } stale;	/* labels of pods that were kept until now */
	struct unit_list worked;	/* units that were at work in this pass */
	bool spoiled;			/* what was kept was changed: all has to be done again */
	struct member_list members;	/* those that run first, as they were observed */
	uint32_t seen;			/* so many of them run */
	struct member_list fresh;	/* those that are not kept, in the same order */
	struct member_list by_owner;	/* those that run, sorted by the uid of their controller */
	struct { struct member **v; uint32_t size; } names;	/* of new members, by hash */
	bool repulsion;			/* some pod has required anti-affinity */
	struct storage *storage;
	struct { struct quota *v; uint32_t n; } quotas;
	struct { struct scale *v; uint32_t n; } scales;
	struct { const struct object *declared; struct taint_list taints; } node;
};

#define TELL_WINDOW (10 * NSEC)	/* what is older was told by an earlier pass */
#define SHOW_ERROR (5 * NSEC)	/* so long an error is shown, then that it backs off */

void pass_wake(struct pass *p, int64_t at);	/* look again then; the past is ignored */
void pass_event(struct pass *p, const struct object *about, bool warning, const char *reason,
		const char *message);
void pass_event_at(struct pass *p, const struct object *about, bool warning, const char *reason,
		   const char *message, int64_t when);
void pass_status(struct pass *p, const struct object *about, const void *status);
struct strmap map_copy(struct arena *a, const struct strmap *m);
void condition_add(struct arena *a, struct condition_list *l, const struct condition *c);
int64_t whole_seconds(int64_t t);
bool owned_by(const struct meta *m, const char *uid);
const char *controller_uid(const struct meta *m);	/* "": there is none */

/* name.c */
void name_uid(struct pass *p, const char *kind, const char *ns, const char *name, char ret[37]);
/* The same for the same owner in every pass. */
void name_uid_below(const char *owner_uid, const char *what, char ret[37]);
void name_note(struct pass *p, struct member *m);	/* a new member, before it is among all */
struct member *name_find(const struct pass *p, const char *ns, const char *name);
/* Of those that run, which are sorted as they were observed: the first that is not before it. */
uint32_t name_place(const struct pass *p, const char *ns, const char *name);
bool name_taken(struct pass *p, const char *ns, const char *name);	/* by a pod */
const char *name_pod(struct pass *p, const char *ns, const char *base);	/* base-xxxxx, free */
void name_hash(uint32_t hash, char ret[16]);

/* member.c */
void member_observe(struct pass *p, const struct observed_pod *seen);
void members_sort_by_owner(struct pass *p);	/* when all are observed */
/* Those that ran when the pass began; sorted by name. */
struct member_list members_owned_by(struct pass *p, const char *uid);
/* Before what removes the pod or replaces its record: until the end of the pass what is wanted must
 * not point into what is observed. */
void member_own(struct pass *p, struct member *m);
/* The body of pod may change. NULL: it is not admitted, *ret_refused says why. */
struct member *member_new(struct pass *p, struct object *pod, unsigned attempt,
			  const char **ret_refused);
void member_stop(struct pass *p, struct member *m, const char *why);
/* From now on. It stays a member until its containers have ended. */
void member_evict(struct pass *p, struct member *m, const char *why, uint32_t grace_s);
const char *member_closed_gates(struct arena *a, const struct pod_spec *s);
bool member_available(struct pass *p, const struct member *m, int32_t min_ready_seconds);
/* When a pod whose sandbox was lost may be replaced. */
int64_t member_replace_at(struct pass *p, const struct member *m);
const struct observed_container *member_container(const struct member *m, const char *name);
/* Appends the reference that makes owner the controller. */
void owner_add(struct arena *a, struct meta *m, const struct object *owner);
struct object pod_from_template(struct pass *p, const struct object *owner,
				const struct pod_template *t, const char *name);

/* schedule.c: which pods have a place here, who has to go */
void schedule_run(struct pass *p);

/* container.c: what every container of a pod that stays should do */
struct restart {
	bool wanted;		/* the policy starts it again */
	int64_t at;		/* not before */
	int64_t delay;
	uint32_t backoff;	/* of the next run */
};
struct restart container_restart(const struct member *m, const struct observed_container *c);
void container_decide(struct pass *p, struct member *m);
/* May what follows container index of the specification start, as far as that one is concerned? */
bool container_lets_pass(const struct member *m, uint32_t index);

/* tell.c: what just became of a pod that stays and of each of its containers, as events */
void tell_pod(struct pass *p, const struct member *m);
void tell_stopping(struct pass *p, const struct member *m);	/* of a pod that is to end */
void tell_container(struct pass *p, struct member *m, const struct observed_container *c);

/* config.c: ConfigMaps and Secrets that a pod can't do without */
const char *config_missing(struct pass *p, const char *ns, const struct container *c);
const char *config_missing_volume(struct pass *p, const char *ns, const struct pod_spec *s);
uint64_t config_hash(const struct set *s, const char *ns, const struct pod_template *t,
		     struct arena *a);

/* image.c: may this container start as far as its image goes? Asks for the image, tells about it. */
struct waiting image_decide(struct pass *p, struct member *m, const struct container *spec);
/* The same of the volumes that it mounts and that are images. */
struct waiting image_decide_volumes(struct pass *p, struct member *m, const struct container *spec);

/* pressure.c: evicts at most one pod */
void pressure_run(struct pass *p);

/* status.c */
void pod_status_make(struct pass *p, struct member *m);

/* storage.c: claims and volumes. begin before controllers, run when all pods are known */
void storage_begin(struct pass *p);
void storage_run(struct pass *p);
/* Makes the claim unless it is there. With an owner it goes when that goes. like may be NULL. Why
 * a quota forbids it; NULL: it is there. */
const char *storage_claim_ensure(struct pass *p, const struct object *owner, const char *ns,
				 const char *name, const struct meta *like,
				 const struct pvc_spec *spec);
/* storage_pod.c: where the claims of a pod lead; what it waits for, NULL: nothing */
void storage_of_pod(struct pass *p, struct member *m);
const char *storage_waits(struct pass *p, const struct member *m);

/* pod.c */
void pods_declared(struct pass *p);

/* owned.c: the pods of a controller, by its uid */
struct owned {
	struct member_list active;	/* fill a place */
	struct member_list finished;	/* ended for good, still there */
	struct member_list stopping;	/* told to stop, not yet gone */
	struct member_list replaced;	/* given up in this pass: their sandbox was lost */
};
void owned_collect(struct pass *p, const char *uid, struct owned *ret);
/* A pod of the template that carries the hash as its label; lost is the one it replaces, or NULL.
 * NULL: it is not admitted. */
struct member *owned_create(struct pass *p, const struct object *owner, const struct pod_template *t,
			    const char *hash, const char *name, const struct member *lost);
/* Tells of a pod that was not admitted. */
void owned_refused(struct pass *p, const struct object *owner, const char *name,
		   const char *refused);
void owned_stop(struct pass *p, const struct object *owner, struct member *m, const char *why);
/* Was it made from the template with this hash? */
bool owned_is_current(const struct member *m, const char *hash);

/* derived.c: what the store keeps of what earlier passes made */
/* The record of an object with this kind, name and uid; NULL: there is none. */
const struct object *derived_find(const struct pass *p, const struct object *o);
/* Of those whose names are below the owner's ("OWNER-..."); whether it owns them is not looked at. */
struct object_list derived_below(const struct pass *p, enum kind_id kind, const struct meta *owner);

/* replicaset.c */
struct rset *rset_new(struct pass *p, const struct object *rs, const struct object *stored,
		      int32_t min_ready_seconds);
/* Before a change of what is stored: the new record replaces the old one while this pass is
 * carried out, so that nothing may point into it. */
void rset_own(struct pass *p, struct rset *rs);
void rset_settle(struct pass *p, struct rset *rs);	/* makes and stops pods, then the status */
void rset_put(struct pass *p, struct rset *rs);		/* into wanted */
void replicasets_declared(struct pass *p);
/* The same thing under an older name: each is run as a ReplicaSet of its own kind. */
void replication_controllers_run(struct pass *p);

/* deployment.c */
void deployments_run(struct pass *p);

/* daemonset.c, statefulset.c */
void daemonsets_run(struct pass *p);
void statefulsets_run(struct pass *p);

/* job.c, cronjob.c */
void jobs_declared(struct pass *p);
void cronjobs_run(struct pass *p);

/* hpa.c: before all that has replicas */
void autoscalers_run(struct pass *p);

/* service.c */
void services_run(struct pass *p);
