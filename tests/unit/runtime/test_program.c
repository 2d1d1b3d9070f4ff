/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container's start says to the shim: the messages are read at the other end of the link
 * and the program is taken apart. Needs root for a network namespace and a control group of its
 * own; no process is started.
 */
#include "fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/sandbox.h"

static const char yaml[] =
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {k: v}\n"
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
	"spec:\n"
	"  volumes:\n"
	"  - {name: conf, configMap: {name: cm}}\n"
	"  - {name: data, emptyDir: {}}\n"
	"  - {name: node, hostPath: {path: /tmp}}\n"
	"  containers:\n"
	"  - name: c\n"
	"    image: rootfs:/usr\n"
	"    command: [/bin/x, '$(A)']\n"
	"    env: [{name: A, value: b}]\n"
	"    readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 3}\n"
	"    securityContext: {runAsUser: 1000, capabilities: {drop: [ALL], add: [KILL]},\n"
	"      readOnlyRootFilesystem: true}\n"
	"    volumeMounts:\n"
	"    - {name: data, mountPath: /srv/deep/er}\n"
	"    - {name: conf, mountPath: /srv, readOnly: false}\n"
	"    - {name: conf, mountPath: /opt/k, subPath: k}\n"
	"  - name: missing\n"
	"    image: rootfs:/nonexistent/root\n"
	"    command: [x]\n"
	"  - name: shares\n"
	"    image: rootfs:/usr\n"
	"    command: [x]\n"
	"    securityContext: {privileged: true}\n"
	"    volumeMounts: [{name: node, mountPath: /n, mountPropagation: Bidirectional}]\n"
	"  - name: hides\n"
	"    image: rootfs:/usr\n"
	"    command: [x]\n"
	"    securityContext: {privileged: true}\n"
	"    volumeMounts: [{name: conf, mountPath: /n, mountPropagation: Bidirectional}]\n";

struct bed {
	char dir[64], group[64];
	struct loop *loop;
	struct net *net;
	struct cgroup_fs *cg;
	struct runtime *rt;
	struct set *set;
	struct object *pod;
	struct sandbox *p;
	int peer;
};

static void nothing(void *data)
{
	(void)data;
}

static void make_runtime(struct bed *b)
{
	struct net_settings net = { .table = "orch_unit" };
	struct runtime_settings s = {
		.run_dir = b->dir, .state_dir = b->dir, .log_dir = b->dir, .shim = "/bin/false",
		.cluster_domain = "cluster.local", .node_name = "node", .log_max_files = 2,
	};
	struct runtime_events ev = { nothing, NULL };
	struct err err = { 0 };

	cidr4_parse("10.77.0.0/24", &net.pod_cidr);
	cidr4_parse("10.78.0.0/24", &net.service_cidr);
	snprintf(b->group, sizeof(b->group), "orch-unit-%d", getpid());
	assert_int_equal(loop_new(&b->loop), 0);
	if (net_new(&net, &b->net, &err) < 0 || cgroup_fs_new(b->group, &b->cg, &err) < 0 ||
	    runtime_new(b->loop, &s, b->net, b->cg, ev, &b->rt, &err) < 0)
		fail_msg("%s", err.msg);
}

