/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a sandbox: directories, volumes, files of /etc, control groups, the record, then the
 * shim and its first order, the sandbox program. Nothing here waits for the shim; containers may
 * be ordered right behind. Everything is mounted in the shim's own mount namespace, so that it is
 * gone with it.
 */
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/files.h"
#include "runtime/handler.h"
#include "runtime/identity.h"
#include "runtime/sandbox.h"
#include "runtime/volume.h"
#include "schema/schema.h"
#include "sys/sealed.h"
#include "sys/spawn.h"

#define SHM_SIZE "size=64m"

/*
 * What a pod without privileged containers can't get: loading modules, raw I/O, rebooting, and
 * changing mandatory access control. Everything else may be asked for by a container's
 * securityContext, and can only be given by who has it: the shim.
 */
#define BIT(cap) (1ULL << (cap))
#define NEVER (BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_BOOT) | \
	       BIT(CAP_MAC_ADMIN) | BIT(CAP_MAC_OVERRIDE) | BIT(CAP_SYS_PACCT) | \
	       BIT(CAP_AUDIT_CONTROL) | BIT(CAP_WAKE_ALARM) | BIT(CAP_BLOCK_SUSPEND))

uint64_t sandbox_caps(const struct pod_spec *s)
{
	return identity_any_privileged(s) ? UINT64_MAX : ~NEVER;
}

/* ---- the program ---- */

static const char *const sysctls[][2] = {
	/* before eth0 is born: an address less to wait for, and less kernel memory */
	{ "/proc/sys/net/ipv6/conf/default/disable_ipv6", "1" },
	/* no capability is needed to ping, or to listen on port 80 */
	{ "/proc/sys/net/ipv4/ping_group_range", "0 2147483647" },
	{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0" },
};

static void join_cgroup(const struct sandbox *p, struct buf *out)
{
	struct cgroup_entry entry;
	char path[256];

	snprintf(path, sizeof(path), "%s/_shim", p->cgroup);
	cgroup_entry_cpu(p->rt->cg, path, &entry);
	for (unsigned i = 0; i < entry.ntasks; i++)
		prog_add(out, OP_TASKS, 0, 0, PROG_S(entry.tasks[i]), NULL, 0);
}

static void network(const struct sandbox *p, struct buf *out)
{
	BUF_AUTO host = { 0 };
	BUF_AUTO pod = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++)
		prog_add(out, OP_WRITE, 1, 0, sysctls[i], NULL, 0);
	net_pod_link(p->rt->net, p->ip, PROG_NETNS_FD, &host, &pod);
	prog_add(out, OP_NETLINK_HOST, 0, 0, NULL, host.data, host.len);
	prog_add(out, OP_NETLINK_POD, 0, 0, NULL, pod.data, pod.len);
}

/* /proc/sys/net/ipv4/tcp_syncookies of net.ipv4.tcp_syncookies; what has a slash has no dots to
 * replace, sysctl(8). */
static const char *parameter_path(struct arena *a, const char *name)
{
	char *path = arena_printf(a, "/proc/sys/%s", name);

	for (char *c = path + strlen("/proc/sys/"); *c && !strchr(name, '/'); c++) {
		if (*c == '.')
			*c = '/';
	}
	return path;
}

/* The kernel asks for a capability in the network's user namespace, or for the user who is root in
 * that of the IPC. */
static void kernel_parameters(const struct sandbox *p, struct arena *a, struct buf *out)
{
	const struct pod_security_context *c = p->object.pod->spec.security_context;

	for (uint32_t i = 0; c && i < c->sysctls.n; i++) {
		const char *path = parameter_path(a, c->sysctls.v[i].name);

		prog_add(out, OP_WRITE, 0, strncmp(path, "/proc/sys/net/", 14) ? p->ids : 0,
			 PROG_S(path, c->sysctls.v[i].value), NULL, 0);
	}
}

static void mount_memory(struct buf *out, const char *type, const char *dir, const char *options)
{
	prog_add(out, OP_MOUNT, MS_NOSUID | MS_NODEV, 0, PROG_S(type, dir, type, options), NULL, 0);
}

