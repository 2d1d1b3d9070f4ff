/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images that a container waits for: start, ask, kubelet's reasons, words and events. */
#include "fixture.h"

static const char yaml[] =
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: web}\n"
	"spec:\n"
	"  imagePullSecrets: [{name: key}, {name: missing}]\n"
	"  containers:\n"
	"  - {name: main, image: '%s', %s}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Secret\n"
	"metadata: {name: key}\n"
	"type: kubernetes.io/dockerconfigjson\n"
	"stringData: {.dockerconfigjson: '{\"auths\":{}}'}\n";

#define IMAGE "ghcr.io/x/web:1"

struct row {
	const char *name, *image, *policy;
	bool known;
	struct observed_image i;	/* times relative to now, in seconds; the pod is 60 s old */
	bool run, asks, pull, refresh;
	int wake_s;
	const char *reason, *message, *event, *silent;
};

static const struct row rows[] = {
	{ "a directory needs nothing", "rootfs:/", "", .run = true },
	{ "nothing known yet", IMAGE, "", .asks = true, .pull = true,
	  .reason = "ContainerCreating" },
	{ "present", IMAGE, "", true, { .present = true }, .run = true,
	  .event = "Container image \"" IMAGE "\" already present on machine" },
	{ "present, Always, pulled before", IMAGE, "imagePullPolicy: Always", true,
	  { .present = true, .pulled_at = -61 }, .asks = true, .pull = true, .refresh = true,
	  .reason = "ContainerCreating" },
	{ "present, Always, pulled since", IMAGE, "imagePullPolicy: Always", true,
	  { .present = true, .started_at = -4, .begun_at = -3, .pulled_at = -1, .size = 77 }, .run = true,
	  .event = "Successfully pulled image \"" IMAGE "\" in 2.000s (3.000s including waiting). "
		   "Image size: 77 bytes." },
	{ "latest is Always", "ghcr.io/x/web", "", true, { .present = true }, .asks = true,
	  .pull = true, .refresh = true, .reason = "ContainerCreating" },
	{ "absent", IMAGE, "", true, { 0 }, .asks = true, .pull = true,
	  .reason = "ContainerCreating" },
	{ "absent, Never", IMAGE, "imagePullPolicy: Never", true, { 0 }, .asks = true,
	  .reason = "ErrImageNeverPull",
	  .message = "Container image \"" IMAGE "\" is not present with pull policy of Never" },
	{ "pulling", IMAGE, "", true,
	  { .pull = IMAGE_PULLING, .started_at = -2, .done = 3500000, .total = 9000001 },
	  .asks = true, .pull = true, .reason = "ContainerCreating",
	  .message = "pulling image \"" IMAGE "\": 3 of 10 MB", .event = "Pulling image \"" IMAGE "\"" },
	{ "pulling for long", IMAGE, "", true,
	  { .pull = IMAGE_PULLING, .started_at = -9, .begun_at = -8, .quarter_at = -3, .quarters = 2,
	    .done = 5000000, .total = 9000001 },
	  .asks = true, .pull = true, .reason = "ContainerCreating",
	  .event = "Pulling image \"" IMAGE "\": 50 % of 10 MB" },
	{ "pulling fast", IMAGE, "", true,
	  { .pull = IMAGE_PULLING, .started_at = -4, .begun_at = -3, .quarter_at = -1, .quarters = 2,
	    .done = 5000000, .total = 9000001 },
	  .asks = true, .pull = true, .reason = "ContainerCreating",
	  .silent = "Pulling image \"" IMAGE "\": 50 % of 10 MB" },
	{ "failed just now", IMAGE, "", true,
	  { .pull = IMAGE_FAILED, .failed_at = -1, .retry_at = 9, .reason = "ErrImagePull",
	    .message = "not found" },
	  .asks = true, .pull = true, .wake_s = 4, .reason = "ErrImagePull", .message = "not found",
	  .event = "Failed to pull image \"" IMAGE "\": not found" },
	{ "backs off", IMAGE, "", true,
	  { .pull = IMAGE_FAILED, .failed_at = -6, .retry_at = 4, .reason = "ErrImagePull",
	    .message = "not found" },
	  .asks = true, .pull = true, .wake_s = 4, .reason = "ImagePullBackOff",
	  .message = "Back-off pulling image \"" IMAGE "\": ErrImagePull: not found",
	  .event = "Back-off pulling image \"" IMAGE "\"" },
	{ "refused by the policy", IMAGE, "", true,
	  { .pull = IMAGE_FAILED, .failed_at = -1, .retry_at = 9,
	    .reason = "SignatureValidationFailed", .message = "no" },
	  .asks = true, .pull = true, .wake_s = 4, .reason = "SignatureValidationFailed" },
	{ "present, though the last pull failed", IMAGE, "", true,
	  { .present = true, .pull = IMAGE_FAILED, .failed_at = -1, .retry_at = 9,
	    .reason = "ErrImagePull", .message = "no" }, .run = true },
	{ "no name", "Web:1", "", .reason = "InvalidImageName",
	  .message = "Failed to apply default image tag \"Web:1\": couldn't parse image name" },
};

static int64_t at(int64_t s)
{
	return s ? NOW + s * NSEC : 0;
}

static struct observed_image absolute(const struct row *r, uint64_t credentials)
{
	struct observed_image i = r->i;
	int64_t *const times[] = { &i.started_at, &i.begun_at, &i.quarter_at, &i.pulled_at,
				   &i.failed_at, &i.retry_at };

