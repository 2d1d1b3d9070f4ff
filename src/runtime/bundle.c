/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.json of an OCI bundle. Namespaces that are not named are those of the runtime's process,
 * hence the pod's. File systems of the kernel but /proc, which belongs to the new pid namespace, are
 * in the root already, and what is bound there is prepared, with its flags. The filter of system
 * calls is the one that other containers have, as instructions:
 * https://github.com/opencontainers/runtime-spec/blob/main/config.md,
 * https://github.com/containers/crun/blob/main/crun.1.md (run.oci.seccomp_bpf_data)
 */
#include <stdio.h>

#include "base/json.h"
#include "base/macro.h"
#include "base/units.h"
#include "runtime/handler.h"
#include "sys/privilege.h"

static void strings(struct json *j, const char *key, const char *const *v, size_t n)
{
	json_key(j, key);
	json_begin_array(j);
	for (size_t i = 0; i < n; i++)
		json_str(j, v[i]);
	json_end_array(j);
}

static void put_user(struct builder *b, struct json *j)
{
	json_key(j, "user");
	json_begin_object(j);
	json_kint(j, "uid", b->id.uid);
	json_kint(j, "gid", b->id.gid);
	json_kint(j, "umask", 022);
	json_key(j, "additionalGids");
	json_begin_array(j);
	for (uint32_t i = 0; i < b->id.ngroups; i++)
		json_int(j, b->id.groups[i]);
	json_end_array(j);
	json_end_object(j);
}

/* As far as there are any to give, which the shim does not need to be told. */
static void put_capabilities(struct builder *b, struct json *j)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	uint64_t caps = b->id.caps & sandbox_caps(&b->p->object.pod->spec) & cap_permitted();
	struct strs names = { 0 };

	for (unsigned cap = 0; cap < 64; cap++)
		if (caps >> cap & 1)
			*arena_push(b->a, &names) = cap_name(b->a, cap);
	json_key(j, "capabilities");
	json_begin_object(j);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		strings(j, sets[i], names.v, names.n);
	json_end_object(j);
}

static void put_process(struct builder *b, const struct bundle *x, struct json *j)
{
	json_key(j, "process");
	json_begin_object(j);
	json_kbool(j, "terminal", b->c->tty);
	put_user(b, j);
	strings(j, "args", b->argv.v, b->argv.n);
	strings(j, "env", b->env.list.v, b->env.list.n);
	json_kstr(j, "cwd", x->work_dir);
	put_capabilities(b, j);
	json_kbool(j, "noNewPrivileges", !b->id.may_gain);
	json_end_object(j);
}

static void put_mount(struct json *j, const char *type, const char *from, const char *to,
		      const char *const *options, size_t n)
{
	json_begin_object(j);
	json_kstr(j, "destination", to);
	json_kstr(j, "type", type);
	json_kstr(j, "source", from);
	strings(j, "options", options, n);
	json_end_object(j);
}

/* Said again for the mount itself, as runtimes take what is not said for off. */
static void put_bind(struct json *j, const struct staged_mount *m)
{
	static const struct {
		uint64_t flag;
		const char *word;
	} words[] = {
		{ MS_RDONLY, "ro" }, { MS_NOSUID, "nosuid" }, { MS_NODEV, "nodev" },
		{ MS_NOEXEC, "noexec" }, { MS_SHARED, "rshared" }, { MS_SLAVE, "rslave" },
	};
	const char *options[ARRAY_SIZE(words) + 2] = { "rbind" };
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (m->flags & words[i].flag)
			options[n++] = words[i].word;
	if (!(m->flags & (MS_SHARED | MS_SLAVE)))
		options[n++] = "rprivate";
	put_mount(j, "bind", m->from, m->to, options, n);
}

/* The runtime binds the root anew, without its flags: no device of an image, nor one that is made in
 * the container, may be opened. "/." as crun takes "/" for its own standard input. */
static void put_root_flags(struct builder *b, struct json *j)
{
	const char *options[4] = { "remount", "bind" };
	size_t n = 2;

	if (!b->id.privileged)
		options[n++] = "nodev";
	if (b->id.read_only_root)
		options[n++] = "ro";
	if (n > 2)
		put_mount(j, "bind", b->root, "/.", options, n);
}

static void put_mounts(struct builder *b, struct json *j)
{
	static const char *const quiet[] = { "nosuid", "noexec", "nodev" };

	json_key(j, "mounts");
	json_begin_array(j);
	put_mount(j, "proc", "proc", "/proc", quiet, ARRAY_SIZE(quiet));
	for (uint32_t i = 0; i < b->staged.n; i++)
		put_bind(j, &b->staged.v[i]);
	put_root_flags(b, j);
	json_end_array(j);
}

static void put_namespace(struct json *j, const char *type, const char *path)
{
	json_begin_object(j);
	json_kstr(j, "type", type);
	if (path)
		json_kstr(j, "path", path);
	json_end_object(j);
}

static void put_namespaces(struct builder *b, const struct bundle *x, struct json *j)
{
	const char *other = arena_printf(b->a, "/proc/self/fd/%d", PROG_PIDS_FD);

	json_key(j, "namespaces");
	json_begin_array(j);
	put_namespace(j, "mount", NULL);
	if (x->pids != SHIM_PIDS_HOST)
		put_namespace(j, "pid", x->pids == SHIM_PIDS_OWN ? NULL : other);
	json_end_array(j);
}

/* What a volume asks for counts only if the root does not forbid it. */
static const char *root_propagation(const struct builder *b)
{
	uint64_t asked = 0;

	for (uint32_t i = 0; i < b->staged.n; i++)
		asked |= b->staged.v[i].flags;
	return asked & MS_SHARED ? "rshared" : asked & MS_SLAVE ? "rslave" : "rprivate";
}

static void put_linux(struct builder *b, const struct bundle *x, struct json *j)
{
	json_key(j, "linux");
	json_begin_object(j);
	put_namespaces(b, x, j);
	json_kstr(j, "rootfsPropagation", root_propagation(b));
	if (!b->id.all_proc) {
		strings(j, "maskedPaths", container_masked.v, container_masked.n);
		strings(j, "readonlyPaths", container_read_only.v, container_read_only.n);
	}
	json_end_object(j);
}

static void put_annotations(struct builder *b, struct json *j)
{
	json_key(j, "annotations");
	json_begin_object(j);
	if (!b->id.no_filter)
		json_kstr(j, "run.oci.seccomp_bpf_data",
			  base64_encode(b->a, b->filter.data, b->filter.len));
	json_end_object(j);
}

void bundle_config(struct builder *b, const struct bundle *x, struct buf *out)
{
	struct json j;

	json_init(&j, out, true);
	json_begin_object(&j);
	json_kstr(&j, "ociVersion", "1.0.0");
	put_process(b, x, &j);
	json_key(&j, "root");
	json_begin_object(&j);
	json_kstr(&j, "path", b->root);
	json_end_object(&j);
	put_mounts(b, &j);
	put_linux(b, x, &j);
	put_annotations(b, &j);
	json_end_object(&j);
}