static void memory_volumes(const struct sandbox *p, struct arena *a, struct buf *out)
{
	const struct volume_in in = { .pod = &p->object, .run_dir = p->run_dir };
	const struct pod_spec *spec = &p->object.pod->spec;
	gid_t group = 0;
	bool grouped = volume_group(&p->object, &group);

	for (uint32_t i = 0; i < spec->volumes.n; i++) {
		const struct volume *v = &spec->volumes.v[i];

		if (!volume_is_memory(v))
			continue;
		const char *dir = volume_source(a, &in, v), *huge = volume_huge(spec, v);
		int64_t size = quantity_value(&v->empty_dir->size_limit);
		const char *options = arena_printf(a, "mode=%s,uid=%u,gid=%u",
						   grouped ? "2777" : "0777", p->ids,
						   p->ids + (unsigned)group);
		if (size > 0)
			options = arena_printf(a, "%s,size=%lld", options, (long long)size);
		if (huge)
			options = arena_printf(a, "%s,pagesize=%s", options, huge);
		mount_memory(out, huge ? "hugetlbfs" : "tmpfs", dir, options);
	}
}

/* One tmpfs for what containers share with each other, or with the shim. */
static void scratch(const struct sandbox *p, struct arena *a, struct buf *out)
{
	mount_memory(out, "tmpfs", p->rt->scratch, "mode=0755," SHM_SIZE);
	prog_add(out, OP_MKDIR, 01777, 0, PROG_S(arena_printf(a, "%s/shm", p->rt->scratch)), NULL, 0);
	for (uint32_t i = 0; i < p->nruns; i++)
		prog_add(out, OP_FILE, 0666, 0, PROG_S(message_path(a, p, p->runs[i].spec)), NULL, 0);
}

static void sandbox_program(const struct sandbox *p, struct buf *out)
{
	struct arena a = { 0 };

	const struct pod_spec *s = &p->object.pod->spec;
	uint64_t own = CLONE_NEWUTS | (s->host_network ? 0 : CLONE_NEWNET) |
		       (s->host_ipc ? 0 : CLONE_NEWIPC);

	join_cgroup(p, out);
	if (volume_any_shared(s))
		prog_add(out, OP_KEEP_MOUNTS, 0, 0, NULL, NULL, 0);
	prog_add(out, OP_UNSHARE, CLONE_NEWNS | (p->ids ? 0 : own), 0, NULL, NULL, 0);
	if (p->ids)
		prog_add(out, OP_USERNS, p->ids, own, NULL, NULL, 0);
	prog_add(out, OP_SLAVE, 0, 0, NULL, NULL, 0);
	prog_add(out, OP_HOSTNAME, 0, 0, PROG_S(p->host_name), NULL, 0);
	if (!s->host_network)
		network(p, out);
	kernel_parameters(p, &a, out);
	scratch(p, &a, out);
	memory_volumes(p, &a, out);
	prog_add(out, OP_CAPS, sandbox_caps(s), 0, NULL, NULL, 0);
	arena_release(&a);
}

int sandbox_send_program(struct sandbox *p, struct err *err)
{
	BUF_AUTO program = { 0 };

	sandbox_program(p, &program);
	return link_send(&p->link, SHIM_SANDBOX, NULL, 0, &program, NULL, NULL, NULL, err);
}

/* ---- files ---- */

static int write_file(const struct sandbox *p, const char *name, const struct buf *text,
		      struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", p->run_dir, name);
	int r = file_write(path, buf_str(text), text->len, 0644, err);
	if (r == 0 && p->ids && chown(path, p->ids, p->ids) < 0)
		r = err_sys(err, -errno, "%s", path);
	return r;
}

/* What systemd-resolved writes for programs that can't reach its loopback address, if it runs. */
static void node_resolv_conf(struct buf *out)
{
	if (file_read("/run/systemd/resolve/resolv.conf", 65536, out, NULL) < 0)
		file_read("/etc/resolv.conf", 65536, out, NULL);
}

static int etc_files(const struct sandbox *p, struct err *err)
{
	const char *domain = p->rt->s.cluster_domain;
	BUF_AUTO name = { 0 };
	BUF_AUTO hosts = { 0 };
	BUF_AUTO node_hosts = { 0 };
	BUF_AUTO resolv = { 0 };
	BUF_AUTO node = { 0 };

	buf_printf(&name, "%s\n", p->host_name);
	if (p->object.pod->spec.host_network)
		file_read("/etc/hosts", 1 << 20, &node_hosts, NULL);
	files_hosts(&p->object, p->host_name, p->ip, domain, buf_str(&node_hosts), &hosts);
	node_resolv_conf(&node);
	files_resolv_conf(&p->object, buf_str(&node), domain, &resolv);
	int r = write_file(p, "hostname", &name, err);
	if (r == 0)
		r = write_file(p, "hosts", &hosts, err);
	return r < 0 ? r : write_file(p, "resolv.conf", &resolv, err);
}