	for (size_t k = 0; k < ARRAY_SIZE(times); k++)
		*times[k] = at(*times[k]);
	i.image = r->image;
	i.credentials = credentials;
	return i;
}

static bool told(const struct wanted *w, const char *message)
{
	for (uint32_t i = 0; i < w->events.n; i++)
		if (streq(w->events.v[i].message, message))
			return true;
	return false;
}

static void check_row(const struct row *r, const struct wanted *w)
{
	const struct wanted_pod *p = &w->pods.v[0];
	const struct container_state *s = p->status->container_statuses.v[0].state;

	assert_int_equal(p->containers[0].run, r->run);
	assert_int_equal(w->images.n, r->asks);
	if (r->asks) {
		assert_int_equal(w->images.v[0].pull, r->pull);
		assert_int_equal(w->images.v[0].refresh, r->refresh);
		assert_int_equal(w->images.v[0].secrets.n, 1);
	}
	assert_int_equal(w->wake, at(r->wake_s));
	if (r->reason)
		assert_string_equal(s->waiting->reason, r->reason);
	if (r->message && (!s->waiting->message || !strstr(s->waiting->message, r->message)))
		fail_msg("%s: %s", r->name, s->waiting->message ? s->waiting->message : "(none)");
	if (r->event && !told(w, r->event))
		fail_msg("%s: no event \"%s\"", r->name, r->event);
	if (r->silent && told(w, r->silent))
		fail_msg("%s: \"%s\"", r->name, r->silent);
}

static void test_row(void **state)
{
	const struct row *r = *state;
	struct observed_image i;
	struct fixture f;
	char text[1000];

	snprintf(text, sizeof(text), yaml, r->image, r->policy);
	fixture_open(&f, text);
	fixture_run(&f);
	fixture_make(&f);
	i = absolute(r, f.wanted.images.n ? f.wanted.images.v[0].credentials : 0);
	f.observed.images = &i;
	f.observed.nimages = r->known;
	fixture_run(&f);
	check_row(r, &f.wanted);
	fixture_close(&f);
}

/* A changed Secret is another way to pull: nothing is known of it, no back-off counts. */
static void test_credentials(void **state)
{
	static const struct row r = { .image = IMAGE, .policy = "" };
	struct observed_image i;
	struct fixture f;
	char text[1000];

	(void)state;
	snprintf(text, sizeof(text), yaml, r.image, r.policy);
	fixture_open(&f, text);
	fixture_run(&f);
	fixture_make(&f);
	assert_true(f.wanted.images.v[0].credentials != 0);
	i = absolute(&r, f.wanted.images.v[0].credentials + 1);
	i.present = true;
	f.observed.images = &i;
	f.observed.nimages = 1;
	fixture_run(&f);
	assert_false(f.wanted.pods.v[0].containers[0].run);
	assert_int_equal(f.wanted.images.n, 1);
	fixture_close(&f);
}

/* With Always a restart asks again; what was pulled before the last end does not count. */
static void test_restart(void **state)
{
	static const struct row r = { .image = IMAGE, .policy = "imagePullPolicy: Always" };
	struct observed_image i;
	struct fixture f;
	char text[1000];

	(void)state;
	snprintf(text, sizeof(text), yaml, r.image, r.policy);
	fixture_open(&f, text);
	fixture_run(&f);
	fixture_make(&f);
	f.observed.pods[0].containers[0] = (struct observed_container){
		.name = "main", .phase = RUN_ENDED,
		.end = { .exit_code = 1, .started_at = NOW - 30 * NSEC, .finished_at = NOW - 2 * NSEC },
	};
	i = absolute(&r, f.wanted.images.v[0].credentials);
	i.present = true;
	i.pulled_at = NOW - 40 * NSEC;
	f.observed.images = &i;
	f.observed.nimages = 1;
	fixture_run(&f);
	assert_false(f.wanted.pods.v[0].containers[0].run);
	i.pulled_at = NOW - NSEC;
	fixture_run(&f);
	assert_true(f.wanted.pods.v[0].containers[0].run);
	fixture_close(&f);
}

/* A volume that is mounted is waited for as the container's own image is, one that is not is not. */
static void test_volume(void **state)
{
	struct observed_image i = { .image = IMAGE, .present = true };
	struct fixture f;

	(void)state;
	fixture_open(&f, "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
		     "  volumes:\n"
		     "  - {name: v, image: {reference: '" IMAGE "'}}\n"
		     "  - {name: unused, image: {reference: 'ghcr.io/x/other:1'}}\n"
		     "  containers:\n"
		     "  - {name: main, image: 'rootfs:/', volumeMounts: [{name: v, mountPath: /v}]}\n");
	fixture_run(&f);
	fixture_make(&f);
	fixture_run(&f);
	assert_false(f.wanted.pods.v[0].containers[0].run);
	assert_int_equal(f.wanted.images.n, 1);
	assert_string_equal(f.wanted.images.v[0].image, IMAGE);
	assert_true(f.wanted.images.v[0].pull);
	assert_false(f.wanted.images.v[0].refresh);
	i.credentials = f.wanted.images.v[0].credentials;
	f.observed.images = &i;
	f.observed.nimages = 1;
	fixture_run(&f);
	assert_true(f.wanted.pods.v[0].containers[0].run);
	fixture_close(&f);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_SIZE(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, test_row, NULL, NULL, (void *)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_credentials);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_restart);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_volume);
	return _cmocka_run_group_tests("images", tests, n, NULL, NULL);
}
