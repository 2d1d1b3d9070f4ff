/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts, host name and resolv.conf of a pod. */
#include "fixture.h"

#include "base/macro.h"
#include "runtime/files.h"

#define POD(spec)                                                                              \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"                             \
	"  containers: [{name: c, image: 'rootfs:/'}]\n" spec

static const char node[] = "# of the node\nsearch corp.example lan\nnameserver 127.0.0.53\n"
			   "nameserver 192.0.2.1\noptions timeout:2 rotate\n";

static void assert_resolv(const char *spec, const char *text)
{
	BUF_AUTO yaml = { 0 };
	BUF_AUTO out = { 0 };

	buf_printf(&yaml, POD("%s"), spec);
	struct set *s = set_from(yaml.data);
	files_resolv_conf(pod_in(s, "web"), node, "cluster.local", &out);
	assert_string_equal(buf_str(&out), text);
	set_unref(s);
}

static void test_resolv_conf(void **state)
{
	(void)state;
	assert_resolv("", "nameserver 192.0.2.1\n"
		      "search default.svc.cluster.local svc.cluster.local cluster.local "
		      "corp.example lan\n"
		      "options ndots:5\n");
	assert_resolv("  dnsPolicy: Default\n", "nameserver 192.0.2.1\nsearch corp.example lan\n"
		      "options timeout:2 rotate\n");
	assert_resolv("  dnsPolicy: None\n  dnsConfig:\n    nameservers: [198.51.100.7]\n"
		      "    searches: [a.example]\n    options: [{name: ndots, value: '2'}, "
		      "{name: edns0}]\n",
		      "nameserver 198.51.100.7\nsearch a.example\noptions ndots:2 edns0\n");
	assert_resolv("  dnsConfig: {options: [{name: ndots, value: '1'}]}\n",
		      "nameserver 192.0.2.1\n"
		      "search default.svc.cluster.local svc.cluster.local cluster.local "
		      "corp.example lan\n"
		      "options ndots:1\n");
}

static void test_hosts(void **state)
{
	struct set *s = set_from(POD("  hostname: h\n  subdomain: sub\n"
				     "  hostAliases: [{ip: 192.0.2.9, hostnames: [a.example, "
				     "b.example]}]\n"));
	BUF_AUTO out = { 0 };

	(void)state;
	files_hosts(pod_in(s, "web"), "h", 0x0af40007, "cluster.local", "", &out);
	assert_non_null(strstr(out.data, "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(out.data, "\n10.244.0.7\th.sub.default.svc.cluster.local\th\n"));
	assert_non_null(strstr(out.data, "\n192.0.2.9\ta.example\tb.example\n"));
	set_unref(s);
}

static void test_host_name(void **state)
{
	struct object pod;
	struct arena a = { 0 };
	char longest[80];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[62] = '-';
	longest[79] = '\0';
	pod = object_new(&a, KIND_POD, "default", longest);
	assert_int_equal(strlen(files_host_name(&a, &pod, "node", "cluster.local")), 62);
	pod.pod->spec.hostname = "own";
	assert_string_equal(files_host_name(&a, &pod, "node", "cluster.local"), "own");
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolv_conf), cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_host_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
