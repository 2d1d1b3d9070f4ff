/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability sets as bits 1 << CAP_x (capabilities(7)); names are libcap's. The default set is
 * the one container runtimes agree on and images rely on.
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <sys/capability.h>

#include "base/macro.h"
#include "sys/privilege.h"

static const uint8_t defaults[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_MKNOD,
	CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SETFCAP, CAP_SETGID, CAP_SETPCAP, CAP_SETUID,
	CAP_SYS_CHROOT,
};

uint64_t cap_default_set(void)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		bits |= 1ULL << defaults[i];
	return bits;
}

int cap_parse(const char *name, uint64_t *ret_bits)
{
	char full[64];
	cap_value_t cap;

	/* libcap also takes numbers, which no manifest means. */
	if (name[0] >= '0' && name[0] <= '9')
		return -EINVAL;
	if (strcasecmp(name, "ALL") == 0) {
		*ret_bits = (2ULL << CAP_LAST_CAP) - 1;
		return 0;
	}
	snprintf(full, sizeof(full), "%s%s", strncasecmp(name, "CAP_", 4) ? "CAP_" : "", name);
	if (cap_from_name(full, &cap) < 0)
		return -EINVAL;
	*ret_bits = 1ULL << cap;
	return 0;
}

const char *cap_name(struct arena *a, unsigned cap)
{
	char *name = cap_to_name((cap_value_t)cap);
	char *copy = arena_strdup(a, name ? name : "");

	for (char *c = copy; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	cap_free(name);
	return copy;
}

uint64_t cap_permitted(void)
{
	cap_t own = cap_get_proc();
	uint64_t bits = 0;

	for (cap_value_t cap = 0; own && cap <= CAP_LAST_CAP; cap++) {
		cap_flag_value_t set = CAP_CLEAR;

		if (cap_get_flag(own, cap, CAP_PERMITTED, &set) == 0 && set == CAP_SET)
			bits |= 1ULL << cap;
	}
	cap_free(own);
	return bits;
}
