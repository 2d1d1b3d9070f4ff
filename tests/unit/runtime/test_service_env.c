/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of Services, by themselves and below what envFrom and env say. */
#include "fixture.h"

#include "base/macro.h"
#include "runtime/env.h"
#include "runtime/service_env.h"
#include "schema/schema.h"

#define NAMESPACE "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n"
#define SERVICE(ns, name, spec)                                                                \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: " ns "}\n"    \
	"spec: {" spec "}\n"
#define POD(ns, spec)                                                                          \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: " ns "}\n"            \
	"spec:\n  containers:\n  - name: c\n    image: rootfs:/\n" spec

static const char master[] =
	SERVICE("default", "kubernetes", "clusterIP: 10.96.0.1, ports: [{name: https, port: 443}]");

/* "NAME=VALUE" a line, in the order of the map. */
static void assert_variables(const char *yaml, const char *ns, const char *expected)
{
	struct set *s = set_from(yaml);
	struct arena a = { 0 };
	BUF_AUTO text = { 0 };
	struct strmap m = service_env(&a, s, set_find(s, KIND_POD, ns, "web"));

	for (uint32_t i = 0; i < m.n; i++) {
		buf_printf(&text, "%s=%s\n", m.v[i].k, m.v[i].v);
		assert_string_equal(strmap_get(&m, m.v[i].k), m.v[i].v);
	}
	assert_string_equal(buf_str(&text), expected);
	arena_release(&a);
	set_unref(s);
}

static void test_names(void **state)
{
	(void)state;
	assert_variables(
		POD("default", "")
		SERVICE("default", "redis-primary", "clusterIP: 10.0.0.11, ports: [{port: 6379}]"),
		"default",
		"REDIS_PRIMARY_PORT=tcp://10.0.0.11:6379\n"
		"REDIS_PRIMARY_PORT_6379_TCP=tcp://10.0.0.11:6379\n"
		"REDIS_PRIMARY_PORT_6379_TCP_ADDR=10.0.0.11\n"
		"REDIS_PRIMARY_PORT_6379_TCP_PORT=6379\n"
		"REDIS_PRIMARY_PORT_6379_TCP_PROTO=tcp\n"
		"REDIS_PRIMARY_SERVICE_HOST=10.0.0.11\n"
		"REDIS_PRIMARY_SERVICE_PORT=6379\n");
	assert_variables(
		POD("default", "")
		SERVICE("default", "dns", "clusterIP: 10.0.0.10, ports: "
			"[{name: dns-u, port: 53, protocol: UDP}, {name: m, port: 90}]"),
		"default",
		"DNS_PORT=udp://10.0.0.10:53\n"
		"DNS_PORT_53_UDP=udp://10.0.0.10:53\n"
		"DNS_PORT_53_UDP_ADDR=10.0.0.10\n"
		"DNS_PORT_53_UDP_PORT=53\n"
		"DNS_PORT_53_UDP_PROTO=udp\n"
		"DNS_PORT_90_TCP=tcp://10.0.0.10:90\n"
		"DNS_PORT_90_TCP_ADDR=10.0.0.10\n"
		"DNS_PORT_90_TCP_PORT=90\n"
		"DNS_PORT_90_TCP_PROTO=tcp\n"
		"DNS_SERVICE_HOST=10.0.0.10\n"
		"DNS_SERVICE_PORT=53\n"
		"DNS_SERVICE_PORT_DNS_U=53\n"
		"DNS_SERVICE_PORT_M=90\n");
}

static void test_which(void **state)
{
	(void)state;
	/* without an address, or of another namespace: not there */
	assert_variables(
		NAMESPACE POD("default", "")
		SERVICE("other", "far", "clusterIP: 10.0.0.1, ports: [{port: 1}]")
		SERVICE("default", "headless", "clusterIP: None, ports: [{port: 1}]")
		SERVICE("default", "not-yet", "ports: [{port: 1}]")
		SERVICE("default", "alias", "type: ExternalName, externalName: x.example"),
		"default", "");
	assert_variables(POD("default", "  enableServiceLinks: false\n")
			 SERVICE("default", "a", "clusterIP: 10.0.0.1, ports: [{port: 1}]"),
			 "default", "");
}

#define MASTER(ip, port, name)                                                                 \
	"KUBERNETES_PORT=tcp://" ip ":" port "\n"                                               \
	"KUBERNETES_PORT_" port "_TCP=tcp://" ip ":" port "\n"                                  \
	"KUBERNETES_PORT_" port "_TCP_ADDR=" ip "\nKUBERNETES_PORT_" port "_TCP_PORT=" port "\n" \
	"KUBERNETES_PORT_" port "_TCP_PROTO=tcp\nKUBERNETES_SERVICE_HOST=" ip "\n"               \
	"KUBERNETES_SERVICE_PORT=" port "\n" name

