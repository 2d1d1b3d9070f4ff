/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's own settings: their defaults and their bounds. */
#include "fixture.h"

static const char *read_settings(struct fixture *f, const char *text, struct settings *ret)
{
	struct msgs m = { .arena = &f->arena };
	struct yaml_docs docs = { 0 };

	*ret = (struct settings){ 0 };
	assert_int_equal(yaml_parse(&f->arena, "o.yaml", text, strlen(text), &docs, &m), 0);
	schema_decode(&f->arena, &settings_type, "o.yaml", docs.v[0].root, "", NULL, ret, &m);
	return messages(f, &m);
}

static void test_defaults(void **state)
{
	struct settings s;

	assert_string_equal(read_settings(*state, "{}", &s), "");
	assert_string_equal(s.config_dir, "/etc/orch");
	assert_string_equal(s.pod_cidr, "10.244.0.0/16");
	assert_string_equal(s.cgroup_root, "orch");
	assert_int_equal(s.sync, SYNC_AUTO);
	assert_int_equal(s.settle_ms, 200);
	assert_int_equal(s.userns.first, 1 << 30);
	assert_int_equal(s.userns.count, 4096);
	assert_false(s.userns.by_default);
}

static void test_messages(void **state)
{
	struct settings s;

	assert_string_equal(
		read_settings(*state, "configDir: etc\npodCIDR: 10.0.0.1/8\nclusterDomain: A\n"
			      "cgroupRoot: ../x\nsync: never\nlogLevel: loud\nhistoryLimit: 1\n", &s),
		"o.yaml:1:12: configDir: \"etc\" is not an absolute path\n"
		"o.yaml:2:10: podCIDR: \"10.0.0.1/8\" is no IPv4 network like 10.244.0.0/16\n"
		"o.yaml:3:16: clusterDomain: \"A\" must consist of lower-case letters, digits, \"-\" and "
		"\".\", and each part between dots begin and end with a letter or digit\n"
		"o.yaml:4:13: cgroupRoot: \"../x\" is not a path below the mount point of the control "
		"groups\n"
		"o.yaml:5:7: sync: \"never\" is not auto or manual\n"
		"o.yaml:6:11: logLevel: \"loud\" is not error, warning, info or debug\n"
		"o.yaml:7:15: historyLimit: 1 is not in 2-1000000\n");
	assert_string_equal(
		read_settings(*state, "podCIDR: 10.96.0.0/12\nserviceCIDR: 10.96.0.0/31\n", &s),
		"o.yaml:2:14: serviceCIDR: 10.96.0.0/31 is too small: at most /30 is possible\n"
		"o.yaml:2:14: serviceCIDR: 10.96.0.0/31 overlaps podCIDR 10.96.0.0/12\n");
	assert_string_equal(
		read_settings(*state, "allowedUnsafeSysctls: [net.core.somaxconn, 'kernel.msg*', "
			      "'net.*', vm.swappiness, '*', 'net.*.x', 'k*']\n", &s),
		"o.yaml:1:68: allowedUnsafeSysctls[3]: \"vm.swappiness\" is no parameter that pods have "
		"of their own (kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*)\n"
		"o.yaml:1:83: allowedUnsafeSysctls[4]: \"*\" is no parameter that pods have "
		"of their own (kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*)\n"
		"o.yaml:1:88: allowedUnsafeSysctls[5]: \"net.*.x\" is no parameter that pods have "
		"of their own (kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*)\n"
		"o.yaml:1:99: allowedUnsafeSysctls[6]: \"k*\" is no parameter that pods have "
		"of their own (kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*)\n");
	assert_string_equal(
		read_settings(*state, "runtimeHandlers: [{name: Crun, path: bin/crun}]\n", &s),
		"o.yaml:1:26: runtimeHandlers[0].name: \"Crun\" must consist of lower-case letters, "
		"digits and \"-\", and begin and end with a letter or digit\n"
		"o.yaml:1:38: runtimeHandlers[0].path: \"bin/crun\" is not an absolute path\n");
	assert_string_equal(
		read_settings(*state, "userNamespaces: {first: 100000, count: 0}\n", &s),
		"o.yaml:1:40: userNamespaces.count: 0 is not in 1-65535\n");
	assert_string_equal(
		read_settings(*state, "userNamespaces: {first: 100000}\n", &s),
		"o.yaml:1:25: userNamespaces.first: 100000 is not a multiple of 65536\n");
	assert_string_equal(
		read_settings(*state, "userNamespaces: {first: 4294770688, count: 3}\n", &s),
		"o.yaml:1:44: userNamespaces.count: 3 ranges from 4294770688 on are more ids than "
		"there are\n");
}

static void test_eviction(void **state)
{
	struct settings s;

	assert_string_equal(
		read_settings(*state, "evictionHard: {memory.available: 100Mi, nodefs.available: 10%, "
			      "pid.available: 0%}\nevictionSoft: {imagefs.inodesFree: 0.5%}\n"
			      "evictionSoftGracePeriod: {imagefs.inodesFree: 1m30s}\n", &s), "");
	assert_string_equal(
		read_settings(*state, "evictionHard: {memory.free: '1', nodefs.availabel: 1Gi, "
			      "pid.available: 101%, memory.available: -1Gi}\n"
			      "evictionSoftGracePeriod: {pid.available: soon}\n"
			      "evictionPressureTransitionPeriod: never\n", &s),
		"o.yaml:1:29: evictionHard[memory.free]: unknown signal \"memory.free\"; expected "
		"memory.available, nodefs.available, nodefs.inodesFree, imagefs.available, "
		"imagefs.inodesFree or pid.available\n"
		"o.yaml:1:52: evictionHard[nodefs.availabel]: unknown signal \"nodefs.availabel\"; did "
		"you mean \"nodefs.available\"?\n"
		"o.yaml:1:72: evictionHard[pid.available]: \"101%\" is no quantity like 100Mi, and no "
		"share like 10%\n"
		"o.yaml:1:96: evictionHard[memory.available]: \"-1Gi\" is no quantity like 100Mi, and "
		"no share like 10%\n"
		"o.yaml:2:42: evictionSoftGracePeriod[pid.available]: \"soon\" is no duration like 30s "
		"or 2m\n"
		"o.yaml:3:35: evictionPressureTransitionPeriod: \"never\" is no duration like 30s or "
		"2m\n"
		"o.yaml:2:26: evictionSoftGracePeriod: pid.available has no threshold in evictionSoft\n");
	assert_string_equal(
		read_settings(*state, "evictionSoft: {memory.available: 1Gi}\n"
			      "evictionSoftGracePeriod: {pid.available: 1m}\n", &s),
		"o.yaml:1:15: evictionSoft: memory.available has no period in "
		"evictionSoftGracePeriod\n"
		"o.yaml:2:26: evictionSoftGracePeriod: pid.available has no threshold in "
		"evictionSoft\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(test_defaults), TEST(test_messages),
						  TEST(test_eviction) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
