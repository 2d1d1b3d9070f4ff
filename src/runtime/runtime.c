/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The room's front: its life, and the actions that orchd's passes order. See runtime.h. */
#include "runtime/runtime.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/device.h"
#include "runtime/images.h"
#include "runtime/sandbox.h"
#include "runtime/volume.h"

#define READERS (1 * NSEC)		/* that may still be on their way to old content */
#define STOP_SLACK (10 * NSEC)		/* beyond drain and grace: then the kernel is asked */

/* ---- life ---- */

static void copy_settings(struct runtime *r, const struct runtime_settings *s)
{
	const char **const strings[] = {
		&r->s.run_dir, &r->s.state_dir, &r->s.log_dir, &r->s.config_dir, &r->s.shim, &r->s.programs,
		&r->s.cluster_domain, &r->s.node_name,
	};

	r->s = *s;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		*strings[i] = arena_strdup(&r->arena, *strings[i]);
}

/* Where they really are, as an image that is the host's root has them. */
static void hide_directories(struct runtime *r)
{
	const char *const dirs[] = { r->s.run_dir, r->s.state_dir, r->s.log_dir, r->s.config_dir };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		char real[PATH_MAX];

		if (dirs[i] && realpath(dirs[i], real))
			*arena_push(&r->arena, &r->hidden) = arena_strdup(&r->arena, real);
	}
}

/*
 * Mount points that all pods share, since each mounts in a namespace of its own, and what is
 * mounted on in a root that may have none of it: making it in every writable layer anew costs
 * more than anything else about a start.
 */
static int make_places(struct runtime *r, struct err *err)
{
	static const char *const dirs[] = { "", "/dev", "/proc", "/sys", "/etc" };
	static const char *const files[] = { "hosts", "hostname", "resolv.conf" };
	char real[PATH_MAX];
	int code = file_mkdir_p(r->s.run_dir, 0755, err);

	if (code == 0 && !realpath(r->s.run_dir, real))
		code = err_sys(err, -errno, "%s", r->s.run_dir);
	if (code < 0)
		return code;
	r->root = arena_printf(&r->arena, "%s/root", real);
	r->scratch = arena_printf(&r->arena, "%s/scratch", real);
	r->skeleton = arena_printf(&r->arena, "%s/skeleton", real);
	code = file_mkdir_p(r->root, 0700, err);
	if (code == 0)
		code = file_mkdir_p(r->scratch, 0700, err);
	for (size_t i = 0; code == 0 && i < ARRAY_SIZE(dirs); i++)
		code = file_mkdir_p(arena_printf(&r->arena, "%s%s", r->skeleton, dirs[i]), 0755,
				    err);
	for (size_t i = 0; code == 0 && i < ARRAY_SIZE(files); i++)
		code = file_write(arena_printf(&r->arena, "%s/etc/%s", r->skeleton, files[i]), "",
				  0, 0644, err);
	return code;
}

static struct node_size measure_node(const char *state_dir)
{
	struct node_size n = { .cpu_milli = sysconf(_SC_NPROCESSORS_ONLN) * 1000 };
	struct statvfs disk;
	struct sysinfo info;

	if (statvfs(state_dir, &disk) == 0)
		n.disk = (int64_t)(disk.f_blocks * disk.f_frsize);
	if (sysinfo(&info) == 0)
		n.memory = (int64_t)info.totalram * info.mem_unit;
	return n;
}

int runtime_new(struct loop *l, const struct runtime_settings *s, struct net *net,
		struct cgroup_fs *cg, struct runtime_events ev, struct runtime **ret,
		struct err *err)
{
	struct runtime *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->shim_fd = -1;
	r->nursery = NURSERY_NONE;
	r->loop = l;
	r->net = net;
	r->cg = cg;
	r->ev = ev;
	copy_settings(r, s);
	sweep_init(&r->sweep, l, net, cg, &r->userns);
	r->userns.pool = s->userns;
	int code = make_places(r, err);
	r->node = measure_node(s->state_dir);
	if (code == 0)
		code = adopt_all(r, err);
	if (code < 0) {
		runtime_free(r);
		return code;
	}
	images_unpin_unknown(r);
	hide_directories(r);
	*ret = r;
	return 0;
}

