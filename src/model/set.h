/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and what they say together. A manifest is one file's objects in an arena of its own,
 * shared by reference count between generations, so that an edit re-reads one file only. A set is
 * one generation: all objects of all manifests, sorted, with duplicates refused, references
 * checked and holds applied. Sets are immutable once admitted.
 */
#pragma once

#include "model/object.h"

struct manifest {
	unsigned refs;
	struct arena arena;
	const char *path;		/* relative to the config directory */
	const char *stack;
	char digest[65];		/* SHA-256 of the bytes */
	const char *text;		/* the bytes, kept for the revision */
	size_t size;
	struct object_list objects;	/* in the order of the file; empty when it has errors */
	struct msgs msgs;
	bool broken;			/* errors: objects of the last good version stay in force */
};

/* Parses and decodes; never fails: errors are in msgs and broken is set. */
struct manifest *manifest_load(const char *path, const char *text, size_t n);
/* A file that could not be read: broken, no objects, no digest. */
struct manifest *manifest_failed(const char *path, const char *why);
struct manifest *manifest_ref(struct manifest *m);
void manifest_unref(struct manifest *m);	/* NULL is fine */
/* Is this a name that orch reads: *.yaml, *.yml, *.json, not hidden, no trailing ~, and not
 * orchd.yaml at the top. */
bool manifest_wanted(const char *path);

/*
 * What overrides a declared object until its manifest is edited (rollout undo), or until it is
 * taken back (pause, restart). One record per object.
 */
struct hold {
	struct object_key key;
	const char *content;	/* JSON of the object as undo brought it back; NULL: none */
	uint64_t digest;	/* of the declared object that content overrides */
	uint32_t revision;	/* rollout revision that undo went back to */
	bool failed;		/* orchd went back, since what the manifest says failed */
	bool paused, resumed;	/* rollout pause or resume against spec.paused */
	const char *restarted_at;	/* rollout restart: value of the pods' annotation */
	int64_t time;
};
struct hold_list { struct hold *v; uint32_t n; };
struct hold hold_copy(struct arena *a, const struct hold *h);	/* with its strings */

struct set {
	unsigned refs;
	struct arena arena;
	struct object_list objects;	/* sorted by object_cmp, copies where a hold changed them */
	struct object_list declared;	/* what the files say of held objects, before the hold */
	struct manifest **manifests;	/* in force: the last good version of a broken file */
	uint32_t nmanifests;
	struct msgs msgs;		/* of all files and of cross-file checks, errors first */
	struct hold_list ended;		/* holds whose manifest was edited: to be forgotten */
};

/*
 * good: manifests whose objects count (no broken ones); broken: the newest, failing versions of
 * files, for their messages. Two definitions of one object: both are errors naming each other, and
 * the object of previous (NULL: none) stays. A namespace that nobody declared (default excepted) is
 * an error at the object; the object of previous stays. So it does when a definition changes what
 * cannot change (selectors, the type of a Secret, immutable data). What stays is among the set's
 * manifests, as STACK/.stays.json, so that a set built from the manifests of a revision has it.
 */
struct set *set_build(struct manifest *const *good, uint32_t ngood, struct manifest *const *broken,
		      uint32_t nbroken, const struct hold_list *holds, const struct set *previous);
struct set *set_ref(struct set *s);
void set_unref(struct set *s);		/* NULL is fine */
struct object *set_find(const struct set *s, enum kind_id kind, const char *ns, const char *name);
/* The run of objects of one kind. */
struct object_list set_kind(const struct set *s, enum kind_id kind);

/* Does this pod use one of these ConfigMaps and Secrets in any way? */
bool config_used(struct arena *a, const struct pod_spec *spec, const char *ns,
		 const struct object_list *of);
/* Hash over the contents of all ConfigMaps and Secrets that reach this pod through env and subPath
 * (volumes false) or through volumes (true). names (may be NULL) lists "ConfigMap/x" in use. */
uint64_t set_config_hash(const struct set *s, const char *ns, const struct pod_spec *spec,
			 bool volumes, struct arena *a, struct strs *names);

/* A ConfigMap or Secret that a volume shows: the volume itself, or one source of a projected one. */
struct config_part {
	enum kind_id kind;
	const char *name;
	const struct key_to_path_list *items;
	bool optional;
	uint32_t source;	/* its place in a projected volume */
	const struct node *at;
};
struct config_parts { struct config_part *v; uint32_t n; };
void volume_config_parts(struct arena *a, const struct volume *v, struct config_parts *ret);

/* The StorageClass that is there without being declared. */
#define STORAGE_CLASS_BUILTIN "orch-local"
