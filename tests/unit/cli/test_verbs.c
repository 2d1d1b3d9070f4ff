/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit statuses and words of the verbs that ask orchd, which answers from a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "capture.h"
#include "server.h"

#define NOTHING \
	"{\"revision\":3,\"files\":{},\"empty\":true,\"errors\":0,\"guarded\":0,\"objects\":5," \
	"\"text\":\"Nothing to do: what runs is what the files say.\\n\"," \
	"\"plan\":{\"empty\":true,\"summary\":{\"create\":0,\"update\":0,\"delete\":0},\"changes\":[]}}"
#define CHANGES \
	"{\"revision\":3,\"files\":{\"a.yaml\":\"1\"},\"empty\":false,\"errors\":0,\"guarded\":0," \
	"\"objects\":5,\"text\":\"Plan: 1 to create\\n\\n+ pod/a\\n\"," \
	"\"plan\":{\"empty\":false,\"summary\":{\"create\":1,\"update\":1,\"delete\":0},\"changes\":[]}}"
#define EDITED \
	"{\"revision\":3,\"files\":{\"a.yaml\":\"2\"},\"empty\":false,\"errors\":0,\"guarded\":0," \
	"\"text\":\"Plan: 1 to create\\n\\n+ pod/a\\n\"," \
	"\"plan\":{\"empty\":false,\"summary\":{\"create\":1,\"update\":1,\"delete\":0},\"changes\":[]}}"
#define INVALID \
	"{\"revision\":3,\"empty\":false,\"errors\":2,\"guarded\":0,\"text\":\"\",\"plan\":{}}"
#define GUARDED \
	"{\"revision\":3,\"empty\":false,\"errors\":0,\"guarded\":9,\"text\":\"\",\"plan\":{}}"
#define SETTLED \
	{ \
		"/orch/v1/status", \
			{ HTTP("200 OK", "{\"settled\":true,\"configDir\":\"/nowhere\"}") }, false \
	}
#define EMPTY(plural) { "/" plural " ", { HTTP("200 OK", "{\"items\":[]}") }, false }
#define NO_OTHERS EMPTY("statefulsets"), EMPTY("daemonsets")
#define NO_WORKLOADS EMPTY("deployments"), NO_OTHERS
#define END { NULL, { NULL }, false }

struct result {
	struct buf out, err;
	int status;
};

static void release(struct result *r)
{
	buf_release(&r->out);
	buf_release(&r->err);
}

