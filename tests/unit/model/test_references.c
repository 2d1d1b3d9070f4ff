/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What objects of several files say of each other: what is missing, and what clashes. */
#include "fixture.h"

#define META(name) "metadata: {name: " name "}\n"
#define POD(name, spec)                                                                        \
	"---\napiVersion: v1\nkind: Pod\n" META(name) "spec:\n"                                \
	"  containers: [{name: a, image: 'rootfs:/'}]\n" spec
#define PORT(name, port)                                                                       \
	"---\napiVersion: v1\nkind: Pod\n" META(name) "spec:\n"                                \
	"  containers: [{name: a, image: 'rootfs:/', ports: [" port "]}]\n"
#define SERVICE(name, spec) "---\napiVersion: v1\nkind: Service\n" META(name) "spec:\n" spec
#define ENDPOINTS(name)                                                                        \
	"---\napiVersion: v1\nkind: Endpoints\n" META(name)                                    \
	"subsets: [{addresses: [{ip: 192.0.2.1}], ports: [{port: 80}]}]\n"
#define SLICE(name, labels)                                                                    \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                          \
	"metadata: {name: " name labels "}\naddressType: IPv4\n"
#define NODE_PORT(name, port)                                                                  \
	SERVICE(name, "  type: NodePort\n  selector: {a: b}\n"                                 \
		      "  ports: [{port: 80, nodePort: " port "}]\n")

/* The messages of the set that are none of a single file. */
static const char *said(struct fixture *f, const struct set *s)
{
	buf_reset(&f->text);
	for (uint32_t i = 0; i < s->msgs.n; i++) {
		const struct msg *m = &s->msgs.v[i];

		if (strstr(m->text, "no file declares") || strstr(m->text, "already used") ||
		    strstr(m->text, " has no port") || strstr(m->text, "it belongs to no") ||
		    strstr(m->text, "has a selector") || strstr(m->text, "selects no pod"))
			msg_print(m, &f->text);
	}
	return buf_str(&f->text);
}

