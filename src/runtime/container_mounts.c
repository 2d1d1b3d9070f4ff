/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is bound into a container: files of /etc, shared memory, the termination message, volumes.
 * Outer mount points come before inner ones.
 */
#include "base/file.h"
#include "base/macro.h"
#include "model/names.h"
#include "runtime/builder.h"
#include "runtime/device.h"
#include "runtime/volume.h"

struct mount_point {
	const char *from, *to;		/* to: in the container */
	uint64_t flags, how;		/* MS_, BIND_ */
};
struct mount_points { struct mount_point *v; uint32_t n; };

static unsigned depth(const char *path)
{
	unsigned n = 0;

	for (; *path; path++)
		n += path[0] == '/' && path[1] && path[1] != '/';
	return n;
}

static bool same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (m > 1 && b[m - 1] == '/')
		m--;
	return n == m && memcmp(a, b, n) == 0;
}

/* Outer ones before inner ones, else in the order they came in. */
static void mount_point_add(struct arena *a, struct mount_points *l, struct mount_point m)
{
	unsigned d = depth(m.to);

	arena_push(a, l);
	uint32_t i = l->n - 1;
	for (; i > 0 && depth(l->v[i - 1].to) > d; i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = m;
}

/* Mounted in the container's own mount namespace, out of its sight, for what is bound from there. */
static int image_path(struct builder *b, const struct volume *v, const char **ret, struct err *err)
{
	struct image img;
	int r = images_resolve_volume(b->p, v, b->a, &img, err);

	if (r < 0)
		return r;
	*ret = arena_printf(b->a, "%s/images/%s", b->p->rt->scratch, v->name);
	return container_image(b, &img, *ret, err);
}

/* What the volume is on the host, made if its type says so. */
static int volume_path(struct builder *b, const struct volume_in *in, const struct volume *v,
		       const char **ret, struct err *err)
{
	const struct wanted_volume *claim = volume_claim(in, v);
	struct host_path_volume at = { 0 };

	if (v->image)
		return image_path(b, v, ret, err);
	*ret = volume_source(b->a, in, v);
	if (!*ret)
		return err_set(err, -ENOENT, v->persistent_volume_claim || v->ephemeral ?
			       "its claim is not bound" : "orch cannot mount its kind of source");
	if (v->host_path)
		return volume_check_host_path(v->host_path, err);
	if (!claim)
		return 0;
	at.path = claim->path;
	at.type = claim->type;
	return volume_check_host_path(&at, err);
}

/* As kubelet: what is not there is no empty text here, and the result is no way out. */
static int expand_sub_path(struct builder *b, const char *expr, const char **ret, struct err *err)
{
	const char *missing = NULL;

	*ret = env_expand_strict(b->a, expr, &b->env.vars, &missing);
	if (missing)
		return err_set(err, -EINVAL, "missing value for \"%s\"", missing);
	if (**ret == '/')
		return err_set(err, -EINVAL, "error SubPath `%s` must not be an absolute path", *ret);
	if (path_has_dotdot(*ret))
		return err_set(err, -EINVAL, "error SubPath `%s` must not contain '..'", *ret);
	return 0;
}

static int sub_path(struct builder *b, const struct volume_mount *m, const char **ret,
		    struct err *err)
{
	*ret = m->sub_path && *m->sub_path ? m->sub_path : NULL;
	if (*ret || !m->sub_path_expr || !*m->sub_path_expr)
		return 0;
	return expand_sub_path(b, m->sub_path_expr, ret, err);
}

static uint64_t propagation(const struct volume_mount *m)
{
	return m->mount_propagation == PROPAGATION_BIDIRECTIONAL ? MS_SHARED :
	       m->mount_propagation == PROPAGATION_HOST_TO_CONTAINER ? MS_SLAVE : 0;
}

/* The kernel lets no mount out of a mount namespace that belongs to other users. */
static int check_shared(struct builder *b, const struct volume *v, const char *path,
			struct err *err)
{
	if (b->p->ids)
		return err_set(err, -EINVAL, "mountPropagation Bidirectional is not possible with "
			       "hostUsers: false");
	if (!volume_any_shared(&b->p->object.pod->spec))
		return err_set(err, -EINVAL, "mountPropagation Bidirectional is not possible in an "
			       "ephemeral container of a pod whose own have none");
	return volume_check_shared(v, path, err);
}

static bool recursive(const struct volume_mount *m)
{
	return m->recursive_read_only == RECURSIVE_IF_POSSIBLE ||
	       m->recursive_read_only == RECURSIVE_ENABLED;
}

static bool is_read_only(const struct volume_in *in, const struct volume *v,
			 const struct volume_mount *m)
{
	const struct wanted_volume *claim = volume_claim(in, v);

	return m->read_only || volume_is_files(v) || v->image || (claim && claim->read_only);
}

/* Once in the life of the pod, before anything of it may write there. */
static void own_volume(struct builder *b, const struct volume_in *in, const struct volume *v)
{
	const struct pod_spec *s = &b->p->object.pod->spec;
	const struct wanted_volume *claim = volume_claim(in, v);
	uint32_t i = (uint32_t)(v - s->volumes.v);
	gid_t group;

	if (!claim || !claim->own || claim->read_only || !volume_group(&b->p->object, &group) ||
	    (i < 64 && b->p->owned >> i & 1))
		return;
	prog_add(b->out, OP_OWN, group,
		 s->security_context->fs_group_change_policy == FS_GROUP_ON_ROOT_MISMATCH,
		 PROG_S(claim->path), NULL, 0);
	if (i < 64)
		b->p->owned |= UINT64_C(1) << i;
}

static int add_volume(struct builder *b, const struct volume_mount *m, struct mount_points *l,
		      struct err *err)
{
	const struct volume_in in = { &b->p->object, b->p->run_dir, b->p->state_dir, b->p->ids,
				      b->p->rt->node, b->claims->v, b->claims->n };
	const struct volume *v = volume_find(&b->p->object.pod->spec, m->name);
	struct mount_point at = { .to = m->mount_path, .how = BIND_INNER };
	bool shared = m->mount_propagation == PROPAGATION_BIDIRECTIONAL;
	const char *sub = NULL;
	struct err why = { 0 };
	int r;

	if (!v)
		return err_set(err, -EINVAL, "there is no volume \"%s\"", m->name);
	if (volume_claim(&in, v) && volume_claim(&in, v)->block)
		return err_set(err, -EINVAL, "volume \"%s\" has volumeMode Block, but is specified in "
			       "volumeMounts", m->name);
	b->fault = FAULT_MOUNT;
	r = volume_path(b, &in, v, &at.from, &why);
	if (r < 0)
		return err_set(err, r, "MountVolume.SetUp failed for volume \"%s\" : %s", v->name,
			       why.msg);
	b->fault = FAULT_CONFIG;
	r = sub_path(b, m, &sub, err);
	if (r < 0)
		return r;
	b->fault = FAULT_CREATE;
	if (shared && (r = check_shared(b, v, at.from, err)) < 0)
		return r;
	own_volume(b, &in, v);
	at.flags = MS_REC | (volume_keeps_devices(v) ? 0 : MS_NODEV) | propagation(m);
	if (is_read_only(&in, v, m)) {
		at.flags |= MS_RDONLY;
		at.how |= recursive(m) ? 0 : BIND_TOP;
	}
	at.flags |= v->image ? QUIET_MOUNT : 0;
	at.how |= shared ? BIND_HOST : 0;
	at.how |= b->p->ids && !volume_is_own(v) && !v->image ? BIND_IDMAP : 0;
	if (sub) {
		at.from = arena_printf(b->a, "%s//%s", at.from, sub);
		at.how |= volume_is_files(v) || v->image ? 0 : BIND_MAKE;
	}
	mount_point_add(b->a, l, at);
	return 0;
}

static int check_device(const struct builder *b, const struct volume_device *d,
			const struct wanted_volume *claim, struct err *err)
{
	if (!claim)
		return err_set(err, -ENOENT, "volume \"%s\": its claim is not bound", d->name);
	if (!claim->block)
		return err_set(err, -EINVAL, "volume \"%s\" has volumeMode Filesystem, but is "
			       "specified in volumeDevices", d->name);
	if (claim->read_only || b->p->ids)
		return err_set(err, -EINVAL, "volume \"%s\": block volumes are not possible %s",
			       d->name, b->p->ids ? "with hostUsers: false" : "read-only");
	return 0;
}

/* Who may do what with a device is for its mode to say, which a mount does not change. */
static int add_device(struct builder *b, const struct volume_device *d, struct mount_points *l,
		      struct err *err)
{
	const struct volume_in in = { .pod = &b->p->object, .claims = b->claims->v,
				      .nclaims = b->claims->n };
	const struct volume *v = volume_find(&b->p->object.pod->spec, d->name);
	const struct wanted_volume *claim = v ? volume_claim(&in, v) : NULL;
	struct mount_point at = { .to = d->device_path, .flags = MS_NOSUID | MS_NOEXEC,
				  .how = BIND_INNER };
	struct err why = { 0 };
	int r = check_device(b, d, claim, err);

	if (r < 0)
		return r;
	b->fault = FAULT_MOUNT;
	r = device_path(b->p, b->a, claim, &at.from, &why);
	if (r < 0)
		return err_set(err, r, "MapVolume.SetUpDevice failed for volume \"%s\" : %s", d->name,
			       why.msg);
	b->fault = FAULT_CREATE;
	mount_point_add(b->a, l, at);
	return 0;
}

/* Unless a volume of the pod is mounted there. */
static void add_own(struct builder *b, struct mount_points *l, const char *from, const char *to,
		    uint64_t flags)
{
	const struct volume_mount_list *m = &b->c->volume_mounts;

	for (uint32_t k = 0; k < m->n; k++) {
		if (same_path(m->v[k].mount_path, to))
			return;
	}
	mount_point_add(b->a, l, (struct mount_point){ from, to, flags, BIND_INNER });
}

static int collect_mounts(struct builder *b, struct mount_points *l, struct err *err)
{
	static const char *const files[][2] = {
		{ "hosts", "/etc/hosts" }, { "hostname", "/etc/hostname" },
		{ "resolv.conf", "/etc/resolv.conf" },
	};
	const char *message = b->c->termination_message_path;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_own(b, l, arena_printf(b->a, "%s/%s", b->p->run_dir, files[i][0]), files[i][1],
			MS_NODEV);
	add_own(b, l, b->p->object.pod->spec.host_ipc ? "/dev/shm" :
		arena_printf(b->a, "%s/shm", b->p->rt->scratch), "/dev/shm", QUIET_MOUNT);
	if (message && *message)
		add_own(b, l, message_path(b->a, b->p, b->c), message, QUIET_MOUNT);
	for (uint32_t i = 0; r == 0 && i < b->c->volume_mounts.n; i++)
		r = add_volume(b, &b->c->volume_mounts.v[i], l, err);
	for (uint32_t i = 0; r == 0 && i < b->c->volume_devices.n; i++)
		r = add_device(b, &b->c->volume_devices.v[i], l, err);
	return r;
}

/* An OCI runtime takes mounts that it finds in the root for parts of it, with no propagation. */
static void stage(struct builder *b, const struct mount_points *l)
{
	const char *dir = arena_printf(b->a, "%s/staged", b->p->rt->scratch);

	builder_op1(b, OP_MKDIR, 0700, 0, dir);
	prog_add(b->out, OP_MOUNT, QUIET_MOUNT, 0, PROG_S("tmpfs", dir, "tmpfs", "mode=0700"), NULL, 0);
	for (uint32_t i = 0; i < l->n; i++) {
		const char *at = arena_printf(b->a, "%s/%u", dir, i);

		prog_add(b->out, OP_BIND, l->v[i].flags, l->v[i].how & ~(uint64_t)BIND_INNER,
			 PROG_S(l->v[i].from, at), NULL, 0);
		*arena_push(b->a, &b->staged) =
			(struct staged_mount){ at, l->v[i].to, l->v[i].flags };
	}
}

int container_binds(struct builder *b, struct err *err)
{
	struct mount_points l = { 0 };
	int r = collect_mounts(b, &l, err);

	if (b->p->handler && r == 0) {
		stage(b, &l);
		return 0;
	}
	for (uint32_t i = 0; r == 0 && i < l.n; i++)
		prog_add(b->out, OP_BIND, l.v[i].flags, l.v[i].how,
			 PROG_S(l.v[i].from, builder_in_root(b, l.v[i].to)), NULL, 0);
	return r;
}
