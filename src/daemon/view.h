/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the API shows: complete objects (specification and status) with resource versions. After
 * each pass the daemon puts every object; what is equal to before is left alone, what differs gets
 * the next version, what was not put is deleted and leaves a tombstone. A watch is a cursor:
 * "everything that changed after version X", so that no event queue exists and a slow client
 * costs nothing.
 */
#pragma once

#include "model/object.h"

struct view;

struct view_entry {
	struct object object;		/* deep copy; meta->resource_version is set */
	uint64_t version, created;	/* of the last change; of the creation */
	bool deleted;			/* a tombstone: object is its last state */
	struct arena arena;
	struct view_entry *older, *newer;	/* neighbours in the order of versions */
	char text[24];			/* version in decimal */
	bool seen;
};

/* versions continue above first, so that they grow over restarts */
struct view *view_new(uint64_t first, void (*changed)(void *data), void *data);
void view_free(struct view *v);

/* One pass: begin, put all objects, end. changed() is called from end when anything differed. */
void view_begin(struct view *v);
void view_put(struct view *v, const struct object *o);
/* Instead of putting what is known to be equal to what was put before; false: nothing was. */
bool view_stays(struct view *v, const struct meta *m, enum kind_id kind);
void view_end(struct view *v);

/* An Event, outside the passes: equal ones (object, reason, message) are counted up; the oldest
 * beyond 1,000 go, unless they are of the last minute. One that is not newer than the last of its
 * words is known already. */
void view_event(struct view *v, const struct object_key *key, const char *uid, bool warning,
		const char *reason, const char *message, const char *host, int64_t now);

uint64_t view_version(const struct view *v);
/* Live entries of a kind, sorted by namespace and name; valid until the next pass. */
struct view_entry **view_list(const struct view *v, enum kind_id kind, uint32_t *ret_n);
const struct view_entry *view_get(const struct view *v, enum kind_id kind, const char *ns,
				  const char *name);
/* Entries of a kind (tombstones, too) that changed after version, oldest change first: returns
 * the first, follow next with view_next_change. -ERANGE when tombstones that old are gone (410), or
 * when the version is yet to come. */
int view_changes(const struct view *v, enum kind_id kind, uint64_t after, struct view_entry **ret);
struct view_entry *view_next_change(const struct view *v, const struct view_entry *e, enum kind_id kind);
