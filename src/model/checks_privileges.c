/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of privileges: capabilities, profiles, kernel parameters. What takes privileges away
 * and is not acted on is at least warned about; what contradicts itself is refused.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"

void check_capability(struct check *c, const void *value)
{
	static const char *const names[] = {
		"ALL", "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF",
		"CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
		"FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE",
		"MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE",
		"NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
		"SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE",
		"SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME",
		"SYS_TTY_CONFIG", "WAKE_ALARM", NULL,
	};
	const char *name = *(const char *const *)value;
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	for (size_t i = 0; names[i]; i++) {
		if (strcasecmp(names[i], bare) == 0)
			return;
	}
	const char *near = suggest(bare, names);
	if (near)
		check_warn_at(c, "", "unknown capability \"%.60s\"; did you mean \"%s\"?", name, near);
	else
		check_warn_at(c, "", "unknown capability \"%.60s\"", name);
}

/* Words of localhostProfile: needed by type Localhost, not possible with the others. */
static void check_localhost(struct check *c, bool local, const char *profile)
{
	if (local && (!profile || !*profile))
		check_fail_at(c, "localhostProfile", "missing; type Localhost needs it");
	else if (!local && profile && *profile)
		check_fail_at(c, "localhostProfile", "is possible with type Localhost only");
}

void check_seccomp(struct check *c, const void *obj)
{
	const struct seccomp_profile *s = obj;
	const char *profile = s->localhost_profile;

	check_localhost(c, s->type == SECCOMP_LOCALHOST, profile);
	if (profile && (*profile == '/' || path_has_dotdot(profile)))
		check_fail_at(c, "localhostProfile",
			      "\"%.100s\" must be a relative path without \"..\"", profile);
}

void check_app_armor(struct check *c, const void *obj)
{
	const struct app_armor_profile *a = obj;

	check_localhost(c, a->type == APP_ARMOR_LOCALHOST, a->localhost_profile);
}

static bool adds(const struct security_context *s, const char *capability)
{
	for (uint32_t i = 0; s->capabilities && i < s->capabilities->add.n; i++) {
		const char *name = s->capabilities->add.v[i];

		if (strcasecmp(name, capability) == 0)
			return true;
	}
	return false;
}

static void check_escalation(struct check *c, const struct security_context *s)
{
	const char *child = "allowPrivilegeEscalation";

	if (!HAS(s, security_context, allow_privilege_escalation) || s->allow_privilege_escalation)
		return;
	if (s->privileged)
		check_fail_at(c, child, "false is not possible together with privileged: true");
	else if (adds(s, "SYS_ADMIN") || adds(s, "CAP_SYS_ADMIN"))
		check_fail_at(c, child,
			      "false is not possible together with the capability SYS_ADMIN");
}

void check_security_context(struct check *c, const void *obj)
{
	check_escalation(c, obj);
}

void check_sysctl_name(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;
	bool ok = *name && strlen(name) <= 253, first = true;

	for (const char *p = name; ok && *p; p++) {
		bool end = !p[1] || p[1] == '.' || p[1] == '/';
		bool outer = islower((unsigned char)*p) || isdigit((unsigned char)*p);
		bool split = *p == '.' || *p == '/';

		ok = split ? !first && p[1] : outer || ((*p == '-' || *p == '_') && !first && !end);
		first = split;
	}
	if (!ok)
		check_fail(c, "\"%.100s\" is no kernel parameter like net.core.somaxconn", name);
}

/* Others are those of the whole machine, whatever namespaces a pod has. */
void check_unsafe_sysctl(struct check *c, const void *value)
{
	static const char *const own[] = { "kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue.",
					   "net." };
	const char *pattern = *(const char *const *)value;
	size_t n = strcspn(pattern, "*");
	bool ok = false;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		ok |= strncmp(pattern, own[i], strlen(own[i])) == 0;
	if (!ok || (pattern[n] && pattern[n + 1]))
		check_fail(c, "\"%.100s\" is no parameter that pods have of their own (kernel.shm*, "
			   "kernel.msg*, kernel.sem, fs.mqueue.*, net.*)", pattern);
}

void check_pod_security_context(struct check *c, const void *obj)
{
	const struct sysctl_list *l = &((const struct pod_security_context *)obj)->sysctls;
	char child[64];

	for (uint32_t i = 0; i < l->n; i++) {
		for (uint32_t k = i + 1; k < l->n; k++) {
			snprintf(child, sizeof(child), "sysctls[%u].name", k);
			if (streq(l->v[i].name, l->v[k].name))
				check_fail_at(c, child, "duplicate name \"%s\"", l->v[k].name);
		}
	}
}
