/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon without a machine: view, loop and settings, and on demand a config directory and a store.
 * Requests are made up and answered by route(), as http.c does it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "base/macro.h"
#include "daemon/generation.h"
#include "daemon/request.h"
#include "schema/schema.h"

struct fixture {
	struct daemon d;
	struct settings settings;
	struct arena arena;
	char dir[64];
	char config[80], state[80];
};

static inline void fixture_ignore(void *data)
{
	(void)data;
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERROR);
	snprintf(f->dir, sizeof(f->dir), "/tmp/orch-daemon-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->config, sizeof(f->config), "%s/etc", f->dir);
	snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	f->settings = (struct settings){
		.config_dir = f->config, .state_dir = f->state, .sync = SYNC_AUTO, .history_limit = 100,
	};
	f->d.settings = &f->settings;
	f->d.node_name = "node1";
	assert_int_equal(cidr4_parse("10.96.0.0/16", &f->d.service_cidr), 0);
	assert_int_equal(loop_new(&f->d.loop), 0);
	f->d.view = view_new(1000, fixture_ignore, NULL);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	watch_free(f->d.watch);
	loop_defer_cancel(f->d.loop, &f->d.pass);
	set_unref(f->d.applied);
	set_unref(f->d.candidate);
	free(f->d.guard);
	view_free(f->d.view);
	store_close(f->d.store);
	loop_free(f->d.loop);
	arena_release(&f->arena);
	file_rm_rf(f->dir, NULL);
	free(f);
	return 0;
}

/* ---- files ---- */

static inline void fixture_write(struct fixture *f, const char *name, const char *text)
{
	char path[256];
	struct err err = { 0 };

	snprintf(path, sizeof(path), "%s/%s", f->config, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(file_mkdir_p(path, 0755, &err), 0);
	path[strlen(path)] = '/';
	assert_int_equal(file_write(path, text, strlen(text), 0644, &err), 0);
}

static inline void fixture_remove(struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->config, name);
	assert_int_equal(unlink(path), 0);
}

/* Opens store and directory. */
static inline void fixture_open(struct fixture *f)
{
	struct watch_events ev = { fixture_ignore, NULL };
	struct err err = { 0 };

	assert_int_equal(file_mkdir_p(f->config, 0755, &err), 0);
	assert_int_equal(store_open(f->state, &f->d.store, &err), 0);
	assert_int_equal(watch_new(f->d.loop, f->config, 20, NULL, 0, ev, &f->d.watch, &err), 0);
}

/* Reads the directory and puts in force what it says; returns the revision. */
static inline uint32_t fixture_apply(struct fixture *f, const struct plan_options *o)
{
	static const struct plan_options all;
	struct generation g;
	struct err err = { 0 };

	watch_scan(f->d.watch);
	generation_build(&f->d, o ? o : &all, &g);
	if (generation_apply(&f->d, &g, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	generation_release(&g);
	return f->d.revision;
}

/* ---- what the API shows ---- */

/* The objects of a manifest become what the view has. */
static inline void fixture_show(struct fixture *f, const char *text)
{
	struct manifest *m = manifest_load("a.yaml", text, strlen(text));

	if (m->msgs.errors)
		fail_msg("%s", m->msgs.v[0].text);
	view_begin(f->d.view);
	for (uint32_t i = 0; i < m->objects.n; i++)
		view_put(f->d.view, &m->objects.v[i]);
	view_end(f->d.view);
	manifest_unref(m);
}

/* "a=1&b=2", not encoded. */
static inline void fixture_query(struct fixture *f, struct request *q, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "&");
		char *key = arena_strndup(&f->arena, text, n), *eq = strchr(key, '=');

		if (eq)
			*eq = '\0';
		*arena_push(&f->arena, &q->query) = (struct request_value){ key, eq ? eq + 1 : "" };
		text += n + (text[n] == '&');
	}
}

#define AS_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

static inline struct reply fixture_call(struct fixture *f, const char *method, const char *target,
					const char *accept)
{
	size_t n = strcspn(target, "?");
	struct request q = {
		.d = &f->d, .method = method, .path = arena_strndup(&f->arena, target, n),
	};
	struct reply r = { 0 };

	fixture_query(f, &q, target + n + (target[n] == '?'));
	*arena_push(&f->arena, &q.headers) = (struct request_value){ "accept", accept };
	route(&q, &r);
	arena_release(&q.arena);
	return r;
}

/* The body as JSON; the caller gives it back. */
static inline json_t *fixture_get(struct fixture *f, const char *target, const char *accept,
				  unsigned code)
{
	struct reply r = fixture_call(f, "GET", target, accept);
	json_t *j;

	assert_null(r.stream);
	j = json_loads(buf_str(&r.body), 0, NULL);
	if (!j || (r.code ? r.code : 200) != code)
		fail_msg("%s: %u %s", target, r.code, buf_str(&r.body));
	buf_release(&r.body);
	return j;
}

static inline const char *text_at(const json_t *j, const char *key, const char *key2)
{
	const json_t *v = json_object_get(j, key);

	return json_string_value(key2 ? json_object_get(v, key2) : v);
}
