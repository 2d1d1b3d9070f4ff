/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ResourceQuotas: what counts, who is refused and in which words, what their status shows. */
#include "fixture.h"

#define QUOTA(hard, more)                                                                      \
	"apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec:\n  hard: {" hard "}\n" \
	more "---\n"
#define PODSPEC(resources) "{containers: [{name: c, image: i, resources: {" resources "}}]}"
#define POD(name, resources)                                                                   \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec: " PODSPEC(resources) "\n---\n"
#define DEPLOYMENT(n, resources)                                                               \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: " n "\n" \
	"  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"     \
	"    spec: " PODSPEC(resources) "\n---\n"
#define SERVICE(name, more)                                                                    \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec:\n" more              \
	"  {selector: {a: b}, ports: [{port: 80}]}\n---\n"

static const char *used(struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.statuses.n; i++) {
		const struct wanted_status *s = &f->wanted.statuses.v[i];

		if (s->key.kind->id == KIND_RESOURCEQUOTA)
			return fixture_amounts(&f->arena,
					&((const struct resource_quota_status *)s->status)->used);
	}
	return NULL;
}

static const char *refusal(struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.events.n; i++)
		if (streq(f->wanted.events.v[i].reason, "FailedCreate"))
			return f->wanted.events.v[i].message;
	return "";
}

/* Manifests; how many pods are made; what is used then; what is refused. */
static const struct { const char *text; unsigned made; const char *used, *refusal; } cases[] = {
	{ QUOTA("pods: 2", "") POD("a", "") POD("b", ""), 2, "pods=2", "" },
	{ QUOTA("pods: 1", "") POD("a", "") POD("b", ""), 1, "pods=1",
	  "Error creating: pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: "
	  "pods=1, limited: pods=1" },
	{ QUOTA("requests.cpu: 1, limits.memory: 1Gi", "")
	  POD("a", "requests: {cpu: 600m}, limits: {memory: 512Mi}")
	  POD("b", "requests: {cpu: 600m}, limits: {memory: 512Mi}"), 1,
	  "limits.memory=512Mi,requests.cpu=600m",
	  "Error creating: pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=600m, "
	  "used: requests.cpu=600m, limited: requests.cpu=1" },
	/* cpu is requests.cpu, and what a quota bounds has to be said */
	{ QUOTA("cpu: 1, limits.cpu: 1, memory: 1Gi", "") POD("a", "requests: {cpu: 600m}"), 0,
	  "cpu=0,limits.cpu=0,memory=0",
	  "Error creating: pods \"a\" is forbidden: failed quota: q: must specify limits.cpu for: c; "
	  "memory for: c" },
	/* the words are said of the generated name, and the first that fits is made */
	{ QUOTA("count/pods: 2", "") DEPLOYMENT("3", ""), 2, "count/pods=2",
	  "Error creating: pods \"web-*-\" is forbidden: exceeded quota: q, requested: count/pods=1, "
	  "used: count/pods=2, limited: count/pods=2" },
	/* scopes */
	{ QUOTA("pods: 1", "  scopes: [BestEffort]\n") POD("a", "requests: {cpu: 1}") POD("b", "")
	  POD("c", ""), 2, "pods=1",
	  "Error creating: pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: "
	  "pods=1, limited: pods=1" },
	{ QUOTA("pods: 0", "  scopes: [NotBestEffort]\n") POD("a", "requests: {cpu: 1}") POD("b", ""), 1,
	  "pods=0",
	  "Error creating: pods \"a\" is forbidden: exceeded quota: q, requested: pods=1, used: "
	  "pods=0, limited: pods=0" },
	{ QUOTA("pods: 0", "  scopes: [Terminating]\n") POD("a", ""), 1, "pods=0", "" },
	{ QUOTA("pods: 0", "  scopeSelector: {matchExpressions: [{scopeName: PriorityClass, "
	  "operator: In, values: [system-node-critical]}]}\n") POD("a", "")
	  "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec:\n  priorityClassName: "
	  "system-node-critical\n  containers: [{name: c, image: i}]\n", 1, "pods=0",
	  "Error creating: pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: "
	  "pods=0, limited: pods=0" },
	/* other objects count as they are declared */
	{ QUOTA("services: 5, services.nodeports: 2, count/deployments.apps: 1, configmaps: 3", "")
	  SERVICE("a", "") "apiVersion: v1\nkind: Service\nmetadata: {name: np}\nspec: {type: NodePort, "
	  "ports: [{port: 1, name: p1}, {port: 2, name: p2}]}\n---\n" DEPLOYMENT("0", ""), 0,
	  "configmaps=0,count/deployments.apps=1,services=2,services.nodeports=2", "" },
	{ QUOTA("requests.storage: 5Gi, persistentvolumeclaims: 1, "
	  "x.storageclass.storage.k8s.io/requests.storage: 1Gi", "")
	  "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {storageClassName: other, "
	  "accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}\n", 0,
	  "persistentvolumeclaims=1,requests.storage=2Gi,"
	  "x.storageclass.storage.k8s.io/requests.storage=0", "" },
};

