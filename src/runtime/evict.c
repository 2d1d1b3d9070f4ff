/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evicted pods. Why is recorded in the run directory before anything of the pod ends, so that no
 * orchd starts it again. What it had on disk goes when nothing of it runs any more; its logs stay
 * until the pod itself goes.
 */
#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/sandbox.h"

#define REASON_MAX 65536

static void path_of(const struct sandbox *p, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/evicted", p->run_dir);
}

int runtime_pod_evict(struct runtime *r, const char *ns, const char *pod, const char *why,
		      struct err *err)
{
	struct sandbox *p = sandbox_find(r, ns, pod);
	char path[PATH_MAX];

	if (!p || p->evicted)
		return 0;
	path_of(p, path);
	int code = file_write_atomic(path, why, strlen(why), 0600, false, err);
	if (code < 0)
		return code;
	p->evicted = strdup(why);
	evict_clear(p);
	sandbox_changed(p);
	return 0;
}

/* ---- while the node is short of something ---- */

void runtime_measure(struct runtime *r, bool counters, bool disk)
{
	r->counting = counters;
	usage_of_all(r, disk);
}

void runtime_clear_ended(struct runtime *r)
{
	struct arena a = { 0 };

	for (uint32_t i = 0; i < r->nsandboxes; i++) {
		struct sandbox *p = r->sandboxes[i];

		for (uint32_t k = 0; k < p->nruns; k++) {
			const struct container_run *run = &p->runs[k];
			const char *layer = layer_path(&a, p, run->spec->name, run->st.attempt);

			if (run->starting || run->st.phase != SHIM_EXITED_PHASE)
				continue;
			sweep_add(&r->sweep, NULL, 0, 0, (const char *const[SWEEP_DIRS]){
				arena_printf(&a, "%s.upper", layer),
				arena_printf(&a, "%s.work", layer) });
		}
	}
	arena_release(&a);
}

bool runtime_clearing(const struct runtime *r)
{
	for (uint32_t i = 0; i < r->nsandboxes; i++)
		if (r->sandboxes[i]->evicted && sandbox_runs_anything(r->sandboxes[i]))
			return true;
	return r->sweep.first != NULL;
}

/* ---- evicted pods ---- */

void evict_restore(struct sandbox *p)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	path_of(p, path);
	if (file_read(path, REASON_MAX, &text, NULL) == 0)
		p->evicted = strdup(buf_str(&text));
}

void evict_clear(struct sandbox *p)
{
	if (p->evicted && !p->cleared && !sandbox_runs_anything(p)) {
		p->cleared = true;
		sweep_add(&p->rt->sweep, NULL, 0, 0,
			  (const char *const[SWEEP_DIRS]){ p->state_dir });
	}
}
