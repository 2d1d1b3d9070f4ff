/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold whatever happens, judged by what is observed and done, not by what control says of
 * itself. Each rule has a name, which a violation carries. oracle.c has what is about any pod, the
 * other files what is about one kind.
 */
#pragma once

#include "machine.h"

struct oracle_rate { uint64_t key; int64_t since; unsigned n; };
struct oracle_success { char uid[37]; int64_t index; };
struct oracle_reached { char uid[37]; int32_t replicas; };
struct oracle_run { char name[80], uid[37]; };
struct oracle_size { char uid[37]; int64_t at; int32_t n; };

struct oracle {
	struct sim *sim;
	struct arena arena;
	struct { struct oracle_rate *v; uint32_t n; } rates;
	struct { struct oracle_success *v; uint32_t n; } successes;	/* that orchd knew durably */
	struct { struct oracle_reached *v; uint32_t n; } reached;	/* scaled to, by Deployment */
	struct { struct oracle_run *v; uint32_t n; } runs;	/* of CronJobs: Jobs that had pods */
	struct { struct oracle_size *v; uint32_t n; } sizes;	/* of autoscalers, in order */
	struct hold_list holds;		/* that nobody took back */
	bool clock_back;
	bool lossy;			/* the disk was full: what is recorded may be forgotten */
	bool services_done;		/* in this pass */
};

void oracle_init(struct oracle *o, struct sim *s);
void oracle_release(struct oracle *o);
/* Something happened from outside: many actions may follow. */
void oracle_disturbed(struct oracle *o);
/* Times of schedules come again. */
void oracle_clock_back(struct oracle *o);
/* Nothing happens from outside any more: everything has to come to rest, and to be right. */
void oracle_rest(struct oracle *o);

/* oracle_plan.c: what a plan said and what apply then did; holds */
void oracle_applied(struct sim *s, const struct set *was, const struct plan *p);
void oracle_held(struct oracle *o, const struct hold *h);	/* from now on, until it is edited */

/* What an action is about to be done to. Of what was observed, records and pods are gone as soon as
 * the first action was done to them. */
struct scene {
	struct oracle *oracle;
	struct sim *sim;
	const struct observed *o;
	const struct wanted *w;
};
const struct owner_reference *scene_owner(const struct object *o);	/* its controller; NULL: none */
bool scene_owned(const struct object *o, const char *uid);
/* Fills a place: it exists, was not told to stop, has not ended and its sandbox is there. */
bool scene_lives(const struct sim_pod *p);
bool scene_succeeded(const struct sim_pod *p);
bool scene_ended(const struct sim_pod *p);		/* for good */
const struct wanted_pod *scene_wanted(const struct scene *c, const struct object *pod);
const struct object *scene_record(const struct object_list *l, enum kind_id kind, const char *uid);
const struct object *scene_declared(const struct scene *c, enum kind_id kind, const char *uid);

/* oracle_sets.c: ReplicaSets, Deployments, StatefulSets, DaemonSets */
void oracle_decided(const struct scene *c);	/* before the first action of a pass */
void oracle_makes(const struct scene *c, const struct object *pod);
void oracle_stops(const struct scene *c, const struct sim_pod *p);
void oracle_sets_passed(const struct scene *c);	/* a pass was carried out completely */

/* oracle_limits.c: what is admitted, and what finds a place */
/* was: the pod as it is there, to be changed; NULL: it is to be made. */
void oracle_admits(const struct scene *c, const struct object *pod, const struct object *was);
void oracle_resizes(const struct scene *c, const struct sim_pod *p, const struct object *then);
void oracle_records(const struct scene *c, const struct object *o);
void oracle_starts(const struct scene *c, const struct sim_pod *p);

/* oracle_disrupts.c: who is made to go for whom, when a pass has decided */
void oracle_disrupts(const struct scene *c);

/* oracle_scale.c: autoscalers */
void oracle_scales(const struct scene *c);		/* when a pass has decided */
void oracle_scaled(const struct scene *c);		/* at rest */
/* Replicas of a workload, of its manifest or its autoscaler among these records; -1: it has none. */
int32_t scene_replicas(const struct scene *c, const struct object_list *records,
		       const struct object *o);
/* They differ in the replicas that an autoscaler decides about, and in nothing else. */
bool oracle_same_but_scaled(const struct sim *s, const struct object *a, const struct object *b);
/* The specification with these replicas. o may be NULL. */
struct deployment_spec scene_deployment(const struct scene *c, const struct object_list *records,
					const struct object *o);
struct statefulset_spec scene_statefulset(const struct scene *c, const struct object_list *records,
					  const struct object *o);

/* oracle_jobs.c */
void oracle_makes_of_job(const struct scene *c, const struct object *pod,
			 const struct owner_reference *job);
void oracle_jobs_decided(const struct scene *c);
void oracle_jobs_passed(const struct scene *c);

/* oracle_rest.c */
void oracle_converged(const struct scene *c, const struct plan *p);
