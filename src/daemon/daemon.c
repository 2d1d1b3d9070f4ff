/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchd from start to end. Starting is the same path as going on: the last revision is what is
 * in force, the pods that run are adopted, then the directory is read and the first pass makes up
 * the difference; only then does the API answer. Ending leaves the pods alone, unless --stop-pods
 * asks for the opposite: then the empty generation is what is wanted, and the daemon ends when
 * nothing runs any more.
 */
#include "daemon/daemon.h"

#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "base/log.h"
#include "base/macro.h"
#include "control/memo.h"
#include "daemon/exec.h"
#include "daemon/generation.h"
#include "daemon/http.h"
#include "daemon/metrics.h"
#include "daemon/node.h"
#include "daemon/notify.h"
#include "daemon/reconcile.h"
#include "daemon/request.h"

#define DRAIN_MS 2000

static void on_pass(struct loop_defer *p)
{
	struct daemon *d = container_of(p, struct daemon, pass);

	reconcile(d);
	if (d->stopping && d->settled)
		loop_stop(d->loop);
}

void daemon_dirty(struct daemon *d)
{
	d->settled = false;
	loop_defer(d->loop, &d->pass, on_pass);
}

static void on_runtime_changed(void *data)
{
	daemon_dirty(data);
}

static void on_images_changed(void *data)
{
	daemon_dirty(data);
}

static void on_view_changed(void *data)
{
	struct daemon *d = data;

	if (d->http)
		http_notify(d->http);
}

static void on_files_changed(void *data)
{
	daemon_files_changed(data);
}

void daemon_services_programmed(struct daemon *d, const struct service_entry *v, uint32_t n)
{
	struct arena fresh = { 0 };
	struct service_entry *copy;

	copy = arena_array(&fresh, struct service_entry, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		struct endpoint *e = arena_array(&fresh, struct endpoint, v[i].count + 1);

		if (v[i].count)
			memcpy(e, v[i].endpoints, v[i].count * sizeof(*e));
		copy[i] = v[i];
		copy[i].endpoints = e;
		copy[i].name = arena_strdup(&fresh, v[i].name);
	}
	arena_release(&d->programmed_arena);	/* only now: v may come from there */
	d->programmed_arena = fresh;
	d->programmed = copy;
	d->nprogrammed = n;
	d->services_known = true;
}

/* `nft flush ruleset`, a firewall's reload: the maps are written again. */
static void on_ruleset(struct loop_io *io, uint32_t events)
{
	struct daemon *d = container_of(io, struct daemon, ruleset);

	(void)events;
	if (!net_lost(d->net))
		return;
	log_warning("somebody took the nft table away; writing it again");
	d->services_known = false;
	daemon_dirty(d);
}

static void on_stop_signal(struct loop_signal *s, int signo)
{
	struct daemon *d = container_of(s, struct daemon, sigterm[signo == SIGINT]);

	notify_systemd("STOPPING=1");
	if (!d->stop_pods || d->stopping) {
		loop_stop(d->loop);
		return;
	}
	log_info("stopping all pods");
	d->stopping = true;
	set_unref(d->applied);
	d->applied = set_build(NULL, 0, NULL, 0, store_holds(d->store), NULL);
	daemon_dirty(d);
}

/* Re-reads everything now: systemctl reload. */
static void on_reload_signal(struct loop_signal *s, int signo)
{
	struct daemon *d = container_of(s, struct daemon, sighup);

	(void)signo;
	watch_scan(d->watch);
	daemon_files_changed(d);
}