static struct result run(const char *socket, verb_run verb, const char *name,
			 const char *const *words)
{
	struct cli c = { .client = { socket } };
	struct capture out, err;
	struct result r = { 0 };
	int argc = 0;

	while (words[argc])
		argc++;
	c.verb = name;
	capture_begin(&out, STDOUT_FILENO);
	capture_begin(&err, STDERR_FILENO);
	int parsed = options_parse(&c, argc, (char **)words);
	r.status = parsed < 0 ? EXIT_ERROR : verb(&c);
	capture_end(&err, &r.err);
	capture_end(&out, &r.out);
	arena_release(&c.arena);
	return r;
}
#define RUN(s, name, ...) \
	run((s)->socket, verb_##name, #name, (const char *const[]){ __VA_ARGS__, NULL })

static void plan_exits(void **state)
{
	static const struct { const char *body; int plain, detailed;
	} cases[] = {
		{ HTTP("200 OK", NOTHING), EXIT_DONE, EXIT_DONE },
		{ HTTP("200 OK", CHANGES), EXIT_DONE, EXIT_CHANGES },
		{ HTTP("200 OK", INVALID), EXIT_INVALID, EXIT_INVALID },
		{ HTTP("500 Oops", "{\"reason\":\"InternalError\",\"message\":\"no\"}"), EXIT_ERROR,
		  EXIT_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct answer answers[] = { { "/orch/v1/plan", { cases[i].body }, false },
						  END };
		struct server s;

		server_start(&s, answers);
		struct result r = RUN(&s, plan, "--stack", "a b");
		assert_int_equal(r.status, cases[i].plain);
		release(&r);
		r = RUN(&s, plan, "--detailed-exitcode");
		assert_int_equal(r.status, cases[i].detailed);
		release(&r);
		assert_true(
			server_was_asked(&s, "GET /apis/orch/v1/plan?allowDelete=0&stack=a%20b "));
		server_stop(&s);
	}
}

static void without_a_daemon(void **state)
{
	struct server nobody = { .socket = "/tmp/orch-cli-nobody/api.sock" };

	(void)state;
	struct result r = RUN(&nobody, plan, "--detailed-exitcode");
	assert_int_equal(r.status, EXIT_UNREACHABLE);
	assert_non_null(strstr(buf_str(&r.err), "error: can't reach orchd"));
	release(&r);
	static const char *const outputs[] = {
		"-otable", "-ojson", "-oyaml", "-oname", "-ojsonpath={.items}", "-ocustom-columns=A:.kind",
	};
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		r = RUN(&nobody, get, "pods,svc", outputs[i]);
		assert_int_equal(r.status, EXIT_UNREACHABLE);
		assert_string_equal(buf_str(&r.out), "");
		assert_null(strstr(strstr(buf_str(&r.err), "error:") + 1, "error:"));
		release(&r);
	}
	r = RUN(&nobody, wait, "--for=delete", "pod/x");
	assert_int_equal(r.status, EXIT_UNREACHABLE);
	release(&r);
}

static void apply_exits(void **state)
{
	static const struct { const char *body; int status; const char *says;
	} cases[] = {
		{ HTTP("200 OK", NOTHING), EXIT_DONE, "" },
		{ HTTP("200 OK", CHANGES), EXIT_DONE, "" },
		{ HTTP("200 OK", INVALID), EXIT_INVALID,
		  "error: 2 errors in the files; the last good version of what they are about stays\n" },
		{ HTTP("200 OK", GUARDED), EXIT_GUARD,
		  "error: 9 deletions are kept by the prune guard; apply --allow-delete carries them out\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct answer answers[] = {
			{ "POST /apis/orch/v1/apply?allowDelete=0 ", { cases[i].body }, false },
			SETTLED,
			NO_WORKLOADS,
			END
		};
		struct server s;

		server_start(&s, answers);
		struct result r = RUN(&s, apply, "--wait");
		assert_int_equal(r.status, cases[i].status);
		assert_string_equal(buf_str(&r.err), cases[i].says);
		release(&r);
		server_stop(&s);
	}
}

static void apply_counts_for_programs(void **state)
{
	const struct answer answers[] = { { "/orch/v1/apply?", { HTTP("200 OK", CHANGES) }, false },
					  SETTLED,
					  NO_WORKLOADS,
					  END };
	struct server s;

	(void)state;
	server_start(&s, answers);
	struct result r = RUN(&s, apply, "-o", "json", "--timeout", "10m");
	json_t *v = json_loads(buf_str(&r.out), 0, NULL);
	assert_non_null(v);
	assert_int_equal(json_integer_value(json_object_get(v, "changed")), 2);
	assert_int_equal(json_integer_value(json_object_get(v, "unchanged")), 3);
	assert_int_equal(json_integer_value(json_object_get(v, "failed")), 0);
	assert_int_equal(json_integer_value(json_object_get(v, "status")), 0);
	json_decref(v);
	release(&r);
	server_stop(&s);
}

#define DEPLOYMENTS \
	"{\"items\":[{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"generation\":1}," \
	"\"spec\":{\"replicas\":2},\"status\":{\"observedGeneration\":1,\"updatedReplicas\":1}}]}"

static void a_rollout_that_fails_or_takes_too_long(void **state)
{
	static const struct { const char *status, *out, *err;
	} cases[] = {
		{ "{\"message\":\"deployment exceeded its progress deadline\\n\",\"done\":false,\"failed\":true}",
		  "shop/web: deployment exceeded its progress deadline\n",
		  "error: 1 rollout failed\n" },
		{ "{\"message\":\"Waiting...\\n\",\"done\":false,\"failed\":false}",
		  "shop/web: Waiting...\n", "error: timed out waiting for the condition\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char body[512];
		struct server s;

		snprintf(body, sizeof(body), HTTP("200 OK", "%s"), cases[i].status);
		const struct answer answers[] = {
			{ "/orch/v1/apply?", { HTTP("200 OK", CHANGES) }, false },
			{ "/deployments ", { HTTP("200 OK", DEPLOYMENTS) }, false },
			NO_OTHERS,
			{ "/namespaces/shop/deployments/web/rolloutstatus ", { body }, false },
			SETTLED, END };
		server_start(&s, answers);
		struct result r = RUN(&s, apply, "--timeout=300ms");
		assert_int_equal(r.status, EXIT_ROLLOUT);
		assert_non_null(strstr(buf_str(&r.out), cases[i].out));
		assert_string_equal(buf_str(&r.err), cases[i].err);
		release(&r);
		server_stop(&s);
	}
}

static void a_saved_plan_that_is_stale(void **state)
{
	static const struct answer before[] = {
		{ "/plan?allowDelete=2&stack=shop ", { HTTP("200 OK", CHANGES) }, false },
		{ "POST /apis/orch/v1/apply?allowDelete=2&stack=shop ",
		  { HTTP("200 OK", CHANGES) },
		  false },
		SETTLED,
		NO_WORKLOADS,
		END
	};
	static const struct answer after[] = {
		{ "/orch/v1/plan?", { HTTP("200 OK", EDITED) }, false }, END };
	struct server s;
	char file[64];

	(void)state;
	snprintf(file, sizeof(file), "/tmp/orch-cli-plan.%d", getpid());
	server_start(&s, before);
	struct result r = RUN(&s, plan, "--out", file, "--stack=shop", "--allow-delete=2");
	assert_int_equal(r.status, EXIT_DONE);
	release(&r);
	r = RUN(&s, apply, file);
	assert_int_equal(r.status, EXIT_DONE);
	release(&r);
	r = RUN(&s, apply, file, "--allow-delete");
	assert_int_equal(r.status, EXIT_ERROR);
	release(&r);
	server_stop(&s);
	server_start(&s, after);
	r = RUN(&s, apply, file);
	assert_int_equal(r.status, EXIT_STALE);
	assert_false(server_was_asked(&s, "POST"));
	release(&r);
	server_stop(&s);
	unlink(file);
}

#define TABLE_HEAD \
	"{\"metadata\":{\"resourceVersion\":\"7\"},\"columnDefinitions\":[{\"name\":\"Name\",\"priority\":0}," \
	"{\"name\":\"Ready\",\"priority\":0},{\"name\":\"IP\",\"priority\":1}],\"rows\":["
#define TABLE_ROW(name, ready) \
	"{\"cells\":[\"" name "\",\"" ready "\",null],\"object\":{\"metadata\":" \
	"{\"namespace\":\"shop\",\"name\":\"" name "\",\"labels\":{\"app\":\"web\"}}}}"

static void tables(void **state)
{
	static const struct answer answers[] = {
		{ "/namespaces/none/", { HTTP("200 OK", TABLE_HEAD "]}") }, false },
		{ "watch=true&resourceVersion=7 ",
		  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "c7\r\n{\"type\":\"MODIFIED\",\"object\":" TABLE_HEAD TABLE_ROW(
			    "b", "1") "]}}\n\r\n",
		    "0\r\n\r\n" },
		  false },
		{ "/pods",
		  { HTTP("200 OK",
			 TABLE_HEAD TABLE_ROW("long-name", "1") "," TABLE_ROW("b", "0") "]}") },
		  false },
		END
	};
	struct server s;

	(void)state;
	server_start(&s, answers);
	struct result r = RUN(&s, get, "pods");
	assert_string_equal(buf_str(&r.out), "NAME        READY\nlong-name   1\nb           0\n");
	release(&r);
	r = RUN(&s, get, "po", "-A", "-o", "wide", "--show-labels", "--sort-by=.metadata.name");
	assert_string_equal(buf_str(&r.out),
			    "NAMESPACE   NAME        READY   IP       LABELS\n"
			    "shop        b           0       <none>   app=web\n"
			    "shop        long-name   1       <none>   app=web\n");
	assert_true(server_was_asked(&s, "/api/v1/pods?includeObject=Object "));
	release(&r);
	r = RUN(&s, get, "po", "-n", "none");
	assert_int_equal(r.status, EXIT_DONE);
	assert_string_equal(buf_str(&r.out), "");
	assert_string_equal(buf_str(&r.err), "No resources found in none namespace.\n");
	release(&r);
	server_stop(&s);
}

static void objects(void **state)
{
#define POD(name) "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name "\"}}"
	static const struct answer answers[] = {
		{ "/pods/a ", { HTTP("200 OK", POD("a")) }, false },
		{ "/pods/gone ",
		  { HTTP("404 Not Found",
			 "{\"reason\":\"NotFound\",\"message\":\"pods \\\"gone\\\" not found\"}") },
		  false },
		{ "/pods ", { HTTP("200 OK", "{\"items\":[" POD("a") "," POD("b") "]}") }, false },
		END
	};
	static const struct { const char *words[6], *out; int status;
	} cases[] = {
		{ { "pods", "-o", "name" }, "pod/a\npod/b\n", 0 },
		{ { "pod", "a", "-o", "jsonpath={.metadata.name}" }, "a", 0 },
		{ { "pods", "-o", "jsonpath={.items[*].metadata.name}" }, "a b", 0 },
		{ { "pods", "-o", "custom-columns=N:.metadata.name,X:.spec.x" },
		  "N     X\na     <none>\nb     <none>\n",
		  0 },
		{ { "pods", "-o", "custom-columns=N" }, "", EXIT_ERROR },
		{ { "pod/a", "-o", "yaml" },
		  "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
		  0 },
		{ { "pod/a", "pod/gone", "-o", "name" }, "pod/a\n", EXIT_ERROR },
		{ { "pods", "-o", "nonsense" }, "", EXIT_ERROR },
		{ { "pod/a", "-A" }, "", EXIT_ERROR },
	};
	struct server s;

	(void)state;
	server_start(&s, answers);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct result r = run(s.socket, verb_get, "get", cases[i].words);

		assert_int_equal(r.status, cases[i].status);
		assert_string_equal(buf_str(&r.out), cases[i].out);
		release(&r);
	}
	server_stop(&s);
}

