/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets: what several files say together, and what stays when they contradict each other. */
#include "fixture.h"

#define CONFIG(name, value)                                                                    \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\ndata: {k: " value "}\n"
#define POD_SPEC "{containers: [{name: a, image: 'rootfs:/'}]}"
#define DEPLOYMENT(label)                                                                      \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"                \
	"  selector: {matchLabels: {app: " label "}}\n"                                        \
	"  template: {metadata: {labels: {app: " label "}}, spec: " POD_SPEC "}\n"

static const char *value(const struct set *s, const char *ns, const char *name)
{
	const struct object *o = set_find(s, KIND_CONFIGMAP, ns, name);

	return o ? strmap_get(&o->configmap->data, "k") : NULL;
}

static void test_sorted(void **state)
{
	struct fixture *f = *state;
	struct manifest *m[] = {
		good(f, "z.yaml", DEPLOYMENT("a") "---\n" CONFIG("b", "x")),
		good(f, "team/a.yaml", CONFIG("a", "x") "---\napiVersion: v1\nkind: Namespace\n"
						       "metadata: {name: ns}\n"),
	};
	struct set *s = build(f, m, 2, NULL, NULL);

	assert_int_equal(s->objects.n, 4);
	for (uint32_t i = 1; i < s->objects.n; i++)
		assert_true(object_cmp(&s->objects.v[i - 1], &s->objects.v[i]) < 0);
	assert_int_equal(s->nmanifests, 2);
	assert_int_equal(s->msgs.n, 0);
	assert_int_equal(set_kind(s, KIND_CONFIGMAP).n, 2);
	assert_int_equal(set_kind(s, KIND_SECRET).n, 0);
	assert_string_equal(set_find(s, KIND_CONFIGMAP, "default", "a")->stack, "team");
	assert_string_equal(set_find(s, KIND_CONFIGMAP, "default", "b")->stack, "default");
	assert_int_equal(set_find(s, KIND_CONFIGMAP, "default", "b")->line, 8);
	assert_null(set_find(s, KIND_CONFIGMAP, "ns", "a"));
	assert_non_null(set_find(s, KIND_NAMESPACE, "", "ns"));
}

static void test_duplicates(void **state)
{
	struct fixture *f = *state;
	struct manifest *m[] = {
		good(f, "a.yaml", CONFIG("c", "one")), good(f, "b.yaml", "\n\n" CONFIG("c", "two")),
	};
	struct set *first = build(f, m, 1, NULL, NULL);
	struct set *none = build(f, m, 2, NULL, NULL);
	struct set *both = build(f, m, 2, NULL, first);

	assert_null(value(none, "default", "c"));
	assert_string_equal(value(both, "default", "c"), "one");
	assert_string_equal(messages(f, &both->msgs),
		"a.yaml:1:1: configmap/c is defined in b.yaml:3, too; what is in force stays\n"
		"b.yaml:3:1: configmap/c is defined in a.yaml:1, too; what is in force stays\n");
	assert_int_equal(both->msgs.errors, 2);
}

static void test_duplicates_in_one_file(void **state)
{
	struct fixture *f = *state;
	struct set *s = set_of(f, CONFIG("c", "one") "---\n" CONFIG("c", "two") "---\n" CONFIG("d", "x"));

	assert_string_equal(messages(f, &s->msgs),
		"a.yaml:1:1: configmap/c is defined in a.yaml:6, too; what is in force stays\n"
		"a.yaml:6:1: configmap/c is defined in a.yaml:1, too; what is in force stays\n");
	assert_string_equal(value(s, "default", "d"), "x");
}

/* What stays is a manifest, too: made again from those of a revision, it is still there. */
static void test_stays_after_restart(void **state)
{
	struct fixture *f = *state;
	struct manifest *m[] = {
		good(f, "t/a.yaml", CONFIG("c", "one")), good(f, "t/b.yaml", CONFIG("c", "two")),
	};
	struct set *first = build(f, m, 1, NULL, NULL);
	struct set *both = build(f, m, 2, NULL, first);
	uint64_t digest = set_find(first, KIND_CONFIGMAP, "default", "c")->digest;

	assert_int_equal(both->nmanifests, 3);
	assert_string_equal(both->manifests[2]->path, "t/.stays.json");
	assert_false(manifest_wanted(both->manifests[2]->path));

	struct set *again = build(f, both->manifests, 3, NULL, NULL);
	assert_string_equal(value(again, "default", "c"), "one");
	assert_string_equal(set_find(again, KIND_CONFIGMAP, "default", "c")->stack, "t");
	assert_true(set_find(again, KIND_CONFIGMAP, "default", "c")->digest == digest);
	assert_int_equal(again->nmanifests, 3);
	assert_string_equal(again->manifests[2]->digest, both->manifests[2]->digest);

	/* once one definition is left, that one counts and nothing stays */
	struct manifest *left[] = { both->manifests[1], both->manifests[2] };
	struct set *end = build(f, left, 2, NULL, again);
	assert_string_equal(value(end, "default", "c"), "two");
	assert_int_equal(end->nmanifests, 1);
	struct set *gone = build(f, &left[1], 1, NULL, again);
	assert_int_equal(gone->objects.n, 0);
}