/* The manifests of the last revision: what was in force when orchd ended. */
static int load_revision(struct daemon *d, struct manifest ***ret, uint32_t *ret_n, struct err *err)
{
	struct arena a = { 0 };
	struct revision r = { 0 };

	d->revision = store_revision_last(d->store);
	*ret = NULL;
	*ret_n = 0;
	if (!d->revision)
		return 0;
	int code = store_revision_load(d->store, d->revision, &a, &r, err);
	if (code == 0) {
		*ret = calloc(r.nfiles + 1, sizeof(**ret));
		if (!*ret)
			abort();
		for (uint32_t i = 0; i < r.nfiles; i++)
			(*ret)[(*ret_n)++] = manifest_load(r.files[i].path, r.files[i].text,
							   r.files[i].size);
	}
	arena_release(&a);
	return code;
}

/* Puts the last revision back in force, as the pods that run know it, then reads the directory. */
static int load_desired(struct daemon *d, struct err *err)
{
	struct watch_events ev = { on_files_changed, d };
	struct manifest **seed;
	uint32_t n;

	int r = load_revision(d, &seed, &n, err);
	if (r < 0)
		return r;
	if (d->revision) {
		struct generation g = { 0 };

		g.set = set_build(seed, n, NULL, 0, store_holds(d->store), NULL);
		r = generation_admit_dry(d, &g, err);
		d->applied = g.set;
	}
	if (r == 0)
		r = watch_new(d->loop, d->settings->config_dir, d->settings->settle_ms, seed, n, ev,
			      &d->watch, err);
	for (uint32_t i = 0; i < n; i++)
		manifest_unref(seed[i]);
	free(seed);
	return r;
}

/* Another program of ours: beside orchd in a build directory, else where make install puts it. */
static const char *program_path(struct arena *a, const char *name)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n > 0) {
		exe[n] = '\0';
		const char *dir = arena_strndup(a, exe, (size_t)(strrchr(exe, '/') - exe));
		const char *beside = arena_printf(a, "%s/%s", dir, name);
		const char *lib = arena_printf(a, "%s/../lib/orch/%s", dir, name);

		if (file_exists(beside))
			return beside;
		if (file_exists(lib))
			return lib;
	}
	return arena_printf(a, "/usr/lib/orch/%s", name);
}

static void add_handlers(struct daemon *d, struct runtime_settings *rt)
{
	const struct runtime_handler_settings_list *l = &d->settings->runtime_handlers;

	for (uint32_t i = 0; i < l->n; i++)
		*arena_push(&d->arena, &rt->handlers) =
			(struct runtime_handler){ l->v[i].name, l->v[i].path };
}

static int open_machine(struct daemon *d, struct err *err)
{
	const struct settings *s = d->settings;
	struct net_settings net = { d->pod_cidr, d->service_cidr, "orch" };
	const char *shim = program_path(&d->arena, "orch-shim");
	struct runtime_settings rt = {
		.run_dir = s->run_dir, .state_dir = s->state_dir, .log_dir = s->log_dir,
		.config_dir = s->config_dir, .shim = shim,
		.programs = arena_strndup(&d->arena, shim, (size_t)(strrchr(shim, '/') - shim)),
		.cluster_domain = s->cluster_domain, .unsafe_sysctls = s->unsafe_sysctls,
		.node_name = d->node_name, .drain_ms = DRAIN_MS,
		.log_max_bytes = (uint64_t)quantity_value(&s->log_max_size),
		.log_max_files = (uint32_t)s->log_max_files,
		.pod_pids = MAX(s->pod_pids_limit, (int64_t)0),
		.memory_qos = s->memory_qos ? (uint32_t)s->memory_throttling.milli : 0,
		.userns = { (uint32_t)s->userns.first, (uint32_t)s->userns.count,
			    s->userns.by_default },
	};
	add_handlers(d, &rt);
	struct runtime_events ev = { on_runtime_changed, d };
	struct images_events im = { on_images_changed, d };
	int r;

	if ((r = file_mkdir_p(s->run_dir, 0755, err)) < 0 ||
	    (r = store_open(s->state_dir, &d->store, err)) < 0 ||
	    (r = cgroup_fs_new(s->cgroup_root, &d->cgroup, err)) < 0 ||
	    (r = net_new(&net, &d->net, err)) < 0 ||
	    (r = images_new(d->loop, s, program_path(&d->arena, "orch-pull"), im, &d->images,
			    err)) < 0)
		return r;
	rt.images = images_store(d->images);
	if (net_watch_fd(d->net) >= 0)
		loop_io_add(d->loop, &d->ruleset, net_watch_fd(d->net), EPOLLIN, on_ruleset);
	return runtime_new(d->loop, &rt, d->net, d->cgroup, ev, &d->runtime, err);
}

