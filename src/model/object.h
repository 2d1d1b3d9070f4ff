/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of any kind: a kind, a place in a manifest, and a body whose first member after the
 * node is always the metadata. Bodies are the generated structs of model/types.h; the union
 * gives typed access without a cast. An object never outlives the arena it was made in.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"
#include "schema/msgs.h"
#include "schema/yaml.h"

enum kind_id {
#define KIND(id, type, api, name, plural, singular, shorts, namespaced, use) KIND_##id,
#include "model/kinds.def"
#undef KIND
	KIND_COUNT
};

/* What orch does with objects of a kind (model/kinds.def). */
enum kind_use { KIND_ACTED, KIND_KEPT, KIND_SHARED, KIND_MADE };

struct kind {
	enum kind_id id;
	const char *api_version;	/* "v1", "apps/v1" */
	const char *name;		/* "Deployment" */
	const char *plural, *singular;	/* "deployments", "deployment" */
	const char *short_names;	/* "deploy"; blank-separated, may be "" */
	bool namespaced;
	enum kind_use use;		/* all but KIND_MADE may stand in a manifest */
	const struct type *type;
};
extern const struct kind kinds[KIND_COUNT];

const struct kind *kind_find(const char *api_version, const char *name);	/* NULL: unknown */
/* By any name a user of kubectl types, in any case: kind, plural, singular or short name,
 * optionally with ".group" ("deployments.apps"). */
const struct kind *kind_by_word(const char *word);

/* "apps" of "apps/v1", "" of "v1"; returns ret. */
const char *kind_group(const struct kind *k, char ret[64]);

struct object {
	const struct kind *kind;
	union {
		void *body;
		struct namespace *namespace;
		struct configmap *configmap;
		struct secret *secret;
		struct service *service;
		struct pod *pod;
		struct replicaset *replicaset;
		struct replication_controller *replication_controller;
		struct deployment *deployment;
		struct statefulset *statefulset;
		struct daemonset *daemonset;
		struct job *job;
		struct controller_revision *controller_revision;
		struct cronjob *cronjob;
		struct pod_template_object *pod_template;
		struct hpa *hpa;
		struct pdb *pdb;
		struct endpoints *endpoints;
		struct endpointslice *endpointslice;
		struct network_policy *network_policy;
		struct limit_range *limit_range;
		struct resource_quota *resource_quota;
		struct priority_class *priority_class;
		struct runtime_class *runtime_class;
		struct service_account *service_account;
		struct node_object *node;
		struct ingress *ingress;
		struct pv *pv;
		struct pvc *pvc;
		struct event *event;
	};
	struct meta *meta;	/* of the body; namespace is never NULL for namespaced kinds */
	const char *file;	/* relative to the config directory; NULL: made by control */
	const char *stack;	/* "default" or the first directory of file */
	uint32_t line, col;
	uint64_t digest;	/* schema_hash of what the user wrote, server fields left out */
	bool held;		/* content comes from a hold, not from the file */
	uint32_t hold_revision;	/* held: the rollout revision that undo went back to */
	bool rolled_back;	/* held: orchd did it, since what the file says failed */
	/* Of records and of pods that run: as long as it is the same, so is the body, where it is.
	 * Each room that keeps such objects counts for itself. 0: nothing is known. */
	uint64_t stamp;
};
struct object_list { struct object *v; uint32_t n; };

struct object_key {
	const struct kind *kind;
	const char *namespace;	/* "" for cluster-wide kinds */
	const char *name;
};
struct object_key object_key(const struct object *o);
int object_key_cmp(const struct object_key *a, const struct object_key *b);	/* kind, ns, name */
int object_cmp(const void *a, const void *b);	/* struct object, for qsort */
/* "deployment/web" in namespace default, else "NS/deployment/web" */
const char *object_name(struct arena *a, const struct object *o);

/* A zeroed body with the metadata set; used by control for what it makes. */
struct object object_new(struct arena *a, enum kind_id kind, const char *ns, const char *name);
struct object object_copy(struct arena *a, const struct object *o);	/* deep */