void runtime_node(const struct runtime *r, int64_t *ret_cpu_milli, int64_t *ret_memory,
		  int64_t *ret_disk)
{
	*ret_cpu_milli = r->node.cpu_milli;
	*ret_memory = r->node.memory;
	*ret_disk = r->node.disk;
}

void runtime_free(struct runtime *r)
{
	if (!r)
		return;
	sweep_finish(&r->sweep);
	usage_release(&r->usage);
	loop_timer_cancel(r->loop, &r->patience);
	execs_release(r);
	for (uint32_t i = 0; i < r->nsandboxes; i++)
		sandbox_free(r->sandboxes[i]);
	free(r->sandboxes);
	while (r->filters) {
		struct runtime_filter *f = r->filters;

		r->filters = f->next;
		buf_release(&f->code);
		free(f);
	}
	userns_release(&r->userns);
	nursery_release(&r->nursery);
	if (r->shim_fd >= 0)
		close(r->shim_fd);
	arena_release(&r->arena);
	free(r);
}

unsigned runtime_adopted(const struct runtime *r)
{
	return r->adopted;
}

bool runtime_settled(const struct runtime *r)
{
	return r->unsettled == 0;
}

/* ---- pods ---- */

static int find(struct runtime *r, const struct object *o, struct sandbox **ret, struct err *err)
{
	*ret = sandbox_find(r, o->meta->namespace, o->meta->name);
	return *ret ? 0 : err_set(err, -ENOENT, "pods \"%s\" not found", o->meta->name);
}

int runtime_pod_create(struct runtime *r, const struct wanted_pod *w, const struct set *set,
		       struct err *err)
{
	const struct meta *m = w->object.meta;

	if (sandbox_find(r, m->namespace, m->name))
		return err_set(err, -EEXIST, "pods \"%s\" already exists", m->name);
	struct object fresh = w->object;
	struct pod without = *fresh.pod;

	without.spec.ephemeral_containers = (struct ephemeral_container_list){ 0 };
	fresh.pod = &without;
	fresh.meta = &without.metadata;
	struct sandbox *p = sandbox_new(r, &fresh);
	p->created_at = time_now();
	p->config_digest = w->config_digest;
	sandbox_insert(p);
	int code = sandbox_make(p, set, err);
	usage_watch(p);
	if (code < 0)
		sandbox_break(p, "failed to create pod sandbox: %s",
			      err ? err->msg : strerror(-code));
	sandbox_changed(p);
	return code;
}

static int write_volumes(struct sandbox *p, const struct set *set, struct err *err)
{
	const struct volume_in in = { &p->object, p->run_dir, p->state_dir, p->ids, p->rt->node,
				      NULL, 0 };
	struct strs old = { 0 };
	struct arena a = { 0 };
	int code = volumes_write(&in, set, &a, &old, err);

	for (uint32_t i = 0; i < old.n; i++)
		sweep_later(&p->rt->sweep, old.v[i], time_mono() + READERS);
	arena_release(&a);
	return code;
}

int runtime_pod_update(struct runtime *r, const struct wanted_pod *w, const struct set *set,
		       struct err *err)
{
	struct sandbox *p;
	int code = find(r, &w->object, &p, err);

	if (code < 0)
		return code;
	sandbox_set_object(p, &w->object);
	code = record_write(p, err);
	if (code == 0)
		code = write_volumes(p, set, err);	/* files of labels and annotations */
	sandbox_changed(p);
	return code;
}

