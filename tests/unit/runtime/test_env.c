/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Environment, command and arguments of a container. */
#include "fixture.h"

#include "base/macro.h"
#include "runtime/env.h"
#include "schema/schema.h"

static const char *const image_env[] = { "PATH=/bin", "LANG=C", NULL };
static const char *const image_entry[] = { "/entry", NULL };
static const char *const image_cmd[] = { "default", NULL };
static const char *const nothing[] = { NULL };
static const struct image image = {
	.env = image_env, .entrypoint = image_entry, .cmd = image_cmd, .workdir = "/", .user = "",
};

struct work {
	struct arena a;
	struct set *set;
	struct env_in in;
	struct env env;
	struct err err;
};

static void begin(struct work *w, const char *yaml)
{
	*w = (struct work){ .set = set_from(yaml) };
	const struct object *pod = pod_in(w->set, "web");

	w->in = (struct env_in){
		.pod = pod, .container = &pod->pod->spec.containers.v[0],
		.set = w->set, .image = &image,
		.host_name = "web", .home = "/root", .node_name = "node1",
		.ip = 0x0af40007, .node_ip = 0x0af40001,
		.node = { .memory = 8LL << 30, .disk = 5LL << 30, .cpu_milli = 4000 },
	};
}

static void end(struct work *w)
{
	arena_release(&w->a);
	set_unref(w->set);
}

static const char *variable(const struct work *w, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (uint32_t i = 0; i < w->env.list.n; i++) {
		if (strncmp(w->env.list.v[i], name, n) == 0 && w->env.list.v[i][n] == '=') {
			assert_null(found);	/* once only */
			found = w->env.list.v[i] + n + 1;
		}
	}
	return found;
}

static void assert_variable(const struct work *w, const char *name, const char *value)
{
	const char *found = variable(w, name);

	if (!found)
		fail_msg("%s is not set", name);
	assert_string_equal(found, value);
}

#define POD(container)                                                                         \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: shop, 'x.io/y': z}}\n"  \
	"spec:\n  containers:\n  - name: c\n    image: rootfs:/\n" container

static const char config[] =
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n"
	"data: {one: uno, two: due}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: sec}\n"
	"data: {one: ZWlucw==}\nstringData: {pass: geheim}\n";

static void test_expand(void **state)
{
	static const struct {
		const char *text, *expanded;
	} rows[] = {
		{ "plain", "plain" }, { "$(A)", "1" }, { "x$(A)$(B)y", "x12y" }, { "$$(A)",
			"$(A)" },
		{ "$$", "$" }, { "$", "$" }, { "$(A", "$(A" }, { "$(NONE)", "$(NONE)" }, { "$A",
			"$A" },
		{ "$()", "$()" }, { "$$$(A)", "$1" }, { "$(A)$", "1$" }, { "a$(", "a$(" },
	};
	struct strmap vars = { 0 };
	struct arena a = { 0 };

	(void)state;
	strmap_set(&a, &vars, "A", "1");
	strmap_set(&a, &vars, "B", "2");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(env_expand(&a, rows[i].text, &vars), rows[i].expanded);
	arena_release(&a);
}

static void test_order(void **state)
{
	struct work w;

	(void)state;
	begin(&w,
	      POD("    env:\n    - {name: A, value: a}\n    - {name: B, value: '$(A)-$(LATER)'}\n"
		      "    - {name: LATER, value: x}\n    - {name: LANG, value: de}\n"));
	assert_int_equal(env_build(&w.a, &w.in, &w.env, &w.err), 0);
	assert_variable(&w, "PATH", "/bin");
	assert_variable(&w, "LANG", "de");
	assert_variable(&w, "HOSTNAME", "web");
	assert_variable(&w, "HOME", "/root");
	assert_variable(&w, "B", "a-$(LATER)");
	end(&w);
}

static void test_config(void **state)
{
	BUF_AUTO yaml = { 0 };
	struct work w;

	(void)state;
	buf_puts(&yaml, POD("    envFrom:\n    - {configMapRef: {name: cm}}\n"
			    "    - {prefix: S_, secretRef: {name: sec}}\n"
			    "    - {configMapRef: {name: missing, optional: true}}\n"
			    "    env:\n    - {name: two, value: '$(one)!'}\n"
			    "    - {name: K, valueFrom: {secretKeyRef: {name: sec, key: one}}}\n"
			    "    - {name: NX, valueFrom: {configMapKeyRef: {name: cm, key: none,"
			    " optional: true}}}\n"));
	buf_puts(&yaml, config);
	begin(&w, yaml.data);
	assert_int_equal(env_build(&w.a, &w.in, &w.env, &w.err), 0);
	assert_variable(&w, "one", "uno");
	assert_variable(&w, "two", "uno!");
	assert_variable(&w, "S_one", "eins");
	assert_variable(&w, "S_pass", "geheim");
	assert_variable(&w, "K", "eins");
	assert_null(variable(&w, "NX"));
	end(&w);
}