/* Decodes one document. 0, or -EINVAL with messages; a document that is no object of ours (a kind
 * that Kubernetes knows and orch does not act on) gives 0, a warning, and ret->kind NULL. */
int object_decode(struct arena *a, const char *file, const struct ynode *doc, struct object *ret,
		  struct msgs *m);
/* From text that object_json wrote (records of the store and of pods). */
int object_parse(struct arena *a, const char *json, size_t n, struct object *ret, struct err *err);
/* The whole object with apiVersion and kind; flags: DUMP_WRITTEN. Values of Secrets included. */
void object_json(struct json *j, const struct object *o, unsigned flags);

/* The field that a change of an object, as schema_diff has it, is about and that cannot be changed
 * while the object is there; NULL: the change is allowed. */
struct diff_entry;
const char *object_frozen(struct arena *a, const struct object *was, const struct object *is,
			  const struct diff_entry *e);

/* Selectors. A NULL selector matches nothing, an empty one everything. */
bool selector_matches(const struct label_selector *s, const struct strmap *labels);
/* "a=b,c!=d,e in (f,g),!h": kubectl -l and the API's labelSelector. 0 or -EINVAL. */
int selector_parse(struct arena *a, const char *text, struct label_selector *ret, struct err *err);
void selector_print(const struct label_selector *s, struct buf *out);	/* kubectl's form */

/* What depends on other fields and may be left out: pull policy, empty volumes, 0 in probes. Done
 * for every object that object_decode gives; needed for specifications that come another way. */
void pod_spec_complete(struct arena *a, struct pod_spec *s);

/* Int-or-percent of total; up rounds up, else down. */
int intstr_scale(const struct intstr *v, int total, bool up);

/* Where an object keeps the template that its pods are made from; NULL: it makes none. */
struct pod_template *object_template(const struct object *o);
/* Have its objects a history of templates that rollout undo goes back in? */
bool kind_rolls(const struct kind *k);

/* A pod's containers in the order in which they start: its init containers, then the others. */
enum container_role {
	ROLE_MAIN,
	ROLE_INIT,		/* runs to its end before what follows it starts */
	ROLE_SIDECAR,		/* init container with restartPolicy Always: runs beside what follows */
};
uint32_t pod_container_count(const struct pod_spec *s);
struct container *pod_container(const struct pod_spec *s, uint32_t i);
enum container_role pod_container_role(const struct pod_spec *s, uint32_t i);
/* A condition of pods that orch sets itself, and that is true of one whose containers are ready. */
bool pod_condition_is_own(const char *type);
/* Index of a container by name, -1 when there is none. */
int pod_container_find(const struct pod_spec *s, const char *name);

/* Resources of a container, 0 when there are none: CPU in milli, the others in bytes. Storage is
 * ephemeral-storage: its writable layer and its logs. */
struct container_resources {
	int64_t cpu_limit_milli, cpu_request_milli, memory_limit, memory_request;
	int64_t storage_limit, storage_request;
	int64_t huge_2m, huge_1g;	/* requests are the same */
};
struct container_resources container_resources(const struct container *c);
/* Do cpu and memory differ, which can change while it runs? Does it restart for that? */
bool container_is_resized(const struct container_resources *was,
			  const struct container_resources *is);
bool container_resize_restarts(const struct container *c, const struct container_resources *was,
			       const struct container_resources *is);
/* What another specification means for a pod that runs: nothing, that resources of its containers
 * change in place, or that it is another pod. */
enum spec_change { SPEC_SAME, SPEC_RESIZED, SPEC_OTHER };
enum spec_change pod_spec_change(struct arena *a, const struct pod_spec *was,
				 const struct pod_spec *is);
/* What a pod needs as a whole: the containers that run together, or the init container that needs
 * most; and the overhead. A request that was left out is the limit. */
struct qtymap pod_resource_requests(struct arena *a, const struct pod_spec *s);
struct qtymap pod_resource_limits(struct arena *a, const struct pod_spec *s);
const char *pod_qos(const struct pod_spec *s);	/* Guaranteed, Burstable, BestEffort */
/* Number of a named or numbered port of the pod's containers, 0 when there is none. */
int pod_port(const struct pod_spec *s, const struct intstr *port, enum protocol proto);