static void test_master(void **state)
{
	static const char https[] = MASTER("10.96.0.1", "443",
					   "KUBERNETES_SERVICE_PORT_HTTPS=443\n");
	BUF_AUTO yaml = { 0 };

	(void)state;
	buf_printf(&yaml, "%s%s%s", NAMESPACE POD("other", "  enableServiceLinks: false\n"),
		   POD("default", ""), master);
	assert_variables(yaml.data, "other", https);
	assert_variables(yaml.data, "default", https);
	yaml.len = 0;
	buf_printf(&yaml, "%s%s", NAMESPACE POD("other", "")
		   SERVICE("other", "kubernetes", "clusterIP: 10.0.0.9, ports: [{port: 80}]"), master);
	assert_variables(yaml.data, "other", MASTER("10.0.0.9", "80", ""));
}

static void test_same_name(void **state)
{
	(void)state;
	assert_variables(
		POD("default", "  enableServiceLinks: true\n")
		SERVICE("default", "a", "clusterIP: 10.0.0.1, ports: [{name: b, port: 1}]")
		SERVICE("default", "a-service-port", "clusterIP: 10.0.0.2, ports: [{port: 2}]"),
		"default",
		"A_PORT=tcp://10.0.0.1:1\nA_PORT_1_TCP=tcp://10.0.0.1:1\n"
		"A_PORT_1_TCP_ADDR=10.0.0.1\nA_PORT_1_TCP_PORT=1\nA_PORT_1_TCP_PROTO=tcp\n"
		"A_SERVICE_HOST=10.0.0.1\nA_SERVICE_PORT=1\nA_SERVICE_PORT_B=1\n"
		"A_SERVICE_PORT_PORT=tcp://10.0.0.2:2\nA_SERVICE_PORT_PORT_2_TCP=tcp://10.0.0.2:2\n"
		"A_SERVICE_PORT_PORT_2_TCP_ADDR=10.0.0.2\nA_SERVICE_PORT_PORT_2_TCP_PORT=2\n"
		"A_SERVICE_PORT_PORT_2_TCP_PROTO=tcp\nA_SERVICE_PORT_SERVICE_HOST=10.0.0.2\n"
		"A_SERVICE_PORT_SERVICE_PORT=2\n");
}

/* Too many: as if they were not wanted; the pod must still start. */
static void test_too_many(void **state)
{
	BUF_AUTO yaml = { 0 };

	(void)state;
	buf_puts(&yaml, POD("default", ""));
	for (int i = 0; i < 400; i++)
		buf_printf(&yaml, "---\napiVersion: v1\nkind: Service\nmetadata: {name: service-%d}\n"
			   "spec: {clusterIP: 10.0.%d.%d, ports: [{port: 8080}]}\n", i, i / 200,
			   i % 200 + 1);
	assert_variables(yaml.data, "default", "");
	buf_puts(&yaml, master);
	assert_variables(yaml.data, "default",
			 MASTER("10.96.0.1", "443", "KUBERNETES_SERVICE_PORT_HTTPS=443\n"));
}

static const char *variable(const struct env *env, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (uint32_t i = 0; i < env->list.n; i++) {
		if (strncmp(env->list.v[i], name, n) == 0 && env->list.v[i][n] == '=') {
			assert_null(found);
			found = env->list.v[i] + n + 1;
		}
	}
	return found;
}

/* The container's own win over them, they win over the image's, and all can refer to them. */
static void test_precedence(void **state)
{
	static const char *const image_env[] = { "DB_SERVICE_PORT=image", "DB_PORT=image", NULL };
	static const char *const none[] = { NULL };
	static const struct image image = { .env = image_env, .entrypoint = none, .cmd = none };
	struct set *s = set_from(
		POD("default",
		    "    command: [x, '$(DB_SERVICE_HOST)']\n"
		    "    envFrom: [{configMapRef: {name: cm}}]\n"
		    "    env:\n    - {name: URL, value: 'db://$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)'}\n"
		    "    - {name: DB_PORT_5_TCP_PROTO, value: own}\n")
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n"
		"data: {DB_PORT_5_TCP_ADDR: config}\n"
		SERVICE("default", "db", "clusterIP: 10.0.0.5, ports: [{port: 5}]"));
	const struct object *pod = pod_in(s, "web");
	const struct env_in in = { .pod = pod, .container = &pod->pod->spec.containers.v[0],
				   .set = s, .image = &image, .host_name = "web", .home = "/root" };
	struct arena a = { 0 };
	struct strs argv;
	struct env env;
	struct err err;

	(void)state;
	assert_int_equal(env_build(&a, &in, &env, &err), 0);
	assert_string_equal(variable(&env, "URL"), "db://10.0.0.5:5");
	assert_string_equal(variable(&env, "DB_SERVICE_PORT"), "5");
	assert_string_equal(variable(&env, "DB_PORT"), "tcp://10.0.0.5:5");
	assert_string_equal(variable(&env, "DB_PORT_5_TCP_PROTO"), "own");
	assert_string_equal(variable(&env, "DB_PORT_5_TCP_ADDR"), "config");
	assert_int_equal(env_command(&a, &in, &env, &argv, &err), 0);
	assert_string_equal(argv.v[1], "10.0.0.5");
	arena_release(&a);
	set_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_which),
		cmocka_unit_test(test_master), cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_too_many), cmocka_unit_test(test_precedence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
