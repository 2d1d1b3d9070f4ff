/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admission: identities and addresses are given once and stay; clashes are named. */
#include "fixture.h"

#include "schema/schema.h"

static struct store_ranges ranges(void)
{
	struct store_ranges r = { .node_port_min = 30000, .node_port_max = 32767 };

	assert_int_equal(cidr4_parse("10.96.0.0/16", &r.service_cidr), 0);
	return r;
}

#define T0 1795255200123456789

static void admit_at(struct fixture *f, struct set *set, int64_t now, bool dry)
{
	struct store_ranges r = ranges();

	assert_int_equal(store_admit(f->store, set, &r, now, 42, dry, &f->err), 0);
}

static struct set *admitted(struct fixture *f, const char *text)
{
	struct set *set = fixture_set(f, &text, 1);

	admit_at(f, set, T0, false);
	assert_int_equal(store_save(f->store, &f->err), 0);
	return set;
}

static struct object *find(const struct set *set, enum kind_id kind, const char *name)
{
	struct object *o = set_find(set, kind, "default", name);

	assert_non_null(o);
	return o;
}

static const struct service_spec *service(const struct set *set, const char *name)
{
	return &find(set, KIND_SERVICE, name)->service->spec;
}

static uint32_t address(const struct set *set, const char *name)
{
	uint32_t ip;

	assert_int_equal(ip4_parse(service(set, name)->cluster_ip, &ip), 0);
	return ip;
}

#define SERVICE(name, spec)                                                                    \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec:\n"               \
	"  selector: {app: x}\n" spec
#define PORT80 "  ports: [{port: 80}]\n"
#define CONFIG(name, value)                                                                    \
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\ndata: {a: " value "}\n"

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct object *o = find(admitted(f, CONFIG("c", "x")), KIND_CONFIGMAP, "c");
	char uid[37];

	assert_int_equal(strlen(o->meta->uid), 36);
	assert_int_equal(o->meta->uid[14], '4');
	assert_non_null(strchr("89ab", o->meta->uid[19]));
	assert_true(o->meta->creation_timestamp == T0);
	assert_int_equal(o->meta->generation, 1);
	assert_false(HAS(o->meta, meta, uid));
	memcpy(uid, o->meta->uid, sizeof(uid));

	fixture_reopen(f);
	struct set *same = fixture_set(f, (const char *const[]){ CONFIG("c", "x") }, 1);
	admit_at(f, same, T0 + NSEC, false);
	o = find(same, KIND_CONFIGMAP, "c");
	assert_string_equal(o->meta->uid, uid);
	assert_true(o->meta->creation_timestamp == T0);
	assert_int_equal(o->meta->generation, 1);

	struct set *edited = fixture_set(f, (const char *const[]){ CONFIG("c", "z") }, 1);
	admit_at(f, edited, T0 + NSEC, false);
	o = find(edited, KIND_CONFIGMAP, "c");
	assert_string_equal(o->meta->uid, uid);
	assert_int_equal(o->meta->generation, 2);
}

static void test_new_incarnation(void **state)
{
	struct fixture *f = *state;
	struct set *first = admitted(f, CONFIG("c", "x"));

	admitted(f, CONFIG("other", "x"));
	struct set *again = fixture_set(f, (const char *const[]){ CONFIG("c", "x") }, 1);
	admit_at(f, again, T0 + NSEC, false);
	assert_string_not_equal(find(again, KIND_CONFIGMAP, "c")->meta->uid,
				find(first, KIND_CONFIGMAP, "c")->meta->uid);
	assert_int_equal(find(again, KIND_CONFIGMAP, "c")->meta->generation, 1);
}

static void test_other_generations_untouched(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = manifest_load("a.yaml", CONFIG("c", "x") SERVICE("s", PORT80),
					   strlen(CONFIG("c", "x") SERVICE("s", PORT80)));
	struct set *set = set_build(&m, 1, NULL, 0, store_holds(f->store), NULL);

	f->sets[f->nsets++] = set;
	admit_at(f, set, T0, false);
	for (uint32_t i = 0; i < m->objects.n; i++) {
		assert_null(m->objects.v[i].meta->uid);
		if (m->objects.v[i].kind->id == KIND_SERVICE)
			assert_null(m->objects.v[i].service->spec.cluster_ip);
	}
	manifest_unref(m);

	const struct object *o = find(set, KIND_SERVICE, "s");
	const void *body = o->body;
	admit_at(f, set, T0 + NSEC, false);	/* again: nothing changes, nothing is copied */
	assert_ptr_equal(o->body, body);
}

