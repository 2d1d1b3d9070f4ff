/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What services, networks, storage, limits and classes are when the file leaves it open: parts of
 * their JSON, which read again is the same object.
 */
#include "fixture.h"

#define META(api, kind) "apiVersion: " api "\nkind: " kind "\nmetadata: {name: x}\n"
#define SERVICE META("v1", "Service")
#define POLICY META("networking.k8s.io/v1", "NetworkPolicy")

static const struct { const char *text, *parts[8]; } cases[] = {
	{
		SERVICE "spec: {ports: [{name: a, port: 80}, {name: b, port: 81, targetPort: ''}]}\n",
		{ "\"port\":80,\"targetPort\":80", "\"port\":81,\"targetPort\":81" }
	},
	{
		SERVICE "spec: {ports: [{port: 80}]}\n",
		{ "\"namespace\":\"default\"", "\"type\":\"ClusterIP\"",
		  "\"protocol\":\"TCP\",\"port\":80,\"targetPort\":80",
		  "\"sessionAffinity\":\"None\"", "\"internalTrafficPolicy\":\"Cluster\"",
		  "!externalTrafficPolicy", "!allocateLoadBalancerNodePorts" }
	},
	{
		SERVICE "spec: {type: LoadBalancer, sessionAffinity: ClientIP, ports: [{port: 80}]}\n",
		{ "\"externalTrafficPolicy\":\"Cluster\"", "\"allocateLoadBalancerNodePorts\":true",
		  "\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":10800}}" }
	},
	{
		SERVICE "spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, "
			"ports: [{port: 80}]}\n",
		{ "\"allocateLoadBalancerNodePorts\":false" }
	},
	{
		META("v1", "Endpoints")
		"subsets: [{addresses: [{ip: 192.0.2.1}], ports: [{port: 80}]}]\n",
		{ "\"ports\":[{\"port\":80,\"protocol\":\"TCP\"}]" }
	},
	{
		META("discovery.k8s.io/v1", "EndpointSlice")
		"addressType: IPv4\nports: [{port: 80}]\n",
		{ "\"ports\":[{\"name\":\"\",\"port\":80,\"protocol\":\"TCP\"}]" }
	},
	{
		POLICY "spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}\n",
		{ "\"policyTypes\":[\"Ingress\"]", "\"protocol\":\"TCP\"" }
	},
	{
		POLICY "spec: {podSelector: {}, egress: [{}]}\n",
		{ "\"policyTypes\":[\"Ingress\",\"Egress\"]" }
	},
	{ POLICY "spec: {policyTypes: [Egress]}\n", { "\"policyTypes\":[\"Egress\"]" } },
	{
		META("networking.k8s.io/v1", "IngressClass")
		"spec: {controller: a.b/c, parameters: {kind: K, name: k}}\n",
		{ "\"scope\":\"Cluster\"" }
	},
	{
		META("v1", "PersistentVolume")
		"spec: {capacity: {storage: 1024Mi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}\n",
		{ "\"persistentVolumeReclaimPolicy\":\"Retain\"", "\"volumeMode\":\"Filesystem\"",
		  "\"storage\":\"1Gi\"", "!namespace" }
	},
	{
		META("storage.k8s.io/v1", "StorageClass") "provisioner: p\n",
		{ "\"reclaimPolicy\":\"Delete\"", "\"volumeBindingMode\":\"Immediate\"" }
	},
	{
		META("v1", "LimitRange")
		"spec: {limits: [{type: Container, max: {cpu: 2, memory: 1Gi}, min: {cpu: 1, x/y: 1}}, "
		"{type: Pod, max: {cpu: 3}}]}\n",
		{ "\"default\":{\"cpu\":\"2\",\"memory\":\"1Gi\"}",
		  "\"defaultRequest\":{\"cpu\":\"2\",\"memory\":\"1Gi\",\"x/y\":\"1\"}",
		  "{\"type\":\"Pod\",\"max\":{\"cpu\":\"3\"}}" }
	},
	{
		META("v1", "LimitRange")
		"spec: {limits: [{type: Container, default: {cpu: 1}, max: {cpu: 2}}]}\n",
		{ "\"default\":{\"cpu\":\"1\"}", "\"defaultRequest\":{\"cpu\":\"1\"}" }
	},
	{
		META("scheduling.k8s.io/v1", "PriorityClass") "value: 5\n",
		{ "\"preemptionPolicy\":\"PreemptLowerPriority\"" }
	},
	{ META("v1", "Secret") "stringData: {a: b}\n", { "\"type\":\"Opaque\"", "\"a\":\"Yg==\"" } },
	{ META("v1", "Namespace"), { "\"kubernetes.io/metadata.name\":\"x\"" } },
	{
		"apiVersion: storage.k8s.io/v1\nkind: StorageClass\n"
		"metadata: {name: x, namespace: other}\nprovisioner: p\n",
		{ "!other" }
	},
};

static void look(const char *json, const char *const *parts)
{
	for (; *parts; parts++) {
		bool there = strstr(json, **parts == '!' ? *parts + 1 : *parts);

		if (there == (**parts == '!'))
			fail_msg("%s in %s", *parts, json);
	}
}

static void test_defaults(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct manifest *m = manifest_load("a.yaml", cases[i].text, strlen(cases[i].text));

		if (m->broken)
			fail_msg("%s", messages(f, &m->msgs));
		const char *json = arena_strdup(&m->arena, json_of(f, &m->objects.v[0], 0));
		look(json, cases[i].parts);
		struct manifest *again = manifest_load("b.yaml", json, strlen(json));
		assert_false(again->broken);
		assert_string_equal(json_of(f, &again->objects.v[0], 0), json);
		manifest_unref(again);
		manifest_unref(m);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(test_defaults) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