static void waits_end_as_kubectl_s(void **state)
{
	static const struct answer answers[] = {
		{ "/deployments/web ",
		  { HTTP("200 OK", "{\"spec\":{\"replicas\":2},\"status\":{\"conditions\":["
				   "{\"type\":\"Available\",\"status\":\"True\"}]}}") },
		  false },
		{ "/deployments ", { HTTP("200 OK", "{\"items\":[]}") }, false },
		{ "/deployments/",
		  { HTTP("404 Not Found", "{\"reason\":\"NotFound\",\"message\":\"none\"}") },
		  false },
		END
	};
	static const struct { const char *words[6], *out, *err; int status;
	} cases[] = {
		{ { "--for=condition=available", "deploy/web" },
		  "deployment.apps/web condition met\n",
		  "",
		  0 },
		{ { "--for=jsonpath={.spec.replicas}=2", "deploy/web" },
		  "deployment.apps/web condition met\n",
		  "",
		  0 },
		{ { "--for=delete", "deploy/gone" },
		  "deployment.apps/gone condition met\n",
		  "",
		  0 },
		{ { "--for=condition=Available", "deploy/gone", "--timeout=9s" },
		  "",
		  "Error from server (NotFound): deployments.apps \"gone\" not found\n",
		  EXIT_ERROR },
		{ { "--for=condition=Available=false", "deploy/web", "--timeout=0" },
		  "",
		  "error: timed out waiting for the condition on deployments/web\n",
		  EXIT_ERROR },
		{ { "--for=delete", "deploy", "--all" },
		  "",
		  "error: no matching resources found\n",
		  EXIT_ERROR },
		{ { "--for=jsonpath={.a", "deploy/web" },
		  "",
		  "error: can't read the jsonpath template {.a\n",
		  EXIT_ERROR },
		{ { "--for=delete", "deploy/web", "--timeout=soon" },
		  "",
		  "error: invalid argument \"soon\" for \"--timeout\": a duration like 30s or 5m is wanted\n",
		  EXIT_ERROR },
	};
	struct server s;

	(void)state;
	server_start(&s, answers);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct result r = run(s.socket, verb_wait, "wait", cases[i].words);

		assert_string_equal(buf_str(&r.out), cases[i].out);
		assert_string_equal(buf_str(&r.err), cases[i].err);
		assert_int_equal(r.status, cases[i].status);
		release(&r);
	}
	server_stop(&s);
}

