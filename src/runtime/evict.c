/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evicted pods. Why is recorded in the run directory before anything of the pod ends, so that no orchd
 * starts it again. What it had on disk goes when nothing of it runs any more; its logs stay until the
 * pod itself goes.
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
		sweep_add(&p->rt->sweep, NULL, 0, 0, (const char *const[SWEEP_DIRS]){ p->state_dir });
	}
}