static const struct { const char *text, *expected; } missing[] = {
	/* pods */
	{
		POD("p", "  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\n"),
		"a.yaml:7:46: warning: spec.volumes[0].persistentVolumeClaim.claimName: "
		"no file declares PersistentVolumeClaim \"c\" in namespace default\n"
	},
	{
		POD("p", "  priorityClassName: high\n"),
		"a.yaml:6:3: warning: spec.priorityClassName: no file declares PriorityClass \"high\"\n"
	},
	{ POD("p", "  priorityClassName: system-node-critical\n"), "" },
	{
		POD("p", "  runtimeClassName: fast\n"),
		"a.yaml:6:3: warning: spec.runtimeClassName: no file declares RuntimeClass \"fast\"\n"
	},
	{
		POD("p", "  serviceAccountName: me\n"),
		"a.yaml:6:3: warning: spec.serviceAccountName: "
		"no file declares ServiceAccount \"me\" in namespace default\n"
	},
	{ POD("p", "  serviceAccountName: default\n"), "" },
	{
		POD("p", "  imagePullSecrets: [{name: login}]\n"),
		"a.yaml:7:22: warning: spec.imagePullSecrets[0].name: "
		"no file declares Secret \"login\" in namespace default\n"
	},
	{
		"apiVersion: v1\nkind: ServiceAccount\n" META("me") "imagePullSecrets: [{name: login}]\n",
		"a.yaml:4:20: warning: imagePullSecrets[0].name: "
		"no file declares Secret \"login\" in namespace default\n"
	},
	{
		POD("p", "  runtimeClassName: fast\n  serviceAccountName: me\n")
		"---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\n" META("fast") "handler: x\n"
		"---\napiVersion: v1\nkind: ServiceAccount\n" META("me"),
		""
	},
	/* services and what is behind them */
	{
		SERVICE("s", "  ports: [{port: 80}]\n"),
		"a.yaml:6:3: warning: spec.selector: missing, and no file declares Endpoints for it: "
		"the Service leads nowhere\n"
	},
	{ SERVICE("s", "  ports: [{port: 80}]\n") ENDPOINTS("s"), "" },
	{
		SERVICE("s", "  ports: [{port: 80}]\n")
		SLICE("x", ", labels: {kubernetes.io/service-name: s}"),
		""
	},
	{ SERVICE("s", "  type: ExternalName\n  externalName: a.b\n"), "" },
	{
		ENDPOINTS("s"),
		"a.yaml:4:11: warning: metadata.name: no file declares Service \"s\" in namespace default\n"
	},
	{
		SERVICE("s", "  selector: {a: b}\n  ports: [{port: 80}]\n") ENDPOINTS("s")
		SLICE("x", ", labels: {kubernetes.io/service-name: s}") SLICE("w", ""),
		"a.yaml:6:3: warning: spec.selector: selects no pod of any file\n"
		"a.yaml:11:11: warning: metadata.name: "
		"Service \"s\" has a selector: this Endpoints is not used\n"
		"a.yaml:16:11: warning: metadata.labels: "
		"Service \"s\" has a selector: this EndpointSlice is not used\n"
		"a.yaml:21:11: warning: metadata.labels: "
		"the label kubernetes.io/service-name is missing: it belongs to no Service\n"
	},
	/* what leads to services, workloads, classes */
	{
		SERVICE("s", "  ports: [{port: 80, name: web}]\n") ENDPOINTS("s")
		"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n" META("i")
		"spec:\n"
		"  defaultBackend: {service: {name: none, port: {number: 1}}}\n"
		"  tls: [{secretName: cert}]\n"
		"  rules:\n"
		"  - http:\n"
		"      paths:\n"
		"      - {path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}\n"
		"      - {path: /, pathType: Prefix, backend: {service: {name: s, port: {name: web}}}}\n"
		"      - {path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 81}}}}\n"
		"      - {path: /, pathType: Prefix, backend: {service: {name: s, port: {name: api}}}}\n",
		"a.yaml:17:29: warning: spec.defaultBackend.service.name: "
		"no file declares Service \"none\" in namespace default\n"
		"a.yaml:18:9: warning: spec.tls[0].secretName: "
		"no file declares Secret \"cert\" in namespace default\n"
		"a.yaml:24:72: warning: spec.rules[0].http.paths[2].backend.service.port: "
		"Service \"s\" has no port 81\n"
		"a.yaml:25:72: warning: spec.rules[0].http.paths[3].backend.service.port: "
		"Service \"s\" has no port named \"api\"\n"
	},
	{
		"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n" META("h")
		"spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}}\n",
		"a.yaml:4:40: warning: spec.scaleTargetRef.name: "
		"no file declares Deployment \"d\" in namespace default\n"
	},
	{
		"apiVersion: v1\nkind: PersistentVolumeClaim\n" META("c")
		"spec: {accessModes: [ReadWriteOnce], storageClassName: fast, "
		"resources: {requests: {storage: 1Gi}}}\n",
		"a.yaml:4:7: warning: spec.storageClassName: no file declares StorageClass \"fast\"\n"
	},
	{
		"apiVersion: v1\nkind: PersistentVolumeClaim\n" META("c")
		"spec: {accessModes: [ReadWriteOnce], storageClassName: fast, "
		"resources: {requests: {storage: 1Gi}}}\n"
		"---\napiVersion: v1\nkind: PersistentVolume\n" META("v")
		"spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], "
		"storageClassName: fast, hostPath: {path: /x}}\n",
		""
	},
	/* clashes */
	{
		NODE_PORT("x", "30080") NODE_PORT("w", "30080"),
		"a.yaml:16:11: spec.ports[0].nodePort: 30080 is already used by service/x (a.yaml:2)\n"
		"a.yaml:6:3: warning: spec.selector: selects no pod of any file\n"
	},
	{
		SERVICE("x", "  clusterIP: 10.96.0.9\n  ports: [{port: 80}]\n") ENDPOINTS("x")
		SERVICE("w", "  clusterIP: 10.96.0.9\n  ports: [{port: 80}]\n") ENDPOINTS("w"),
		"a.yaml:18:3: spec.clusterIP: 10.96.0.9 is already used by service/x (a.yaml:2)\n"
		"a.yaml:23:11: warning: metadata.name: "
		"no file declares Service \"w\" in namespace default\n"
	},
	{
		PORT("x", "{containerPort: 80, hostPort: 8080}")
		PORT("w", "{containerPort: 80, hostPort: 8080, protocol: UDP}")
		PORT("z", "{containerPort: 80, hostPort: 8080, hostIP: 10.0.0.1}"),
		"a.yaml:18:53: spec.containers[0].ports[0].hostPort: "
		"8080 is already used by pod/x (a.yaml:2)\n"
	},
	{
		PORT("x", "{containerPort: 80, hostPort: 8080, hostIP: 10.0.0.2}")
		PORT("z", "{containerPort: 80, hostPort: 8080, hostIP: 10.0.0.1}"),
		""
	},
};