/* A sandbox whose shim is the other end of a socket pair. */
static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int pair[2];

	*state = b;
	if (geteuid() != 0)
		return 0;
	snprintf(b->dir, sizeof(b->dir), "/tmp/orch-program-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	make_runtime(b);
	b->set = set_from(yaml);
	b->pod = pod_in(b->set, "web");
	b->p = sandbox_new(b->rt, b->pod);
	b->p->ip = 0x0a4d0005;
	b->p->stage = POD_UP;
	sandbox_insert(b->p);
	assert_int_equal(file_mkdir_p(b->p->run_dir, 0700, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(link_open(&b->p->link, pair[0]), 0);
	b->peer = pair[1];
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	if (b->rt) {
		runtime_free(b->rt);
		net_free(b->net);
		cgroup_remove(b->cg, "", NULL);
		cgroup_fs_free(b->cg);
		loop_free(b->loop);
		set_unref(b->set);
		close(b->peer);
		file_rm_rf(b->dir, NULL);
	}
	free(b);
	return 0;
}

static int start(struct bed *b, const char *name, struct err *err)
{
	struct wanted_pod pod = { .object = *b->pod };
	struct wanted_container c = { .name = name, .run = true };

	return runtime_container_start(b->rt, &pod, &c, b->set, err);
}

struct message {
	struct shim_msg head;
	char payload[SHIM_MSG_MAX];
};

static size_t next_message(struct bed *b, struct message *m)
{
	ssize_t n = recv(b->peer, m, sizeof(*m), 0);

	assert_true(n >= (ssize_t)sizeof(m->head));
	return (size_t)n - sizeof(m->head);
}

/* One line per record: "NAME a b first second..." */
static void disassemble(const char *prog, size_t n, struct buf *out)
{
	assert_int_equal(prog_check(prog, n), 0);
	for (size_t at = 0; at < n;) {
		const struct prog_op *op = (const struct prog_op *)(prog + at);
		const char *s = prog_strings(op);

		buf_printf(out, "%s %llx %llx", prog_op_name(op->op), (unsigned long long)op->a,
			   (unsigned long long)op->b);
		for (unsigned i = 0; i < op->nstr; i++, s += strlen(s) + 1)
			buf_printf(out, " %s", s);
		buf_putc(out, '\n');
		at += op->size;
	}
}

/* Each of the texts is in a line after that of the one before. */
static void assert_in_order(const char *program, const char *const *texts)
{
	const char *at = program;

	for (; *texts; texts++) {
		const char *found = strstr(at, *texts);

		if (!found)
			fail_msg("\"%s\" is missing, or too early, in\n%s", *texts, program);
		at = found + strcspn(found, "\n");
	}
}

static void test_start(void **state)
{
	static const char *const order[] = {
		"UNSHARE 2000000 0", "OOM_SCORE 3e8", "MOUNT 4 0 overlay ", "/root/proc proc",
		"/root/dev tmpfs", "/root/sys sysfs", "/root/dev/null",
		/* outer mounts before inner ones; ConfigMaps are read-only in any case */
		"/volumes/conf /tmp/", "/root/etc/hosts", "/volumes/conf//k /tmp/",
		"/root/srv/deep/er",
		"PIVOT", "MASK 0 0 /proc/kcore", "READONLY 0 0 /proc/sys\n", "CHDIR 0 1 /\n",
		"MOUNT 1025 0  / ",	/* MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV */
		"CHDIR 0 0 /\n", "GROUPS", "GID 0", "UID 3e8", "CAPS 20 0", "NO_NEW_PRIVS",
		"SECCOMP", "ENV 0 0 HOME=/\n", "ENV 0 0 HOSTNAME=web", "ENV 0 0 A=b",
		"ARG 0 0 /bin/x", "ARG 0 0 b\n", "EXEC", NULL,
	};
	static struct message m;
	struct bed *b = *state;
	const struct shim_probe *probe = (const struct shim_probe *)m.payload;
	const struct shim_start *s = (const struct shim_start *)m.payload;
	struct err err = { 0 };
	BUF_AUTO text = { 0 };

	if (!b->rt)
		skip();
	assert_int_equal(start(b, "c", &err), 0);
	next_message(b, &m);
	assert_int_equal(m.head.type, SHIM_PROBE);	/* before the run that it is for */
	assert_int_equal(probe->kind, SHIM_READINESS);
	assert_int_equal(probe->how.port, 8080);
	assert_int_equal(probe->period_ms, 3000);
	assert_non_null(strstr(probe->how.request, "GET /ready HTTP/1.1\r\nHost: 10.77.0.5:8080\r\n"));
	size_t n = next_message(b, &m);
	assert_int_equal(m.head.type, SHIM_START);
	assert_string_equal(s->name, "c");
	disassemble(m.payload + sizeof(*s), n - sizeof(*s), &text);
	assert_in_order(text.data, order);
	assert_true(sandbox_run(b->p, "c")->starting);
}

/* What needs the node's root comes before the pod's users, who get what is left to be made. */
static void test_own_users(void **state)
{
	static const char *const order[] = {
		"UNSHARE 2000000 0", "BIND 1 8 /usr ", "BIND 1 10 ", "/scratch/lower\n",
		"lowerdir=0:1,upperdir=", "size=64k,uid=1073741824,gid=1073741824", "gid=1073741829",
		"PIVOT", "MASK", "READONLY", "ENTER 40000000 2020000\n", "CHDIR 0 1 /\n",
		"GID 0", "UID 3e8", "EXEC", NULL,
	};
	static struct message m;
	struct bed *b = *state;
	struct err err = { 0 };
	struct stat st;
	BUF_AUTO text = { 0 };
	char upper[256];

	if (!b->rt)
		skip();
	b->p->ids = 1 << 30;
	assert_int_equal(start(b, "c", &err), 0);
	next_message(b, &m);
	size_t n = next_message(b, &m);
	disassemble(m.payload + sizeof(struct shim_start), n - sizeof(struct shim_start), &text);
	assert_in_order(text.data, order);
	snprintf(upper, sizeof(upper), "%s/c.0.upper", b->p->state_dir);
	assert_int_equal(stat(upper, &st), 0);
	assert_int_equal(st.st_uid, 1 << 30);
	assert_int_equal(st.st_gid, 1 << 30);
}

/* Its mounts are seen by others where the node has a shared mount, and only there. */
static void test_shared_mounts(void **state)
{
	static struct message m;
	struct bed *b = *state;
	struct err err = { 0 };
	BUF_AUTO text = { 0 };

	if (!b->rt)
		skip();
	assert_int_equal(start(b, "hides", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "volume \"conf\" is not mounted on the node"));
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	assert_int_equal(start(b, "shares", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is not a shared one"));
	assert_int_equal(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL), 0);
	b->p->ids = 1 << 30;
	assert_int_equal(start(b, "shares", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "hostUsers: false"));
	b->p->ids = 0;
	if (start(b, "shares", &err) < 0)
		fail_msg("%s", err.msg);
	size_t n = next_message(b, &m);
	disassemble(m.payload + sizeof(struct shim_start), n - sizeof(struct shim_start), &text);
	assert_non_null(strstr(text.data, "BIND 104004 21 /tmp /tmp/"));
}

/* An OCI runtime gets a root, what is to be bound there, and a file that says the rest. */
static void test_handler(void **state)
{
	static const char *const order[] = {
		"OOM_SCORE", "ROOT 0 0 ", "MOUNT 4 0 overlay ", "/root/dev tmpfs", "/root/sys sysfs",
		"/scratch/staged tmpfs", "/volumes/conf /tmp/", "/scratch/staged/", "MASK 0 0 /sys/fs/cgroup/unified",
		"CHDIR 0 0 /tmp/", "ARG 0 0 /bin/true", "ARG 0 0 run\n", "ARG 0 0 --bundle", "ARG 0 0 c-0\n",
		"EXEC", NULL,
	};
	static const char *const config[] = {
		"\"uid\": 1000", "\"args\": [", "\"/bin/x\",", "\"A=b\"", "\"cwd\": \"/\"", "\"CAP_KILL\"",
		"\"noNewPrivileges\": true", "\"destination\": \"/proc\"",
		"\"destination\": \"/srv\"", "\"rbind\"", "\"ro\"", "\"destination\": \"/srv/deep/er\"",
		"\"destination\": \"/.\"", "\"remount\"", "\"nodev\"", "\"ro\"",
		"\"mount\"", "\"pid\"", "\"/proc/kcore\"", "\"run.oci.seccomp_bpf_data\": \"", NULL,
	};
	static struct message m;
	static struct runtime_handler crun = { "crun", "/bin/true" };
	struct bed *b = *state;
	const struct shim_start *s = (const struct shim_start *)m.payload;
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	BUF_AUTO json = { 0 };
	char path[256];

	if (!b->rt)
		skip();
	b->p->handler = "crun";
	assert_int_equal(start(b, "c", &err), -ENOENT);
	assert_string_equal(err.msg, "RuntimeHandler \"crun\" not supported");
	b->rt->s.handlers.v = &crun;
	b->rt->s.handlers.n = 1;
	if (start(b, "c", &err) < 0)
		fail_msg("%s", err.msg);
	next_message(b, &m);
	size_t n = next_message(b, &m);
	assert_string_equal(s->launch_dir, "oci/c");
	disassemble(m.payload + sizeof(*s), n - sizeof(*s), &text);
	assert_in_order(text.data, order);
	assert_null(strstr(text.data, "PIVOT"));
	assert_null(strstr(text.data, "/root/proc proc"));
	snprintf(path, sizeof(path), "%s/oci/c/config.json", b->p->run_dir);
	assert_int_equal(file_read(path, 0, &json, NULL), 0);
	assert_in_order(buf_str(&json), config);
}

static void test_refused(void **state)
{
	struct bed *b = *state;
	struct err err = { 0 };
	char byte;

	if (!b->rt)
		skip();
	assert_int_equal(start(b, "missing", &err), -ENOENT);
	assert_int_equal(sandbox_run(b->p, "missing")->st.phase, SHIM_CREATED);
	assert_int_equal(sandbox_run(b->p, "missing")->refused.fault, FAULT_CREATE);
	assert_int_equal(sandbox_run(b->p, "missing")->refused.times, 1);
	assert_string_equal(sandbox_run(b->p, "missing")->message, err.msg);
	assert_int_equal(recv(b->peer, &byte, 1, 0), -1);
}

static void test_record(void **state)
{
	struct bed *b = *state;
	struct arena a = { 0 };
	struct record r;
	struct err err = { 0 };

	if (!b->rt)
		skip();
	b->p->created_at = 7;
	b->p->stopped_at = 9;
	b->p->config_digest = 0xfedcba9876543210;
	b->p->ids = 1 << 30;
	b->p->handler = "crun";
	assert_int_equal(record_create(b->p, &err), 0);
	assert_int_equal(record_read(b->p->run_dir, &a, &r, &err), 0);
	assert_int_equal(r.ip, 0x0a4d0005);
	assert_int_equal(r.created_at, 7);
	assert_int_equal(r.stopped_at, 9);
	assert_true(r.config_digest == 0xfedcba9876543210);
	assert_int_equal(r.ids, 1 << 30);
	assert_string_equal(r.handler, "crun");
	assert_string_equal(r.object.meta->uid, b->pod->meta->uid);
	assert_int_equal(r.object.pod->spec.containers.n, 4);
	assert_int_equal(r.object.pod->spec.containers.v[0].security_context->run_as_user, 1000);
	record_remove(b->p);
	assert_int_equal(record_read(b->p->run_dir, &a, &r, &err), -ENOENT);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_own_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_record, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_handler, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shared_mounts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