static void test_dry(void **state)
{
	struct fixture *f = *state;
	struct set *set = fixture_set(f, (const char *const[]){ SERVICE("s", PORT80) }, 1);
	uint32_t n;

	admit_at(f, set, T0, true);
	assert_non_null(service(set, "s")->cluster_ip);
	store_inventory(f->store, &n);
	assert_int_equal(n, 0);
	assert_int_equal(store_save(f->store, &f->err), 0);
	assert_int_equal(fixture_inode(f, "inventory"), 0);
	uint32_t planned = address(set, "s");
	assert_int_equal(address(admitted(f, SERVICE("s", PORT80)), "s"), planned);
}

static void test_saved_once(void **state)
{
	struct fixture *f = *state;

	admitted(f, SERVICE("s", PORT80));
	ino_t inode = fixture_inode(f, "inventory");
	assert_int_not_equal(inode, 0);
	admitted(f, SERVICE("s", PORT80));
	assert_int_equal(fixture_inode(f, "inventory"), inode);
	fixture_reopen(f);
	admitted(f, SERVICE("s", PORT80));
	assert_int_equal(fixture_inode(f, "inventory"), inode);
}

static void test_addresses(void **state)
{
	struct fixture *f = *state;
	const char *text = SERVICE("a", PORT80) SERVICE("b", PORT80) SERVICE("none", "  clusterIP: None\n" PORT80)
		SERVICE("fixed", "  clusterIP: 10.96.0.10\n" PORT80);
	struct set *set = admitted(f, text);
	uint32_t a = address(set, "a"), b = address(set, "b");

	assert_int_equal(set->msgs.errors, 0);
	assert_int_not_equal(a, b);
	assert_in_range(a, (10u << 24 | 96u << 16) + 258, (10u << 24 | 97u << 16) - 2);
	assert_false(HAS(service(set, "a"), service_spec, cluster_ip));
	assert_int_equal(service(set, "a")->cluster_ips.n, 1);
	assert_string_equal(service(set, "a")->cluster_ips.v[0], service(set, "a")->cluster_ip);
	assert_string_equal(service(set, "none")->cluster_ip, "None");
	assert_string_equal(service(set, "none")->cluster_ips.v[0], "None");
	assert_string_equal(service(set, "fixed")->cluster_ip, "10.96.0.10");

	fixture_reopen(f);
	set = admitted(f, SERVICE("b", PORT80) SERVICE("c", PORT80));
	assert_int_equal(address(set, "b"), b);
	/* forgotten, and found again by its name */
	assert_int_equal(address(admitted(f, SERVICE("a", PORT80)), "a"), a);
}

static const struct msg *message(const struct set *set, const char *part)
{
	for (uint32_t i = 0; i < set->msgs.n; i++) {
		if (strstr(set->msgs.v[i].text, part))
			return &set->msgs.v[i];
	}
	BUF_AUTO all = { 0 };
	for (uint32_t i = 0; i < set->msgs.n; i++)
		msg_print(&set->msgs.v[i], &all);
	fail_msg("nothing says \"%s\":\n%s", part, buf_str(&all));
	return NULL;
}

static void test_fixed_clash(void **state)
{
	struct fixture *f = *state;
	const char *const texts[] = {
		SERVICE("a", "  clusterIP: 10.96.0.10\n" PORT80),
		"# a comment\n" SERVICE("b", "  clusterIP: 10.96.0.10\n" PORT80),
	};
	struct set *set = fixture_set(f, texts, 2);

	admit_at(f, set, T0, false);
	assert_int_equal(set->msgs.errors, 1);
	const struct msg *m = message(set, "10.96.0.10 is already used by service/a (f0.yaml:2)");
	assert_string_equal(m->file, "f1.yaml");
	assert_int_equal(m->line, 7);
	assert_string_equal(m->path, "spec.clusterIP");
	assert_false(m->warning);
	assert_string_equal(service(set, "a")->cluster_ip, "10.96.0.10");
	assert_null(set_find(set, KIND_SERVICE, "default", "b"));
}

static void test_fixed_outside(void **state)
{
	static const char *const bad[] = { "10.97.0.1", "10.96.0.0", "10.96.0.1", "10.96.255.255" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[256];

		snprintf(text, sizeof(text), SERVICE("s", "  clusterIP: %s\n") PORT80, bad[i]);
		struct set *set = admitted(f, text);
		assert_int_equal(set->msgs.errors, 1);
		message(set, "is not one of the service addresses 10.96.0.0/16");
		assert_null(service(set, "s")->cluster_ip);
	}
}