/* expected may have a * for the hash of a template. */
static void assert_words(const char *is, const char *expected)
{
	const char *star = strchr(expected, '*');

	if (!star) {
		assert_string_equal(is, expected);
		return;
	}
	assert_int_equal(strncmp(is, expected, (size_t)(star - expected)), 0);
	assert_string_equal(is + strlen(is) - strlen(star + 1), star + 1);
}

static void test_outcomes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;

		fixture_open(&f, cases[i].text);
		fixture_run(&f);
		assert_words(refusal(&f), cases[i].refusal);
		assert_int_equal(f.wanted.pods.n, cases[i].made);
		assert_string_equal(used(&f), cases[i].used);
		fixture_close(&f);
	}
}

/* A pod counts until it is gone; a finished one uses nothing, yet it is there. */
static void test_until_gone(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, QUOTA("pods: 2, count/pods: 3, requests.cpu: 2", "")
		     DEPLOYMENT("2", "requests: {cpu: 1}"));
	fixture_run(&f);
	fixture_make(&f);
	f.observed.pods[0].stage = POD_STOPPING;
	f.observed.pods[0].stopped_at = NOW - NSEC;
	f.wanted = (struct wanted){ 0 };
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 2);
	assert_string_equal(used(&f), "count/pods=2,pods=2,requests.cpu=2");
	assert_non_null(strstr(refusal(&f), "requested: pods=1,requests.cpu=1, used: pods=2,"
			       "requests.cpu=2, limited: pods=2,requests.cpu=2"));
	f.observed.pods++;		/* it is gone */
	f.observed.npods--;
	f.wanted = (struct wanted){ 0 };
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 2);
	assert_string_equal(refusal(&f), "");
	fixture_close(&f);
}

static void test_claims_of_sets(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, QUOTA("persistentvolumeclaims: 1", "")
		     "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n"
		     "  {replicas: 2, podManagementPolicy: Parallel, serviceName: db,\n"
		     "   selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},\n"
		     "   spec: " PODSPEC("") "},\n"
		     "   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: "
		     "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}\n");
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 1);
	assert_string_equal(refusal(&f),
			    "create Claim data-db-1 for Pod db-1 in StatefulSet db failed error: "
			    "persistentvolumeclaims \"data-db-1\" is forbidden: exceeded quota: q, "
			    "requested: persistentvolumeclaims=1, used: persistentvolumeclaims=1, "
			    "limited: persistentvolumeclaims=1");
	fixture_close(&f);
}

static const struct condition *progress_of(struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.statuses.n; i++) {
		const struct wanted_status *s = &f->wanted.statuses.v[i];
		const struct condition_list *l =
			&((const struct deployment_status *)s->status)->conditions;

		for (uint32_t k = 0; s->key.kind->id == KIND_DEPLOYMENT && k < l->n; k++)
			if (streq(l->v[k].type, "Progressing"))
				return &l->v[k];
	}
	return NULL;
}

static unsigned count_kind(const struct fixture *f, enum kind_id kind)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < f->wanted.derived.n; i++)
		n += f->wanted.derived.v[i].kind->id == kind;
	return n;
}

/* A rollout stands still where no ReplicaSet may be made for it: what runs goes on. */
static void test_replicasets(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, QUOTA("count/replicasets.apps: 1", "") DEPLOYMENT("2", ""));
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 2);
	assert_string_equal(progress_of(&f)->reason, "NewReplicaSetCreated");
	fixture_make(&f);
	set_find(f.set, KIND_DEPLOYMENT, "default", "web")
		->deployment->spec.template->spec.containers.v[0].image = "newer";
	f.wanted = (struct wanted){ 0 };
	fixture_run(&f);
	assert_int_equal(count_kind(&f, KIND_REPLICASET), 1);
	assert_int_equal(f.wanted.pods.n, 2);
	for (uint32_t i = 0; i < f.wanted.pods.n; i++)
		assert_false(f.wanted.pods.v[i].stop);
	assert_string_equal(progress_of(&f)->status, "False");
	assert_string_equal(progress_of(&f)->reason, "ReplicaSetCreateError");
	assert_words(progress_of(&f)->message + strcspn(progress_of(&f)->message, ":"),
		     ": replicasets.apps \"web-*\" is forbidden: exceeded quota: q, requested: "
		     "count/replicasets.apps=1, used: count/replicasets.apps=1, limited: "
		     "count/replicasets.apps=1");
	fixture_close(&f);
}