int runtime_volumes_update(struct runtime *r, const struct wanted_pod *w, const struct set *set,
			   struct err *err)
{
	struct sandbox *p;
	int code = find(r, &w->object, &p, err);

	if (code < 0)
		return code;
	code = write_volumes(p, set, err);
	if (code < 0)
		return code;
	p->config_digest = w->config_digest;
	code = record_write(p, err);
	sandbox_changed(p);
	return code;
}

/* Anybody in the pod may write, as in an emptyDir; nobody else gets through the state directory. */
int runtime_volume_make(struct runtime *r, const char *dir, struct err *err)
{
	(void)r;
	if (file_exists(dir))
		return 0;
	int code = file_mkdir_p(dir, 0777, err);
	if (code == 0 && chmod(dir, 0777) < 0)
		code = err_sys(err, -errno, "%s", dir);
	return code;
}

int runtime_block_make(struct runtime *r, const char *file, int64_t size, struct err *err)
{
	struct arena a = { 0 };
	int code = file_mkdir_p(arena_printf(&a, "%s/volumes", r->s.state_dir), 0700, err);

	arena_release(&a);
	return code < 0 ? code : device_make_file(file, size, err);
}

void runtime_volume_remove(struct runtime *r, const char *dir)
{
	struct arena a = { 0 };
	const char *among = arena_printf(&a, "%s/volumes/pvc-", r->s.state_dir);
	size_t n = strlen(among);

	if (strncmp(dir, among, n) == 0 && !strchr(dir + n, '/'))
		sweep_later(&r->sweep, dir, time_mono());
	arena_release(&a);
}

static void overdue(struct loop_timer *t)
{
	struct sandbox *p = container_of(t, struct sandbox, overdue);

	cgroup_kill(p->rt->cg, p->cgroup, NULL);
	link_kill(&p->link);
}

static void stop_shim(struct sandbox *p, uint32_t grace_s)
{
	struct shim_stop order = {
		.drain_ms = p->rt->s.drain_ms,
		.grace_ms = (uint32_t)MIN((uint64_t)grace_s * 1000, (uint64_t)UINT32_MAX),
	};
	int64_t limit = (order.drain_ms + (int64_t)order.grace_ms) * MSEC + STOP_SLACK;

	link_send(&p->link, SHIM_STOP, &order, sizeof(order), NULL, NULL, NULL, NULL, NULL);
	loop_timer_at(p->rt->loop, &p->overdue, time_mono() + limit, overdue);
}

/* Again with another grace period: the shim takes what ends sooner. */
int runtime_pod_stop(struct runtime *r, const char *ns, const char *pod, uint32_t grace_s,
		     struct err *err)
{
	struct sandbox *p = sandbox_find(r, ns, pod);
	int code = 0;

	if (!p || p->stage == POD_DOWN)
		return 0;
	if (!p->stopped_at) {
		p->stopped_at = time_now();
		code = record_write(p, err);
	}
	p->ready_since = 0;
	if (!link_alive(&p->link)) {
		p->stage = POD_DOWN;
	} else {
		p->stage = POD_STOPPING;
		stop_shim(p, grace_s);
		sandbox_quit_if_idle(p);
	}
	sandbox_changed(p);
	return code;
}

void sandbox_resume_stop(struct sandbox *p)
{
	stop_shim(p, (uint32_t)MAX(p->object.pod->spec.termination_grace_period_seconds, 0));
}

/* Without its record nobody adopts it any more; the rest is swept away from here. */
static void remove_sandbox(struct sandbox *p)
{
	const char *const dirs[SWEEP_DIRS] = { p->run_dir, p->state_dir, p->log_dir };

	record_remove(p);
	images_unpin(p);
	if (link_alive(&p->link)) {
		cgroup_kill(p->rt->cg, p->cgroup, NULL);
		link_kill(&p->link);
		sweep_child(&p->rt->sweep, p->link.pid);
	}
	exec_lost(p);
	sandbox_answered(p);
	loop_timer_cancel(p->rt->loop, &p->overdue);
	sweep_add(&p->rt->sweep, p->cgroup, p->object.pod->spec.host_network ? 0 : p->ip, p->ids,
		  dirs);
	sandbox_take_out(p);
	if (device_wanted(&p->object.pod->spec))
		devices_release(p->rt);
	link_release(&p->link);
	sweep_sandbox(&p->rt->sweep, p);
}

