/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe of objects as orchd answers them, against what kubectl would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/macro.h"
#include "cli/describe.h"

static const char pod[] =
	"{'metadata': {'name': 'web-1', 'namespace': 'shop', 'labels': {'app': 'web', 'tier': 'front'},"
	" 'ownerReferences': [{'kind': 'ReplicaSet', 'name': 'web'}]},"
	" 'spec': {'nodeName': 'box', 'containers': [{'name': 'httpd', 'image': 'rootfs:/',"
	"   'command': ['sh', '-c', 'echo a\\necho b'], 'ports': [{'containerPort': 80, 'protocol': 'TCP'}],"
	"   'resources': {'limits': {'memory': '64Mi'}},"
	"   'readinessProbe': {'httpGet': {'port': 'http', 'path': '/ok'}, 'periodSeconds': 5},"
	"   'env': [{'name': 'A', 'value': 'b'}, {'name': 'LONGER', 'valueFrom': {'configMapKeyRef':"
	"     {'name': 'c', 'key': 'k'}}}],"
	"   'volumeMounts': [{'name': 'www', 'mountPath': '/www', 'readOnly': true}]}],"
	"  'volumes': [{'name': 'www', 'configMap': {'name': 'pages'}}]},"
	" 'status': {'phase': 'Running', 'podIP': '10.244.0.2', 'podIPs': [{'ip': '10.244.0.2'}], 'hostIP': '10.0.0.1',"
	"  'startTime': '2026-11-21T10:00:00Z', 'qosClass': 'Burstable',"
	"  'conditions': [{'type': 'Ready', 'status': 'False'}],"
	"  'containerStatuses': [{'name': 'httpd', 'containerID': 'orch://u/httpd/2', 'imageID': 'rootfs:/',"
	"    'restartCount': 2, 'state': {'waiting': {'reason': 'CrashLoopBackOff', 'message': 'back-off 20s'}},"
	"    'lastState': {'terminated': {'reason': 'Error', 'exitCode': 3, 'startedAt': '2026-11-21T10:00:01Z',"
	"      'finishedAt': '2026-11-21T10:00:02Z'}}}]}}";

static const char events[] =
	"[{'type': 'Warning', 'reason': 'BackOff', 'count': 3, 'firstTimestamp': '%s', 'lastTimestamp': '%s',"
	"  'source': {'component': 'orchd'}, 'message': 'restarting\\nit'},"
	" {'type': 'Normal', 'reason': 'Started', 'count': 1, 'firstTimestamp': '%s', 'lastTimestamp': '%s',"
	"  'source': {'component': 'orchd'}, 'message': 'Started container httpd'}]";

static const char described_pod[] =
"Name:             web-1\n"
"Namespace:        shop\n"
"Service Account:  default\n"
"Node:             box/10.0.0.1\n"
"Start Time:       Sat, 21 Nov 2026 10:00:00 +0000\n"
"Labels:           app=web\n"
"                  tier=front\n"
"Annotations:      <none>\n"
"Status:           Running\n"
"IP:               10.244.0.2\n"
"IPs:\n"
"  IP:           10.244.0.2\n"
"Controlled By:  ReplicaSet/web\n"
"Containers:\n"
"  httpd:\n"
"    Container ID:  orch://u/httpd/2\n"
"    Image:         rootfs:/\n"
"    Image ID:      rootfs:/\n"
"    Port:          80/TCP\n"
"    Host Port:     0/TCP\n"
"    Command:\n"
"      sh\n"
"      -c\n"
"      echo a\n"
"      echo b\n"
"    State:          Waiting\n"
"      Reason:       CrashLoopBackOff\n"
"      Message:      back-off 20s\n"
"    Last State:     Terminated\n"
"      Reason:       Error\n"
"      Exit Code:    3\n"
"      Started:      Sat, 21 Nov 2026 10:00:01 +0000\n"
"      Finished:     Sat, 21 Nov 2026 10:00:02 +0000\n"
"    Ready:          False\n"
"    Restart Count:  2\n"
"    Limits:\n"
"      memory:   64Mi\n"
"    Readiness:  http-get http://:http/ok delay=0s timeout=1s period=5s #success=1 #failure=3\n"
"    Environment:\n"
"      A:       b\n"
"      LONGER:  <set to the key 'k' in config map 'c'>  Optional: false\n"
"    Mounts:\n"
"      /www from www (ro)\n"
"Conditions:\n"
"  Type   Status\n"
"  Ready  False \n"
"Volumes:\n"
"  www:\n"
"    Type:        ConfigMap (a volume populated by a ConfigMap)\n"
"    Name:        pages\n"
"    Optional:    false\n"
"QoS Class:       Burstable\n"
"Node-Selectors:  <none>\n"
"Tolerations:     <none>\n";

/* JSON with ' for ", so that one can read it. */
static json_t *parse(const char *text)
{
	FREE_AUTO char *s = strdup(text);

	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	json_t *o = json_loads(s, 0, NULL);
	assert_non_null(o);
	return o;
}

static int in_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