static void test_namespace(void **state)
{
	struct fixture *f = *state;
	static const char namespace[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n---\n";
	static const char config[] =
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: ns}\ndata: {k: x}\n";
	BUF_AUTO text = { 0 };

	buf_printf(&text, "%s%s", namespace, config);
	struct set *with = set_of(f, buf_str(&text));
	assert_string_equal(value(with, "ns", "c"), "x");
	struct set *without = set_of(f, config);
	assert_int_equal(without->objects.n, 0);
	assert_string_equal(messages(f, &without->msgs),
		"a.yaml:3:11: metadata.namespace: no file declares the namespace \"ns\"\n");
	struct manifest *m = good(f, "a.yaml", config);
	struct set *stays = build(f, &m, 1, NULL, with);
	assert_string_equal(value(stays, "ns", "c"), "x");
	assert_int_equal(stays->msgs.errors, 1);
}

static void test_frozen(void **state)
{
	struct fixture *f = *state;
	struct set *was = set_of(f, DEPLOYMENT("a") "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
				    "---\n" CONFIG("c", "x") "immutable: true\n");
	struct manifest *m = good(f, "a.yaml", DEPLOYMENT("b") "---\napiVersion: v1\nkind: Secret\n"
				  "metadata: {name: s}\ntype: example.com/x\n---\n" CONFIG("c", "z")
				  "immutable: true\n");
	struct set *s = build(f, &m, 1, NULL, was);
	const struct object *o = set_find(s, KIND_DEPLOYMENT, "default", "web");

	assert_string_equal(messages(f, &s->msgs),
		"a.yaml:5:13: spec.selector: cannot be changed, what is in force stays; to replace the "
		"object, remove it, apply, and add it again\n"
		"a.yaml:8:1: type: cannot be changed, what is in force stays; to replace the object, remove "
		"it, apply, and add it again\n"
		"a.yaml:13:1: data: cannot be changed, what is in force stays; to replace the object, remove "
		"it, apply, and add it again\n");
	assert_string_equal(strmap_get(&o->deployment->spec.selector->match_labels, "app"), "a");
	assert_string_equal(set_find(s, KIND_SECRET, "default", "s")->secret->type, "Opaque");
	assert_string_equal(value(s, "default", "c"), "x");
}

static void test_broken_files(void **state)
{
	struct fixture *f = *state;
	struct manifest *ok = good(f, "a.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n---\n" CONFIG("c", "x"));
	struct manifest *bad = load(f, "a.yaml", CONFIG("c", "5"));
	struct manifest *unread = manifest_failed("b.yaml", "Permission denied");
	struct manifest *broken[] = { bad, unread };

	f->manifests[f->nmanifests++] = unread;
	struct set *s = set_build(&ok, 1, broken, 2, NULL, NULL);
	f->sets[f->nsets++] = s;
	assert_true(unread->broken);
	assert_string_equal(value(s, "default", "c"), "x");
	assert_string_equal(messages(f, &s->msgs),
		"a.yaml:4:11: data[k]: expected a string, not the number 5; quote it: \"5\"\n"
		"b.yaml: Permission denied\n");
	assert_int_equal(s->msgs.errors, 2);
}