#define TWO_CONTAINERS \
	"{\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{\"containers\":" \
	"[{\"name\":\"one\"},{\"name\":\"two\"}]}}"

static void logs_of_the_container_that_is_meant(void **state)
{
	static const struct answer answers[] = {
		{ "/pods/p/log?follow=false&previous=false&timestamps=false&container=one&tailLines=5&sinceSeconds=90 ",
		  { HTTP("200 OK", "first\nsecond") },
		  false },
		{ "container=two ", { HTTP("200 OK", "other\n") }, false },
		{ "container=one ", { HTTP("200 OK", "one\n") }, false },
		{ "/pods/p ", { HTTP("200 OK", TWO_CONTAINERS) }, false },
		END
	};
	struct server s;

	(void)state;
	server_start(&s, answers);
	struct result r = RUN(&s, logs, "p", "--tail=5", "--since=1m30s");
	assert_string_equal(buf_str(&r.out), "first\nsecond");
	assert_string_equal(buf_str(&r.err), "Defaulted container \"one\" out of: one, two\n");
	release(&r);
	r = RUN(&s, logs, "p", "--all-containers", "--prefix");
	assert_string_equal(buf_str(&r.out), "[pod/p/one] one\n[pod/p/two] other\n");
	release(&r);
	r = RUN(&s, logs, "p", "-c", "three");
	assert_int_equal(r.status, EXIT_ERROR);
	assert_string_equal(buf_str(&r.err),
			    "error: container three is not valid for pod p out of: one, two\n");
	release(&r);
	server_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_exits),
		cmocka_unit_test(without_a_daemon),
		cmocka_unit_test(apply_exits),
		cmocka_unit_test(apply_counts_for_programs),
		cmocka_unit_test(a_rollout_that_fails_or_takes_too_long),
		cmocka_unit_test(a_saved_plan_that_is_stale),
		cmocka_unit_test(tables),
		cmocka_unit_test(objects),
		cmocka_unit_test(waits_end_as_kubectl_s),
		cmocka_unit_test(logs_of_the_container_that_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