/* kubectl separates by two blanks; runs of them are compared as one. */
static void assert_same_columns(const char *got, const char *expected)
{
	while (*got && *expected && *got == *expected) {
		if (got[0] == ' ' && got[1] == ' ') {
			got += strspn(got, " ");
			expected += strspn(expected, " ");
			continue;
		}
		got++;
		expected++;
	}
	assert_string_equal(got, expected);
}

static void describe(enum kind_id kind, const char *object, const char *event_list, struct buf *out)
{
	struct cli c = { 0 };
	json_t *o = parse(object), *e = event_list ? parse(event_list) : NULL;

	describe_text(&c, &kinds[kind], o, e, out);
	json_decref(o);
	json_decref(e);
	arena_release(&c.arena);
}

static const char *ago(int seconds, char buf[32])
{
	time_t t = time(NULL) - seconds;
	struct tm tm;

	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	return buf;
}

static void a_pod_that_crashes(void **state)
{
	char list[1024], a[32], b[32], c[32];
	BUF_AUTO out = { 0 };

	(void)state;
	ago(5 * 60 + 1, a);
	ago(2 * 60 + 1, b);
	ago(10 * 60 + 1, c);
	snprintf(list, sizeof(list), events, a, b, c, c);
	describe(KIND_POD, pod, list, &out);
	char *tail = strstr(out.data, "Events:\n");
	assert_non_null(tail);
	BUF_AUTO head = { 0 };
	buf_add(&head, out.data, (size_t)(tail - out.data));
	assert_string_equal(head.data, described_pod);
	/* ages may say seconds, too */
	assert_non_null(strstr(tail, "  Normal   Started  10m"));
	assert_non_null(strstr(tail, " (x3 over 5m"));
	assert_true(strstr(tail, "Started container") < strstr(tail, "restarting\n"));
	assert_null(strstr(tail, "\nit"));
}

static void data_is_left_as_it_is(void **state)
{
	BUF_AUTO out = { 0 };

	(void)state;
	describe(KIND_CONFIGMAP, "{'metadata': {'name': 'c', 'namespace': 'shop'},"
		 "'data': {'k': 'a\\tb\\nlonger\\tc'}, 'binaryData': {'b': 'AAEC'}}", "[]", &out);
	assert_string_equal(
		out.data,
		"Name:         c\nNamespace:    shop\nLabels:       <none>\nAnnotations:  <none>\n\n"
		"Data\n====\nk:\n----\na\tb\nlonger\tc\n\n\n"
		"BinaryData\n====\nb: 3 bytes\n\nEvents:  <none>\n");
}

static void a_secret_says_sizes_only(void **state)
{
	BUF_AUTO out = { 0 };

	(void)state;
	describe(KIND_SECRET, "{'metadata': {'name': 's', 'namespace': 'shop'}, 'type': 'Opaque',"
		 "'data': {'password': 'c2VjcmV0', 'x': 'YQ=='}}", NULL, &out);
	assert_string_equal(
		out.data,
		"Name:         s\nNamespace:    shop\nLabels:       <none>\nAnnotations:  <none>\n\n"
		"Type:  Opaque\n\nData\n====\npassword:  6 bytes\nx:         1 bytes\n");
}

static void a_quota(void **state)
{
	BUF_AUTO out = { 0 };

	(void)state;
	describe(KIND_RESOURCEQUOTA,
		 "{'metadata': {'name': 'q', 'namespace': 'shop'}, 'spec': {'hard': {'pods': '4', "
		 "'cpu': '2'}}, 'status': {'used': {'pods': '1', 'cpu': '500m'}}}", NULL, &out);
	assert_same_columns(out.data, "Name:  q\nNamespace:  shop\nResource  Used  Hard\n"
				      "--------  ----  ----\npods  1  4\ncpu  500m  2\n");
}

static void a_limit_range(void **state)
{
	BUF_AUTO out = { 0 };

	(void)state;
	describe(KIND_LIMITRANGE,
		 "{'metadata': {'name': 'r', 'namespace': 'shop'}, 'spec': {'limits': [{'type': "
		 "'Container', 'max': {'cpu': '2'}, 'default': {'cpu': '1'}}]}}", NULL, &out);
	assert_non_null(strstr(out.data, "Container  cpu       -    2    -                1"));
}

static void endpoints(void **state)
{
	BUF_AUTO out = { 0 };

	(void)state;
	describe(
		KIND_ENDPOINTS,
		"{'metadata': {'name': 'web', 'namespace': 'shop'}, 'subsets': [{'addresses':"
		"[{'ip': '10.0.0.1'}, {'ip': '10.0.0.2'}], 'ports': [{'port': 80, 'protocol': 'TCP'}]}]}",
		"[]", &out);
	assert_non_null(strstr(
		out.data, "  Addresses:          10.0.0.1,10.0.0.2\n"
			  "  NotReadyAddresses:  <none>\n"
			  "  Ports:\n    Name     Port  Protocol\n    ----     ----  --------\n"
			  "    <unset>  80    TCP\n\nEvents:  <none>\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_that_crashes),
		cmocka_unit_test(data_is_left_as_it_is),
		cmocka_unit_test(a_secret_says_sizes_only),
		cmocka_unit_test(a_quota),
		cmocka_unit_test(a_limit_range),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