int runtime_pod_remove(struct runtime *r, const char *ns, const char *pod, struct err *err)
{
	struct sandbox *p = sandbox_find(r, ns, pod);

	(void)err;
	if (!p)
		return 0;
	remove_sandbox(p);
	r->ev.changed(r->ev.data);
	return 0;
}

/* ---- containers ---- */

static int find_run(struct runtime *r, const char *ns, const char *pod, const char *container,
		    struct sandbox **ret, struct container_run **ret_run, struct err *err)
{
	*ret = sandbox_find(r, ns, pod);
	*ret_run = *ret ? sandbox_run(*ret, container) : NULL;
	if (*ret_run)
		return 0;
	return *ret ? err_set(err, -ENOENT, "pod %s has no container %s", pod, container) :
		      err_set(err, -ENOENT, "pods \"%s\" not found", pod);
}

int runtime_container_start(struct runtime *r, const struct wanted_pod *w,
			    const struct wanted_container *c, const struct set *set,
			    struct err *err)
{
	const struct meta *m = w->object.meta;
	struct err own = { 0 }, *e = err ? err : &own;
	struct container_run *run;
	struct sandbox *p;
	int code = find_run(r, m->namespace, m->name, c->name, &p, &run, e);

	if (code < 0)
		return code;
	if (p->stage > POD_UP)
		return err_set(e, -ENOTCONN, "the pod's sandbox is gone");
	if (run->starting || run->st.phase == SHIM_RUNNING)
		return 0;
	resize_at_start(p, run);
	code = container_start(p, run, c, &w->volumes, set, e);
	if (code == 0) {
		run->starting = true;
		run->attempt = c->attempt;
	}
	sandbox_changed(p);
	return code;
}

int runtime_container_kill(struct runtime *r, const char *ns, const char *pod,
			   const char *container, uint32_t grace_s, struct err *err)
{
	struct shim_stop order = { 0 };
	struct container_run *run;
	struct sandbox *p;
	int code = find_run(r, ns, pod, container, &p, &run, err);

	if (code < 0 || run->st.phase != SHIM_RUNNING)
		return code;
	snprintf(order.name, sizeof(order.name), "%s", container);
	order.grace_ms = (uint32_t)MIN((uint64_t)grace_s * 1000, (uint64_t)UINT32_MAX);
	code = link_send(&p->link, SHIM_STOP, &order, sizeof(order), NULL, run, NULL, NULL, err);
	run->killing = code == 0;
	sandbox_changed(p);
	return code;
}

int runtime_log_dir(struct runtime *r, const char *ns, const char *pod, const char *container,
		    struct buf *ret, struct err *err)
{
	struct container_run *run;
	struct sandbox *p;
	int code = find_run(r, ns, pod, container, &p, &run, err);

	if (code == 0)
		buf_printf(ret, "%s/%s", p->log_dir, container);
	return code;
}

int runtime_usage(struct runtime *r, const char *ns, const char *pod, const char *container,
		  struct cgroup_usage *ret, struct err *err)
{
	struct container_run *run;
	struct sandbox *p;
	char path[256];
	int code = find_run(r, ns, pod, container, &p, &run, err);

	if (code < 0)
		return code;
	if (run->st.phase != SHIM_RUNNING)
		return err_set(err, -EINVAL, "container not running (%s)", container);
	snprintf(path, sizeof(path), "%s/%s", p->cgroup, container);
	return cgroup_usage(r->cg, path, ret, err);
}