static void test_table(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		struct manifest *m = manifest_load("a.yaml", missing[i].text,
						   strlen(missing[i].text));
		if (m->broken)
			fail_msg("%s", messages(f, &m->msgs));
		struct set *s = set_build(&m, 1, NULL, 0, NULL, NULL);

		assert_string_equal(said(f, s), missing[i].expected);
		set_unref(s);
		manifest_unref(m);
	}
}

/* Who has a port keeps it, whatever the order of files; the other stays as it was. */
static void test_who_has_it_keeps_it(void **state)
{
	struct fixture *f = *state;
	struct manifest *m[] = {
		good(f, "a.yaml", NODE_PORT("x", "30081")),
		good(f, "b.yaml", NODE_PORT("w", "30080")),
	};
	struct set *before = build(f, m, 2, NULL, NULL);

	m[0] = good(f, "a.yaml", NODE_PORT("x", "30080"));
	struct set *s = build(f, m, 2, NULL, before);
	assert_int_equal(s->msgs.errors, 1);
	assert_non_null(strstr(said(f, s), "a.yaml:8:11: spec.ports[0].nodePort: "
					   "30080 is already used by service/w (b.yaml:2)\n"));
	const struct object *x = set_find(s, KIND_SERVICE, "default", "x");
	assert_non_null(x);
	assert_int_equal(x->service->spec.ports.v[0].node_port, 30081);
	assert_int_equal(s->objects.n, 2);

	/* without a past the order of files counts, and the other is not there */
	s = build(f, m, 2, NULL, NULL);
	assert_non_null(strstr(said(f, s), "b.yaml:8:11: spec.ports[0].nodePort: "
					   "30080 is already used by service/x (a.yaml:2)\n"));
	assert_int_equal(s->objects.n, 1);
}

/* Pods that come and go, or that nobody wants, hold no port. */
static void test_who_needs_no_port(void **state)
{
	struct fixture *f = *state;
	const struct set *s = set_of(f,
		PORT("x", "{containerPort: 80, hostPort: 8080}")
		"---\napiVersion: batch/v1\nkind: Job\n" META("j")
		"spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, "
		"image: 'rootfs:/', ports: [{containerPort: 80, hostPort: 8080}]}]}}}\n"
		"---\napiVersion: apps/v1\nkind: Deployment\n" META("d")
		"spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: "
		"{a: b}}, spec: {containers: [{name: a, image: 'rootfs:/', "
		"ports: [{containerPort: 80, hostPort: 8080}]}]}}}\n");

	assert_int_equal(s->msgs.errors, 0);
	assert_int_equal(s->objects.n, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_who_has_it_keeps_it),
		TEST(test_who_needs_no_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