static void test_fixed_moves_another(void **state)
{
	struct fixture *f = *state;
	struct set *set = admitted(f, SERVICE("a", PORT80));
	char text[512];

	snprintf(text, sizeof(text), SERVICE("a", PORT80) SERVICE("b", "  clusterIP: %s\n") PORT80,
		 service(set, "a")->cluster_ip);
	uint32_t was = address(set, "a");
	set = admitted(f, text);
	assert_int_equal(set->msgs.errors, 0);
	assert_true(message(set, "service/b")->warning);
	assert_int_equal(address(set, "b"), was);
	assert_int_not_equal(address(set, "a"), was);
}

#define NODE "  type: NodePort\n"

static void test_node_ports(void **state)
{
	struct fixture *f = *state;
	const char *text = SERVICE("np", NODE "  ports: [{name: a, port: 80}, {name: b, port: 81, nodePort: 30080}]\n")
		SERVICE("u", NODE "  ports: [{port: 80, protocol: UDP, nodePort: 30080}]\n") SERVICE("c", PORT80);
	struct set *set = admitted(f, text);
	int32_t port = service(set, "np")->ports.v[0].node_port;

	assert_int_equal(set->msgs.errors, 0);
	assert_in_range(port, 30086, 32767);
	assert_false(HAS(&service(set, "np")->ports.v[0], service_port, node_port));
	assert_int_equal(service(set, "np")->ports.v[1].node_port, 30080);
	assert_int_equal(service(set, "u")->ports.v[0].node_port, 30080);
	assert_int_equal(service(set, "c")->ports.v[0].node_port, 0);

	fixture_reopen(f);
	set = admitted(f, SERVICE("np", NODE "  ports: [{name: new, port: 90}, {name: a, port: 80}]\n"));
	assert_int_equal(service(set, "np")->ports.v[1].node_port, port);
	assert_int_not_equal(service(set, "np")->ports.v[0].node_port, port);
	set = admitted(f, SERVICE("np", PORT80));
	assert_int_equal(service(set, "np")->ports.v[0].node_port, 0);
}

static void test_node_port_clash(void **state)
{
	struct fixture *f = *state;
	struct store_ranges r = ranges();
	const char *text = SERVICE("a", NODE "  ports: [{port: 80, nodePort: 30080}]\n")
		SERVICE("b", NODE "  ports:\n  - {name: x, port: 1}\n  - {name: z, port: 80, nodePort: 30080}\n")
		SERVICE("c", NODE "  ports: [{port: 80, nodePort: 31000}]\n");
	struct set *set = fixture_set(f, &text, 1);

	r.node_port_max = 30100;
	assert_int_equal(store_admit(f->store, set, &r, T0, 42, false, &f->err), 0);
	assert_int_equal(set->msgs.errors, 2);
	const struct msg *m = message(set, "30080 is already used by service/a");
	assert_string_equal(m->path, "spec.ports[1].nodePort");
	assert_int_equal(m->line, 18);
	message(set, "31000 is not one of the node ports 30000-30100");
	assert_null(set_find(set, KIND_SERVICE, "default", "b"));
}

/* The range was changed: remembered addresses outside of it are given up, and it is said. */
static void test_other_range(void **state)
{
	struct fixture *f = *state;
	struct store_ranges r = ranges();

	admitted(f, SERVICE("a", PORT80));
	assert_int_equal(cidr4_parse("10.200.0.0/29", &r.service_cidr), 0);
	struct set *set = fixture_set(f, (const char *const[]){ SERVICE("a", PORT80) SERVICE("b", PORT80)
		SERVICE("c", PORT80) SERVICE("d", PORT80) SERVICE("e", PORT80) SERVICE("f", PORT80) }, 1);
	assert_int_equal(store_admit(f->store, set, &r, T0, 42, false, &f->err), 0);
	assert_true(message(set, "it is not one of the service addresses 10.200.0.0/29")->warning);
	assert_in_range(address(set, "a"), 10u << 24 | 200u << 16 | 2, 10u << 24 | 200u << 16 | 6);
	assert_int_equal(set->msgs.errors, 1);	/* six services, five addresses */
	message(set, "nothing is left of the service addresses");
	assert_false(set->msgs.v[0].warning);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_new_incarnation),
		TEST(test_other_generations_untouched),
		TEST(test_dry),
		TEST(test_saved_once),
		TEST(test_addresses),
		TEST(test_fixed_clash),
		TEST(test_fixed_outside),
		TEST(test_fixed_moves_another),
		TEST(test_node_ports),
		TEST(test_node_port_clash),
		TEST(test_other_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