/* ---- the shim ---- */

/* The first one makes the copy that all are. Where there can be none, the file is run. */
static const char *shim_program(struct runtime *rt, char *buf, size_t n)
{
	if (rt->shim_fd < 0 && sealed_copy(rt->s.shim, &rt->shim_fd, NULL) < 0)
		return rt->s.shim;
	sealed_path(rt->shim_fd, buf, n);
	return buf;
}

static int spawn_shim(struct sandbox *p, int socket, struct err *err)
{
	const char *const argv[] = { "orch-shim", p->run_dir, NULL };
	struct cgroup_entry entry;
	char path[256], program[32];
	int pidfd;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/_shim", p->cgroup);
	cgroup_entry_cpu(p->rt->cg, path, &entry);
	struct spawn s = {
		.path = shim_program(p->rt, program, sizeof(program)), .argv = argv,
		.cwd = p->run_dir, .cgroup_dir = entry.dir,
		.fds = { [0 ... SHIM_FD - 1] = -1, [SHIM_FD] = socket }, .nfds = SHIM_FD + 1,
		.session = true,
	};
	int r = nursery_spawn(&p->rt->nursery, &s, &pid, &pidfd, err);
	if (r == 0 && (r = link_watch(&p->link, pid, pidfd)) < 0)
		err_sys(err, r, "event loop");
	return r;
}

static int start_shim(struct sandbox *p, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, -errno, "socket pair");
	FD_AUTO theirs = pair[1];
	int r = link_open(&p->link, pair[0]);
	if (r < 0)
		return err_sys(err, r, "event loop");
	r = spawn_shim(p, theirs, err);
	return r < 0 ? r : sandbox_send_program(p, err);
}

/* Namespaced, and harmless to others:
 * https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/ */
static bool is_safe(const char *name)
{
	static const char *const safe[] = {
		"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
		"net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
		"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
		"net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
	};

	for (size_t i = 0; i < ARRAY_SIZE(safe); i++) {
		if (streq(safe[i], name))
			return true;
	}
	return false;
}

/* A name, or how one begins and an asterisk. */
static bool is_allowed(const struct strs *patterns, const char *name)
{
	for (uint32_t i = 0; i < patterns->n; i++) {
		const char *star = strchr(patterns->v[i], '*');
		size_t n = star ? (size_t)(star - patterns->v[i]) : strlen(name) + 1;

		if (strncmp(patterns->v[i], name, n) == 0)
			return true;
	}
	return false;
}

static int check_parameters(const struct sandbox *p, struct err *err)
{
	const struct pod_security_context *c = p->object.pod->spec.security_context;

	for (uint32_t i = 0; c && i < c->sysctls.n; i++) {
		const char *name = c->sysctls.v[i].name;

		if (!is_safe(name) && !is_allowed(&p->rt->s.unsafe_sysctls, name))
			return err_set(err, -EPERM, "forbidden sysctl: \"%s\" is not one of the safe "
				       "ones, nor of allowedUnsafeSysctls in orchd.yaml", name);
	}
	return 0;
}

/* In the host's network a pod's address is the node's. */
static int address(struct sandbox *p, struct err *err)
{
	if (!p->object.pod->spec.host_network)
		return net_addr_alloc(p->rt->net, &p->ip, err);
	p->ip = net_node_ip(p->rt->net);
	return 0;
}

int sandbox_make(struct sandbox *p, const struct set *set, struct err *err)
{
	struct volume_in in = { &p->object, p->run_dir, p->state_dir, 0, p->rt->node, NULL, 0 };
	int r = check_parameters(p, err);

	if (r == 0)
		r = handler_choose(p, set, err);
	if (r == 0 && !p->handler && userns_wanted(&p->rt->userns, &p->object.pod->spec))
		r = userns_take(&p->rt->userns, &p->ids, err);
	in.ids = p->ids;
	if (r == 0)
		r = address(p, err);
	if (r == 0)
		r = file_mkdir_p(p->run_dir, 0700, err);
	if (r == 0)
		r = volumes_make(&in, set, err);
	if (r == 0)
		r = etc_files(p, err);
	if (r == 0)
		r = sandbox_limit(p, err);
	if (r == 0)
		r = record_create(p, err);
	return r < 0 ? r : start_shim(p, err);
}