static void test_references(void **state)
{
	struct fixture *f = *state;
	struct set *s = set_of(f,
		"apiVersion: v1\n"
		"kind: Pod\n"
		"metadata: {name: p, labels: {app: p}}\n"
		"spec:\n"
		"  containers:\n"
		"  - name: a\n"
		"    image: rootfs:/\n"
		"    envFrom: [{configMapRef: {name: c}}, {secretRef: {name: sec}}]\n"
		"    env:\n"
		"    - {name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}\n"
		"    - {name: B, valueFrom: {configMapKeyRef: {name: c, key: z}}}\n"
		"    - {name: C, valueFrom: {secretKeyRef: {name: sec, key: z, optional: true}}}\n"
		"  volumes:\n"
		"  - {name: v, configMap: {name: none, items: [{key: a, path: a}]}}\n"
		"  - {name: w, configMap: {name: c, items: [{key: a, path: a}]}}\n"
		"---\n" CONFIG("c", "x") "---\n"
		"apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
		"spec: {selector: {app: p}, ports: [{port: 80, targetPort: web}]}\n"
		"---\n"
		"apiVersion: v1\nkind: Service\nmetadata: {name: t}\n"
		"spec: {selector: {app: q}, ports: [{port: 80, targetPort: web}]}\n"
		"---\n"
		"apiVersion: v1\nkind: Service\nmetadata: {name: u}\nspec: {ports: [{port: 80}]}\n");

	assert_int_equal(s->msgs.errors, 0);
	assert_string_equal(messages(f, &s->msgs),
		"a.yaml:8:54: warning: spec.containers[0].envFrom[1].secretRef: no file declares Secret "
		"\"sec\" in namespace default\n"
		"a.yaml:11:46: warning: spec.containers[0].env[1].valueFrom.configMapKeyRef: ConfigMap \"c\" "
		"has no key \"z\"\n"
		"a.yaml:14:26: warning: spec.volumes[0].configMap: no file declares ConfigMap \"none\" in "
		"namespace default\n"
		"a.yaml:15:44: warning: spec.volumes[1].configMap.items[0]: ConfigMap \"c\" has no key "
		"\"a\"\n"
		"a.yaml:25:36: warning: spec.ports[0].targetPort: no selected pod has a port named \"web\"\n"
		"a.yaml:30:7: warning: spec.selector: selects no pod of any file\n"
		"a.yaml:35:7: warning: spec.selector: missing, and no file declares Endpoints for it: the Service leads nowhere\n");
}

static const struct pod_spec *spec_of(const struct set *s)
{
	return &set_find(s, KIND_POD, "default", "p")->pod->spec;
}

#define USER                                                                                   \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"               \
	"  - name: a\n    image: rootfs:/\n"                                                   \
	"    env: [{name: A, valueFrom: {configMapKeyRef: {name: env, key: k}}}]\n"            \
	"    envFrom: [{secretRef: {name: sec, optional: true}}]\n"                            \
	"    volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w, subPath: k}]\n" \
	"  volumes: [{name: v, configMap: {name: vol}}, {name: w, configMap: {name: sub}}]\n---\n"

static uint64_t hash(struct fixture *f, const char *text, bool volumes, struct strs *names)
{
	struct set *s = set_of(f, text);

	return set_config_hash(s, "default", spec_of(s), volumes, &f->arena, names);
}

static void test_config_hash(void **state)
{
	struct fixture *f = *state;
	static const char base[] = USER CONFIG("env", "a") "---\n" CONFIG("sub", "a") "---\n" CONFIG("vol", "a");
	struct strs names = { 0 };
	uint64_t fixed = hash(f, base, false, &names), mounted = hash(f, base, true, NULL);

	assert_int_equal(names.n, 3);
	assert_string_equal(names.v[0], "ConfigMap/env");
	assert_string_equal(names.v[1], "ConfigMap/sub");
	assert_string_equal(names.v[2], "Secret/sec");
	hash(f, base, true, &names);
	assert_int_equal(names.n, 4);
	assert_string_equal(names.v[3], "ConfigMap/vol");

	static const char same[] = USER CONFIG("vol", "a") "---\n" CONFIG("env", "'a'") "---\n" CONFIG("sub", "a");
	static const char env[] = USER CONFIG("env", "b") "---\n" CONFIG("sub", "a") "---\n" CONFIG("vol", "a");
	static const char sub[] = USER CONFIG("env", "a") "---\n" CONFIG("sub", "b") "---\n" CONFIG("vol", "a");
	static const char vol[] = USER CONFIG("env", "a") "---\n" CONFIG("sub", "a") "---\n" CONFIG("vol", "b");
	static const char missing[] = USER CONFIG("env", "a") "---\n" CONFIG("vol", "a");
	assert_true(hash(f, same, false, NULL) == fixed && hash(f, same, true, NULL) == mounted);
	assert_true(hash(f, env, false, NULL) != fixed && hash(f, env, true, NULL) == mounted);
	assert_true(hash(f, sub, false, NULL) != fixed && hash(f, sub, true, NULL) == mounted);
	assert_true(hash(f, vol, false, NULL) == fixed && hash(f, vol, true, NULL) != mounted);
	assert_true(hash(f, missing, false, NULL) != fixed);
	assert_true(hash(f, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: " POD_SPEC "\n", false,
			 NULL) == 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_sorted), TEST(test_duplicates), TEST(test_duplicates_in_one_file),
		TEST(test_stays_after_restart), TEST(test_namespace), TEST(test_frozen),
		TEST(test_broken_files), TEST(test_references), TEST(test_config_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
