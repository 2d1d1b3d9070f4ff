/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which volume a claim gets, what is remembered of it, and what becomes of volumes. */
#include "fixture.h"

static const char classes[] =
	"apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: big}\n"
	"spec: {capacity: {storage: 10Gi}, accessModes: [ReadWriteOnce], storageClassName: m,\n"
	"  hostPath: {path: /big}}\n"
	"---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: small, labels: {a: b}}\n"
	"spec: {capacity: {storage: 2Gi}, accessModes: [ReadWriteOnce], storageClassName: m,\n"
	"  hostPath: {path: /small}}\n"
	"---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: kept}\n"
	"spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: m,\n"
	"  hostPath: {path: /kept}, claimRef: {namespace: default, name: mine}}\n"
	"---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: now}\n"
	"provisioner: orch/local\n%s"
	"---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: %s}\n"
	"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: %s}}, %s}\n";

static void open_claim(struct fixture *f, const char *class, const char *name, const char *size,
		       const char *more)
{
	char text[3000];

	snprintf(text, sizeof(text), classes, class, name, size, more);
	fixture_open(f, text);
}

static const struct object *find(const struct object_list *l, enum kind_id kind, const char *name)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].kind->id == kind && (!name || streq(l->v[i].meta->name, name)))
			return &l->v[i];
	return NULL;
}

/* What the store has is what the last pass wanted. */
static void again(struct fixture *f)
{
	f->observed.derived = f->wanted.derived;
	fixture_run(f);
}

static const struct {
	const char *what, *name, *size, *more, *volume, *event;
} rows[] = {
	{ "the smallest that is enough", "c", "1Gi", "storageClassName: m", "small", NULL },
	{ "the next one", "c", "3Gi", "storageClassName: m", "big", NULL },
	{ "none is enough", "c", "1Ti", "storageClassName: m", NULL, "ProvisioningFailed" },
	{ "one is kept for it", "mine", "1Gi", "storageClassName: m", "kept", NULL },
	{ "labels", "c", "1Gi", "storageClassName: m, selector: {matchLabels: {a: c}}", NULL,
	  "ProvisioningFailed" },
	{ "by name", "c", "1Gi", "storageClassName: m, volumeName: big", "big", NULL },
	{ "by name, too small", "c", "3Gi", "storageClassName: m, volumeName: small", NULL,
	  "VolumeMismatch" },
	{ "by name, another's", "c", "1Gi", "storageClassName: m, volumeName: kept", NULL,
	  "FailedBinding" },
	{ "no class", "c", "1Gi", "storageClassName: ''", NULL, "FailedBinding" },
	{ "a mode that none has", "c", "1Gi", "storageClassName: m, volumeMode: Block", NULL,
	  "ProvisioningFailed" },
	{ "the default waits for a pod", "c", "1Gi", "", NULL, "WaitForFirstConsumer" },
	{ "a new one", "c", "1Gi", "storageClassName: now",
	  "pvc-00000000-0000-4000-8000-000000000004", "ProvisioningSucceeded" },
	{ "a new device", "c", "1Gi", "storageClassName: now, volumeMode: Block",
	  "pvc-00000000-0000-4000-8000-000000000004", "ProvisioningSucceeded" },
};

static bool told(const struct fixture *f, const char *reason)
{
	for (uint32_t i = 0; i < f->wanted.events.n; i++)
		if (streq(f->wanted.events.v[i].reason, reason))
			return true;
	return false;
}

static void test_binding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		print_message("%s\n", rows[i].what);
		open_claim(&f, "", rows[i].name, rows[i].size, rows[i].more);
		fixture_run(&f);
		const struct pvc *c = find(&f.wanted.shown, KIND_PVC, rows[i].name)->pvc;
		assert_string_equal(c->status.phase, rows[i].volume ? "Bound" : "Pending");
		if (rows[i].volume)
			assert_string_equal(c->spec.volume_name, rows[i].volume);
		if (rows[i].event)
			assert_true(told(&f, rows[i].event));
		fixture_close(&f);
	}
}

/* The claim is taken out of the set and what is remembered of its volume stays, or not. */
static const char *after_the_claim(const char *class)
{
	struct fixture f;
	const char *phase;

	open_claim(&f, class, "c", "1Gi", "storageClassName: now");
	fixture_run(&f);
	assert_int_equal(f.wanted.derived.n, 1);
	again(&f);
	assert_string_equal(f.wanted.derived.v[0].pv->status.phase, "Bound");
	struct object *claim = set_find(f.set, KIND_PVC, "default", "c");
	claim->meta->uid = "00000000-0000-4000-8000-00000000ffff";	/* another one */
	claim->pvc->spec.volume_name = NULL;
	claim->pvc->spec.storage_class_name = "";
	again(&f);
	phase = f.wanted.derived.n ? "Released" : "gone";
	if (f.wanted.derived.n)
		assert_string_equal(f.wanted.derived.v[0].pv->status.phase, phase);
	fixture_close(&f);
	return phase;
}

static void test_reclaim(void **state)
{
	(void)state;
	assert_string_equal(after_the_claim("reclaimPolicy: Retain\n"), "Released");
	assert_string_equal(after_the_claim("reclaimPolicy: Delete\n"), "gone");
	assert_string_equal(after_the_claim(""), "Released");	/* not said: nothing is deleted */
}

static void test_a_binding_is_remembered(void **state)
{
	struct fixture f;

	(void)state;
	open_claim(&f, "", "c", "1Gi", "storageClassName: m");
	fixture_run(&f);
	const struct object *v = find(&f.wanted.derived, KIND_PV, "small");
	assert_non_null(v);
	assert_string_equal(v->pv->spec.claim_ref->name, "c");
	int64_t since = v->pv->status.last_phase_transition_time;
	f.now += 60 * NSEC;
	again(&f);
	v = find(&f.wanted.derived, KIND_PV, "small");
	assert_int_equal(v->pv->status.last_phase_transition_time, since);
	assert_string_equal(find(&f.wanted.shown, KIND_PV, "big")->pv->status.phase, "Available");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_reclaim),
		cmocka_unit_test(test_a_binding_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
