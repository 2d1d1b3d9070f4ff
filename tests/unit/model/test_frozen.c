/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be changed in an object that is there: two versions of a file, and what the second is
 * told. NULL: the change is allowed.
 */
#include <string.h>

#include "fixture.h"

#define TEMPLATE(label, image)                                                                 \
	"{metadata: {labels: {app: " label "}}, spec: {containers: [{name: a, image: 'rootfs:/" image "'}]}}"
#define ONCE(image, more)                                                                      \
	"{spec: {restartPolicy: Never, " more "containers: [{name: a, image: 'rootfs:/" image "'}]}}"
#define DOC(api, kind) "apiVersion: " api "\nkind: " kind "\nmetadata: {name: x}\n"
#define JOB DOC("batch/v1", "Job")
#define STATEFULSET(more)                                                                      \
	DOC("apps/v1", "StatefulSet") "spec:\n  selector: {matchLabels: {app: x}}\n"           \
	"  template: " TEMPLATE("x", "") "\n" more

static const struct { const char *was, *is, *fields; } cases[] = {
	{
		DOC("apps/v1", "DaemonSet")
		"spec: {selector: {matchLabels: {app: x}}, template: " TEMPLATE("x", "") "}\n",
		DOC("apps/v1", "DaemonSet")
		"spec: {selector: {matchLabels: {app: z}}, template: " TEMPLATE("z", "") "}\n",
		"4:18: spec.selector"
	},
	{
		DOC("apps/v1", "DaemonSet")
		"spec: {selector: {matchLabels: {app: x}}, template: " TEMPLATE("x", "") "}\n",
		DOC("apps/v1", "DaemonSet")
		"spec: {selector: {matchLabels: {app: x}}, template: " TEMPLATE("x", "b") "}\n",
		NULL
	},
	{	/* pods of a ReplicationController may change hands */
		DOC("v1", "ReplicationController")
		"spec: {template: " TEMPLATE("x", "") "}\n",
		DOC("v1", "ReplicationController")
		"spec: {template: " TEMPLATE("z", "") "}\n",
		NULL
	},
	{
		STATEFULSET("  serviceName: a\n"),
		STATEFULSET("  serviceName: b\n  podManagementPolicy: Parallel\n"),
		"5:3: spec.serviceName, 5:3: spec.podManagementPolicy"
	},
	{
		STATEFULSET("  replicas: 1\n"),
		STATEFULSET("  replicas: 2\n  minReadySeconds: 1\n  updateStrategy: {type: OnDelete}\n"
			    "  ordinals: {start: 1}\n  revisionHistoryLimit: 1\n"
			    "  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}\n"),
		NULL
	},
	{
		STATEFULSET("  volumeClaimTemplates:\n  - metadata: {name: c}\n"
			    "    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"),
		STATEFULSET("  volumeClaimTemplates:\n  - metadata: {name: c}\n"
			    "    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}\n"),
		"9:53: spec.volumeClaimTemplates"
	},
	{
		JOB "spec: {template: " ONCE("", "") "}\n",
		JOB "spec: {template: " ONCE("b", "") "}\n",
		"4:61: spec.template"
	},
	{
		JOB "spec: {template: " ONCE("", "") "}\n",
		JOB "spec: {template: " ONCE("", "") ", parallelism: 3, suspend: true, backoffLimit: 1,\n"
		"  activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 5, completions: 1}\n",
		NULL
	},
	{
		JOB "spec: {template: " ONCE("", "") ", completions: 2, completionMode: Indexed}\n",
		JOB "spec: {template: " ONCE("", "") ", completions: 3, completionMode: NonIndexed}\n",
		"4:7: spec.completions, 4:7: spec.completionMode"
	},
	{
		JOB "spec: {template: " ONCE("", "") ", completions: 2, parallelism: 2, completionMode: Indexed}\n",
		JOB "spec: {template: " ONCE("", "") ", completions: 3, parallelism: 3, completionMode: Indexed}\n",
		NULL
	},
	{
		JOB "spec: {suspend: true, template: " ONCE("", "") "}\n",
		JOB "spec: {suspend: true, template: " ONCE("", "nodeSelector: {a: b}, ") "}\n",
		NULL
	},
	{
		JOB "spec: {template: " ONCE("", "") "}\n",
		JOB "spec: {template: " ONCE("", "nodeSelector: {a: b}, ") "}\n",
		"4:25: spec.template.spec.nodeSelector"
	},
	{
		DOC("batch/v1", "CronJob")
		"spec: {schedule: '* * * * *', jobTemplate: {spec: {template: " ONCE("", "") "}}}\n",
		DOC("batch/v1", "CronJob")
		"spec: {schedule: '1 * * * *', jobTemplate: {spec: {completions: 3, template: " ONCE("b", "") "}}}\n",
		NULL
	},
	{
		DOC("v1", "ConfigMap") "immutable: true\ndata: {a: '1'}\n",
		DOC("v1", "ConfigMap") "data: {a: '2'}\nbinaryData: {b: aGk=}\n",
		"1:1: data, 1:1: binaryData, 1:1: immutable"
	},
	{
		DOC("v1", "ConfigMap") "data: {a: '1'}\n",
		DOC("v1", "ConfigMap") "immutable: true\ndata: {a: '2'}\n",
		NULL
	},
	{
		DOC("v1", "Secret") "immutable: true\nstringData: {a: '1'}\n",
		DOC("v1", "Secret") "immutable: true\nstringData: {a: '2'}\n",
		"1:1: data"
	},
	{
		DOC("v1", "Service") "spec: {ports: [{port: 1}], clusterIP: 10.96.0.10}\n",
		DOC("v1", "Service") "spec: {ports: [{port: 1}], clusterIP: 10.96.0.11}\n",
		"4:7: spec.clusterIP"
	},
	{
		DOC("v1", "Service") "spec: {ports: [{port: 1}]}\n",
		DOC("v1", "Service") "spec: {ports: [{port: 2}], clusterIP: 10.96.0.11}\n",
		NULL
	},
	{
		"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: x}\nvalue: 1\n",
		"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: x}\nvalue: 2\n"
		"description: text\n",
		"1:1: value"
	},
	{
		DOC("storage.k8s.io/v1", "StorageClass") "provisioner: a.example/b\n",
		DOC("storage.k8s.io/v1", "StorageClass")
		"provisioner: a.example/c\nreclaimPolicy: Retain\nallowVolumeExpansion: true\n",
		"1:1: provisioner, 1:1: reclaimPolicy"
	},
	{
		DOC("v1", "PersistentVolumeClaim")
		"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}\n",
		DOC("v1", "PersistentVolumeClaim")
		"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 3Gi}}, volumeName: v}\n",
		NULL
	},
	{
		DOC("v1", "PersistentVolumeClaim")
		"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}, volumeName: v}\n",
		DOC("v1", "PersistentVolumeClaim")
		"spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}, volumeName: w}\n",
		"4:7: spec.accessModes, 4:49: spec.resources.requests, 4:7: spec.volumeName"
	},
};