static void test_missing(void **state)
{
	BUF_AUTO yaml = { 0 };
	struct work w;

	(void)state;
	buf_puts(&yaml,
		 POD("    env:\n    - {name: K, valueFrom: {configMapKeyRef: {name: cm, key: "
		     "none}}}\n"));
	buf_puts(&yaml, config);
	begin(&w, yaml.data);
	assert_int_equal(env_build(&w.a, &w.in, &w.env, &w.err), -ENOENT);
	assert_string_equal(w.err.msg, "couldn't find key none in ConfigMap default/cm");
	end(&w);
}

/* binaryData of a ConfigMap is for files. */
static void test_bytes(void **state)
{
	struct work w;

	(void)state;
	begin(&w, POD("    envFrom: [{configMapRef: {name: cm}}]\n    env:\n"
		      "    - {name: K, valueFrom: {configMapKeyRef: {name: cm, key: raw}}}\n")
	      "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n"
	      "data: {text: t}\nbinaryData: {raw: ZWlucw==}\n");
	assert_int_equal(env_build(&w.a, &w.in, &w.env, &w.err), -ENOENT);
	assert_string_equal(w.err.msg, "couldn't find key raw in ConfigMap default/cm");
	end(&w);
}

static void test_fields(void **state)
{
	struct work w;

	(void)state;
	begin(&w, POD("    resources: {limits: {cpu: 1500m, memory: 100Mi}}\n    env:\n"
		      "    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n"
		      "    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
		      "    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}\n"
		      "    - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}\n"
		      "    - {name: L, valueFrom: {fieldRef: {fieldPath: "
		      "\"metadata.labels['x.io/y']\"}}}\n"
		      "    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}\n"
		      "    - {name: M, valueFrom: {resourceFieldRef: {resource: limits.cpu, "
		      "divisor: 1m}}}\n"
		      "    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory,"
		      " divisor: 1Mi}}}\n"
		      "    - {name: ASKED, valueFrom: {resourceFieldRef: {resource: requests.memory,"
		      " divisor: 1Mi}}}\n"
		      "    - {name: DISK, valueFrom: {resourceFieldRef: {resource: "
		      "limits.ephemeral-storage, divisor: 1Gi}}}\n"
		      "    - {name: NONE, valueFrom: {resourceFieldRef: {resource: "
		      "requests.ephemeral-storage}}}\n"));
	assert_int_equal(env_build(&w.a, &w.in, &w.env, &w.err), 0);
	assert_variable(&w, "NAME", "web");
	assert_variable(&w, "IP", "10.244.0.7");
	assert_variable(&w, "NODE", "node1");
	assert_variable(&w, "HOST", "10.244.0.1");
	assert_variable(&w, "L", "z");
	assert_variable(&w, "CPU", "2");
	assert_variable(&w, "M", "1500");
	assert_variable(&w, "MEM", "100");
	assert_variable(&w, "ASKED", "100");
	assert_variable(&w, "DISK", "5");
	assert_variable(&w, "NONE", "0");
	end(&w);
}

static void assert_command(const char *yaml, const char *joined)
{
	BUF_AUTO text = { 0 };
	struct strs argv = { 0 };
	struct work w;

	begin(&w, yaml);
	assert_int_equal(env_build(&w.a, &w.in, &w.env, &w.err), 0);
	assert_int_equal(env_command(&w.a, &w.in, &w.env, &argv, &w.err), 0);
	for (uint32_t i = 0; i < argv.n; i++)
		buf_printf(&text, "%s%s", i ? "|" : "", argv.v[i]);
	assert_string_equal(text.data, joined);
	end(&w);
}

static void test_command(void **state)
{
	(void)state;
	assert_command(POD(""), "/entry|default");
	assert_command(POD("    args: [a, b]\n"), "/entry|a|b");
	assert_command(POD("    command: [x]\n"), "x");
	assert_command(POD("    command: [x]\n    args: ['$(V)']\n    env: [{name: V, value: "
			   "v}]\n"), "x|v");
}

static void test_no_command(void **state)
{
	struct strs argv = { 0 };
	struct image bare = image;
	struct work w;

	(void)state;
	bare.entrypoint = bare.cmd = nothing;
	begin(&w, POD(""));
	w.in.image = &bare;
	assert_int_equal(env_command(&w.a, &w.in, &w.env, &argv, &w.err), -EINVAL);
	assert_string_equal(w.err.msg, "no command specified");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand), cmocka_unit_test(test_order),
		cmocka_unit_test(test_config), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_bytes), cmocka_unit_test(test_fields), cmocka_unit_test(test_command),
		cmocka_unit_test(test_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
