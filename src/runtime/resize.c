/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and limits that change while containers run. A container whose group does not have the
 * limits of its specification is due, and has what is in_force; one that restarts for the change
 * is outdated, too, until its next start. What is due is in the file resize of the run directory,
 * written before the pod's record is and gone when nothing is due any more, so that an orchd after
 * us goes on from there: it does not lower a limit that we did not dare to lower.
 *
 * The pod's group has the sum of the greater of both: it is raised before the groups below it are,
 * and lowered after them. Memory limits are not lowered to what is in use: v2 would kill.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/sandbox.h"

/* ---- what is due ---- */

static bool any_due(const struct sandbox *p)
{
	bool due = p->resize->pod_due;

	for (uint32_t i = 0; i < p->nruns; i++)
		due |= p->runs[i].due;
	return due;
}

static bool is_outdated(const struct container_run *run)
{
	return run->outdated && run->outdated_attempt == run->attempt;
}

static void path_of(const struct sandbox *p, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/resize", p->run_dir);
}

static int save(const struct sandbox *p, struct err *err)
{
	const struct resizing *z = p->resize;
	BUF_AUTO out = { 0 };
	char path[PATH_MAX];

	path_of(p, path);
	if (!any_due(p)) {
		unlink(path);
		return 0;
	}
	buf_printf(&out, "generation %" PRId64 " at %" PRId64 "\n", z->generation, z->started_at);
	for (uint32_t i = 0; i < p->nruns; i++) {
		const struct container_run *run = &p->runs[i];
		const struct container_resources *r = &run->in_force;

		if (run->due)
			buf_printf(&out, "%s %d %u %" PRId64 " %" PRId64 " %" PRId64
				   " %" PRId64 "\n", run->spec->name, is_outdated(run), run->outdated_attempt,
				   r->cpu_limit_milli, r->cpu_request_milli, r->memory_limit,
				   r->memory_request);
	}
	return file_write_atomic(path, out.data, out.len, 0600, false, err);
}

static void load_run(struct sandbox *p, const char *line)
{
	struct container_resources r = { 0 };
	struct container_run *run;
	unsigned attempt;
	char name[64];
	int outdated;

	if (sscanf(line, "%63s %d %u %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, name, &outdated,
		   &attempt, &r.cpu_limit_milli, &r.cpu_request_milli, &r.memory_limit,
		   &r.memory_request) != 7 || !(run = sandbox_run(p, name)))
		return;
	run->due = true;
	run->in_force = r;
	run->outdated_attempt = attempt;
	run->outdated = outdated && run->st.attempt == attempt;
}

static struct resizing *resizing(struct sandbox *p)
{
	if (!p->resize)
		p->resize = arena_new(&p->arena, struct resizing);
	return p->resize;
}

bool resize_restore(struct sandbox *p)
{
	int64_t generation, started_at;
	BUF_AUTO text = { 0 };
	char path[PATH_MAX], *save_at = NULL;

	path_of(p, path);
	if (file_read(path, 1 << 20, &text, NULL) < 0 || !text.len)
		return false;
	char *line = strtok_r(text.data, "\n", &save_at);
	/* one that is newer than the record never came to be */
	if (!line || sscanf(line, "generation %" SCNd64 " at %" SCNd64, &generation,
			    &started_at) != 2 || generation > p->object.meta->generation) {
		unlink(path);
		return false;
	}
	*resizing(p) = (struct resizing){ .generation = generation, .started_at = started_at,
					  .pod_due = true };
	while ((line = strtok_r(NULL, "\n", &save_at)))
		load_run(p, line);
	resize_apply(p);
	return true;
}

static bool runs(const struct container_run *run)
{
	return run->starting || run->st.phase == SHIM_RUNNING;
}

static void note(struct container_run *run, const struct container *then)
{
	struct container_resources was = container_resources(run->spec);
	struct container_resources is = container_resources(then);

	if (run->due)
		was = run->in_force;
	run->in_force = was;
	run->due = container_is_resized(&was, &is);
	run->outdated = run->due && runs(run) &&
			container_resize_restarts(then, &was, &is);
	run->outdated_attempt = run->attempt;
}

/* Is it another change than the one before? */
static bool differs(const struct sandbox *p, const struct pod_spec *then)
{
	for (uint32_t i = 0; i < p->nruns; i++) {
		struct container_resources was = container_resources(p->runs[i].spec);
		struct container_resources is = container_resources(pod_container(then, i));

		if (container_is_resized(&was, &is))
			return true;
	}
	return false;
}