/* "LINE:COL: PATH" of each refusal. */
static void told(const struct set *s, struct buf *out)
{
	static const char text[] = "cannot be changed, ";

	for (uint32_t i = 0; i < s->msgs.n; i++) {
		const struct msg *m = &s->msgs.v[i];

		if (m->warning)
			continue;
		assert_int_equal(strncmp(m->text, text, strlen(text)), 0);
		buf_printf(out, "%s%u:%u: %s", out->len ? ", " : "", m->line, m->col, m->path);
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The order of rows is none of ours. */
static const char *sorted(struct arena *a, const char *list)
{
	const char *v[16];
	size_t n = 0;
	BUF_AUTO out = { 0 };

	for (const char *p = list; *p; p += *p ? 2 : 0) {
		size_t len = strcspn(p, ",");
		v[n++] = arena_strndup(a, p, len);
		p += len;
	}
	if (n)
		qsort(v, n, sizeof(*v), by_path);
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%s", i ? ", " : "", v[i]);
	return arena_strdup(a, buf_str(&out));
}

static void check_case(size_t i)
{
	struct fixture f = { 0 };
	struct set *was = set_of(&f, cases[i].was), *is = set_of(&f, cases[i].is);
	struct manifest *m = f.manifests[1];
	struct set *next = set_build(&m, 1, NULL, 0, NULL, was);
	BUF_AUTO out = { 0 };

	told(next, &out);
	assert_string_equal(sorted(&f.arena, buf_str(&out)),
			    sorted(&f.arena, cases[i].fields ? cases[i].fields : ""));
	/* what is refused leaves what was in force */
	const struct object *o = &next->objects.v[0];
	const struct object *expected = &(cases[i].fields ? was : is)->objects.v[0];
	assert_true(schema_equal(o->kind->type, o->body, expected->body));
	set_unref(next);
	void *state = memcpy(calloc(1, sizeof(f)), &f, sizeof(f));
	fixture_teardown(&state);
}

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(i);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
