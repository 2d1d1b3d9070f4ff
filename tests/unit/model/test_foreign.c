/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds: which are kept, passed over or refused; lists of objects; names by kind. */
#include "messages.h"

static const struct message_case cases[] = {
	/* mistakes */
	{
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: ClusterRol\n",
		"t.yaml:2:7: kind: unknown kind \"ClusterRol\"; did you mean \"ClusterRole\"?\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingres\n",
		"t.yaml:2:7: kind: unknown kind \"Ingres\"; did you mean \"Ingress\"?\n"
	},
	{
		"apiVersion: storage.k8s.io/v1\n"
		"kind: Nothing\n",
		"t.yaml:2:7: kind: unknown kind \"Nothing\" of storage.k8s.io/v1\n"
	},
	{
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Service\n",
		"t.yaml:1:13: apiVersion: Service is of v1, not of networking.k8s.io/v1\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Role\n",
		"t.yaml:1:13: apiVersion: Role is of rbac.authorization.k8s.io, not of v1\n"
	},
	{
		"apiVersion: apps/v1\n"
		"kind: PodSecurityPolicy\n",
		"t.yaml:1:13: apiVersion: PodSecurityPolicy is of policy, not of apps/v1\n"
	},
	{
		"apiVersion: networking.k8s.oi/v1\n"
		"kind: Ingress\n",
		"t.yaml:1:13: apiVersion: unknown group \"networking.k8s.oi\"; did you mean \"networking.k8s.io/v1\"?\n"
	},
	{
		"apiVersion: rbac.authorisation.k8s.io/v1\n"
		"kind: Role\n",
		"t.yaml:1:13: apiVersion: unknown group \"rbac.authorisation.k8s.io\"; did you mean \"rbac.authorization.k8s.io\"?\n"
	},
	{
		"apiVersion: app/v1\n"
		"kind: Deployment\n",
		"t.yaml:1:13: apiVersion: unknown group \"app\"; did you mean \"apps/v1\"?\n"
	},
	/* lists */
	{
		"apiVersion: v1\n"
		"kind: List\n"
		"items:\n"
		"- apiVersion: v1\n"
		"  kind: List\n"
		"  items:\n"
		"  - {apiVersion: v1, kind: ConfigMap, metadata: {name: A}}\n"
		"- {apiVersion: v1, kind: ConfigMap}\n",
		"t.yaml:7:56: metadata.name: \"A\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:8:3: metadata.name: missing; it is required\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMapList\n"
		"items:\n"
		"- metadata: {name: a}\n"
		"  data: {k: 5}\n"
		"- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, dat: {}}\n",
		"t.yaml:5:13: data[k]: expected a string, not the number 5; quote it: \"5\"\n"
		"t.yaml:6:58: unknown field \"dat\"; did you mean \"data\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: List\n"
		"items: {a: b}\n",
		"t.yaml:3:8: items: expected a list of objects\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PodLists\n"
		"items: []\n",
		"t.yaml:2:7: kind: unknown kind \"PodLists\" of v1\n"
	},
	/* names by kind */
	{
		"apiVersion: batch/v1\n"
		"kind: CronJob\n"
		"metadata: {name: a23456789-123456789-123456789-123456789-123456789-123}\n"
		"spec: {schedule: \"* * * * *\", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: \"rootfs:/\"}]}}}}}\n",
		"t.yaml:3:18: metadata.name: \"a23456789-123456789-123456789-123456789-123456789-123\" must be at most 52 characters: its Jobs add 11 to it\n"
	},
	{
		"apiVersion: batch/v1\n"
		"kind: Job\n"
		"metadata: {name: a23456789-123456789-123456789-123456789-123456789-123456789-1234}\n"
		"spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: \"rootfs:/\"}]}}}\n",
		"t.yaml:3:18: metadata.name: \"a23456789-123456789-123456789-123456789-123456789-123456789-1234\" must be at most 63 characters: it becomes the label of its pods\n"
	},
	{
		"apiVersion: apps/v1\n"
		"kind: StatefulSet\n"
		"metadata: {name: a.b}\n"
		"spec: {selector: {matchLabels: {a: b}}, serviceName: a, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: \"rootfs:/\"}]}}}\n",
		"t.yaml:3:18: metadata.name: \"a.b\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
	},
	{
		"apiVersion: storage.k8s.io/v1\n"
		"kind: StorageClass\n"
		"metadata: {name: c, namespace: m}\n"
		"provisioner: p\n",
		"t.yaml:3:32: warning: metadata.namespace: ignored: StorageClass is a kind without namespaces\n"
	},
};

/* What is passed over: no object comes of it. */
static const struct message_case passed_over[] = {
	{
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: ClusterRole\n"
		"metadata: {name: r}\n"
		"rules: []\n",
		"t.yaml:2:7: warning: kind: kind ClusterRole of rbac.authorization.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: rbac.authorization.k8s.io/v1beta1\n"
		"kind: RoleBinding\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind RoleBinding of rbac.authorization.k8s.io/v1beta1 is not acted on by orch\n"
	},
	{
		"apiVersion: admissionregistration.k8s.io/v1\n"
		"kind: ValidatingWebhookConfiguration\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind ValidatingWebhookConfiguration of admissionregistration.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: apiextensions.k8s.io/v1\n"
		"kind: CustomResourceDefinition\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind CustomResourceDefinition of apiextensions.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: apiregistration.k8s.io/v1\n"
		"kind: APIService\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind APIService of apiregistration.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: gateway.networking.k8s.io/v1\n"
		"kind: HTTPRoute\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind HTTPRoute of gateway.networking.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: serving.knative.dev/v1\n"
		"kind: Service\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind Service of serving.knative.dev/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: events.k8s.io/v1\n"
		"kind: Event\n"
		"metadata: {name: r}\n",
		"t.yaml:2:7: warning: kind: kind Event of events.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: RoleList\n"
		"items:\n"
		"- metadata: {name: a}\n"
		"- metadata: {name: b}\n",
		"t.yaml:2:7: warning: kind: kind Role of rbac.authorization.k8s.io/v1 is not acted on by orch\n"
		"t.yaml:2:7: warning: kind: kind Role of rbac.authorization.k8s.io/v1 is not acted on by orch\n"
	},
	{
		"apiVersion: v1\n"
		"kind: List\n",
		""
	},
	{
		"apiVersion: example.com/v1\n"
		"kind: AllowList\n"
		"items: [a]\n",
		"t.yaml:2:7: warning: kind: kind AllowList of example.com/v1 is not acted on by orch\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)
MESSAGES_TEST(test_passed_over, passed_over, 0)

static void test_kept_kinds_warn_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		BUF_AUTO text = { 0 };
		uint32_t found = 0;

		buf_printf(&text, "kind: %s\napiVersion: %s\n", kinds[i].name,
			   kinds[i].api_version);
		struct manifest *m = manifest_load("t.yaml", buf_str(&text), text.len);
		for (uint32_t k = 0; k < m->msgs.n; k++) {
			if (!is_of_kept_kind(&m->msgs.v[k]))
				continue;
			assert_int_equal(m->msgs.v[k].line, 1);
			assert_int_equal(m->msgs.v[k].col, 7);
			found++;
		}
		assert_int_equal(found, kinds[i].use == KIND_KEPT);
		manifest_unref(m);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_kept_kinds_warn_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