/* ---- doing it ---- */

static void __attribute__((format(printf, 2, 3))) fail(struct sandbox *p, const char *fmt, ...)
{
	struct resizing *z = p->resize;
	va_list ap;

	z->failed = true;
	if (*z->error)		/* the same as before, with other numbers */
		return;
	va_start(ap, fmt);
	vsnprintf(z->error, sizeof(z->error), fmt, ap);
	va_end(ap);
	z->failed_at = z->tried_at;
}

/* A limit stays above what is in use; *limit becomes what it has when that is not so. */
static bool leaves_room(struct sandbox *p, const char *path, const char *what, int64_t *limit)
{
	struct cgroup_usage used;
	int64_t now;

	if (!*limit || cgroup_memory_limit(p->rt->cg, path, &now, NULL) < 0 ||
	    (now && now <= *limit) || cgroup_usage(p->rt->cg, path, &used, NULL) < 0 ||
	    used.memory < (uint64_t)*limit)
		return true;
	fail(p, "attempting to set %s memory limit (%lld) below current usage (%llu)", what,
	     (long long)*limit, (unsigned long long)used.memory);
	*limit = now;
	return false;
}

static bool set_pod(struct sandbox *p)
{
	struct cgroup_limits l = limits_of_pod(p);
	bool all = leaves_room(p, p->cgroup, "pod", &l.memory);
	struct err err = { 0 };

	if (cgroup_set(p->rt->cg, p->cgroup, &l, &err) < 0 || limits_protect(p, &err) < 0) {
		fail(p, "%s", err.msg);
		all = false;
	}
	return all;
}

static void set_run(struct sandbox *p, struct container_run *run)
{
	struct cgroup_limits l = limits_of_container(p, run->spec);
	int64_t memory = l.memory;
	struct err err = { 0 };
	char path[256], what[300];

	snprintf(path, sizeof(path), "%s/%s", p->cgroup, run->spec->name);
	snprintf(what, sizeof(what), "container \"%s\"", run->spec->name);
	bool all = !runs(run) || leaves_room(p, path, what, &l.memory);
	if (!all)
		l.memory_high = 0;	/* nobody slows down for a limit that is not there yet */
	if (cgroup_set(p->rt->cg, path, &l, &err) < 0) {
		fail(p, "%s", err.msg);
		return;
	}
	run->due = !all;
	run->in_force = container_resources(run->spec);
	if (l.memory != memory)
		run->in_force.memory_limit = l.memory;
}

static void set_all(struct sandbox *p)
{
	set_pod(p);
	for (uint32_t i = 0; i < p->nruns; i++)
		if (p->runs[i].due && !is_outdated(&p->runs[i]))
			set_run(p, &p->runs[i]);
	p->resize->pod_due = !set_pod(p);
}

static void set_nothing(struct sandbox *p)
{
	p->resize->pod_due = false;
	for (uint32_t i = 0; i < p->nruns; i++)
		p->runs[i].due = p->runs[i].outdated = false;
}

void resize_apply(struct sandbox *p)
{
	struct resizing *z = p->resize;

	z->tried_at = time_now();
	z->failed = false;
	if (link_alive(&p->link))
		set_all(p);
	else
		set_nothing(p);
	if (!z->failed) {
		*z->error = '\0';
		z->failed_at = 0;
	}
	if (!any_due(p))
		z->done_at = z->tried_at;
	save(p, NULL);
}

void resize_at_start(struct sandbox *p, struct container_run *run)
{
	bool outdated = run->outdated;

	if (!run->due)
		return;
	run->outdated = false;
	resize_apply(p);
	run->outdated = outdated;	/* until the next run is known to have begun */
}

int runtime_pod_resize(struct runtime *r, const struct wanted_pod *w, const struct set *set,
		       struct err *err)
{
	const struct meta *m = w->object.meta;
	const struct pod_spec *then = &w->object.pod->spec;
	struct sandbox *p = sandbox_find(r, m->namespace, m->name);
	int code = 0;

	if (!p)
		return err_set(err, -ENOENT, "pods \"%s\" not found", m->name);
	if (!p->resize || differs(p, then)) {
		*resizing(p) = (struct resizing){ .generation = m->generation,
						  .started_at = time_now(), .pod_due = true };
		for (uint32_t i = 0; i < p->nruns; i++)
			note(&p->runs[i], pod_container(then, i));
		code = save(p, err);
	}
	if (code < 0)
		return code;
	code = runtime_pod_update(r, w, set, err);
	resize_apply(p);
	sandbox_changed(p);
	return code;
}