static void name_node(struct daemon *d)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (d->settings->node_name) {
		d->node_name = d->settings->node_name;
		return;
	}
	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		snprintf(host, sizeof(host), "localhost");
	d->node_name = arena_strdup(&d->arena, host);
}

/* Whoever is let in afterwards finds the pods there: an empty list would be taken for the truth. */
static void first_pass(struct daemon *d)
{
	int r;

	daemon_files_changed(d);
	do
		r = loop_turn(d->loop, -1);
	while (r == 0 && !runtime_settled(d->runtime));
}

int daemon_new(const struct invocation *in, struct daemon **ret, struct err *err)
{
	struct daemon *d = calloc(1, sizeof(*d));
	char path[PATH_MAX];
	int r;

	if (!d)
		abort();
	*ret = d;		/* the caller frees it when this fails, too */
	d->settings = in->settings;
	d->stop_pods = in->stop_pods;
	d->started = time_now();
	d->zones.arena = &d->arena;
	d->worked = true;	/* to start is work */
	name_node(d);
	cidr4_parse(d->settings->pod_cidr, &d->pod_cidr);
	cidr4_parse(d->settings->service_cidr, &d->service_cidr);
	if ((r = loop_new(&d->loop)) < 0)
		return err_sys(err, r, "event loop");
	loop_signal_add(d->loop, &d->sigterm[0], SIGTERM, on_stop_signal);
	loop_signal_add(d->loop, &d->sigterm[1], SIGINT, on_stop_signal);
	loop_signal_add(d->loop, &d->sighup, SIGHUP, on_reload_signal);
	d->memo = memo_new();
	d->view = view_new((uint64_t)(d->started / MSEC) * 1000, on_view_changed, d);
	if ((r = open_machine(d, err)) < 0 || (r = node_measure(d, err)) < 0 ||
	    (r = load_desired(d, err)) < 0)
		return r;
	pressure_start(d);
	first_pass(d);
	snprintf(path, sizeof(path), "%s/api.sock", d->settings->run_dir);
	return http_new(d, path, &d->http, err);
}

int daemon_run(struct daemon *d)
{
	log_info("orchd is up: revision %u, adopted %u", d->revision, runtime_adopted(d->runtime));
	notify_systemd("READY=1");
	int r = loop_run(d->loop);
	if (d->stopping && d->settled) {	/* nothing of ours runs any more */
		struct err err = { 0 };

		if (net_clear(d->net, &err) < 0)
			log_warning("%s", err.msg);
		cgroup_remove(d->cgroup, "", NULL);
	}
	return r;
}

void daemon_free(struct daemon *d)
{
	if (!d)
		return;
	api_exec_end(d);
	http_free(d->http);
	watch_free(d->watch);
	pressure_end(d);
	runtime_free(d->runtime);
	images_free(d->images);
	if (d->loop)
		loop_io_remove(d->loop, &d->ruleset);
	net_free(d->net);
	cgroup_fs_free(d->cgroup);
	exec_forget(d);
	metrics_free(d);
	generation_release(&d->planned);
	set_unref(d->planned_over);
	set_unref(d->applied);
	set_unref(d->candidate);
	free(d->guard);
	view_free(d->view);
	memo_free(d->memo);
	store_close(d->store);
	arena_release(&d->programmed_arena);
	arena_release(&d->arena);
	loop_free(d->loop);
	free(d);
}