static const struct cronjob *cronjob_of(const struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.derived.n; i++)
		if (f->wanted.derived.v[i].kind->id == KIND_CRONJOB)
			return f->wanted.derived.v[i].cronjob;
	return NULL;
}

#define CRONJOB "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec:\n"           \
	"  {schedule: '*/10 * * * *', jobTemplate: {spec: {template: {spec:\n"                 \
	"  {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}\n"

/* What a schedule asks for stays due while there is no room for its Job. */
static void test_jobs_of_cronjobs(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, QUOTA("count/jobs.batch: 0", "") CRONJOB);
	fixture_run(&f);
	assert_int_equal(count_kind(&f, KIND_JOB), 0);
	assert_int_equal(cronjob_of(&f)->status.last_schedule_time, 0);
	assert_words(refusal(&f), "Error creating job: jobs.batch \"c-29400000\" is forbidden: "
		     "exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: "
		     "count/jobs.batch=0");
	fixture_close(&f);
	fixture_open(&f, QUOTA("count/jobs.batch: 1", "") CRONJOB);
	fixture_run(&f);
	assert_int_equal(count_kind(&f, KIND_JOB), 1);
	assert_int_equal(cronjob_of(&f)->status.last_schedule_time, NOW);
	assert_string_equal(refusal(&f), "");
	fixture_close(&f);
}

static struct set *build(const struct set *previous, const char *a, const char *b)
{
	struct manifest *m[] = { manifest_load("a.yaml", a, strlen(a)),
				 manifest_load("b.yaml", b, strlen(b)) };
	struct set *s = set_build(m, 2, NULL, 0, NULL, previous);

	manifest_unref(m[0]);
	manifest_unref(m[1]);
	return s;
}

static const char *services(const struct set *s, char ret[100])
{
	struct object_list l = set_kind(s, KIND_SERVICE);
	size_t n = 0;

	ret[0] = 0;
	for (uint32_t i = 0; i < l.n; i++)
		n += (size_t)snprintf(ret + n, 100 - n, "%s ", l.v[i].meta->name);
	return ret;
}

/* Declared objects beyond a quota are not in the set; what was there first stays, in a set that is
 * built from the manifests of a revision, too, and when the quota becomes less. */
static void test_declared(void **state)
{
	const char *more = SERVICE("aa", "") SERVICE("ab", "");
	const char *two = QUOTA("services: 2", "") SERVICE("b", "") SERVICE("c", "");
	const char *one = QUOTA("services: 1", "") SERVICE("b", "") SERVICE("c", "");
	struct set *first, *second, *again, *less;
	char names[100];

	(void)state;
	first = build(NULL, "", two);
	assert_string_equal(services(first, names), "b c ");
	second = build(first, more, two);
	assert_string_equal(services(second, names), "b c ");
	assert_int_equal(second->msgs.v[0].line, 1);
	assert_string_equal(second->msgs.v[0].file, "a.yaml");
	assert_string_equal(second->msgs.v[0].text,
			    "services \"aa\" is forbidden: exceeded quota: q, requested: services=1, "
			    "used: services=2, limited: services=2");
	again = set_build(second->manifests, second->nmanifests, NULL, 0, NULL, NULL);
	assert_string_equal(services(again, names), "b c ");
	less = build(again, "", one);
	assert_string_equal(services(less, names), "b c ");
	set_unref(again);
	again = set_build(less->manifests, less->nmanifests, NULL, 0, NULL, NULL);
	assert_string_equal(services(again, names), "b c ");
	set_unref(again);
	set_unref(less);
	set_unref(second);
	set_unref(first);
	first = build(NULL, more, two);		/* nothing was there: in the order of files */
	assert_string_equal(services(first, names), "aa ab ");
	set_unref(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes), cmocka_unit_test(test_until_gone),
		cmocka_unit_test(test_claims_of_sets), cmocka_unit_test(test_replicasets),
		cmocka_unit_test(test_jobs_of_cronjobs), cmocka_unit_test(test_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
