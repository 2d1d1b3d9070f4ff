/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of ids; see userns.h. */
#include "runtime/userns.h"

#include "base/macro.h"
#include "runtime/device.h"
#include "runtime/identity.h"

/* ---- who ---- */

static bool is_high(int64_t id)
{
	return id >= USERNS_IDS;
}

static bool has_high_ids(const struct pod_spec *s)
{
	const struct pod_security_context *p = s->security_context;
	bool high = p && (is_high(p->run_as_user) || is_high(p->run_as_group) ||
			  is_high(p->fs_group));

	for (uint32_t i = 0; p && i < p->supplemental_groups.n; i++)
		high |= is_high(p->supplemental_groups.v[i]);
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct security_context *c = pod_container(s, i)->security_context;

		high |= c && (is_high(c->run_as_user) || is_high(c->run_as_group));
	}
	return high;
}

bool userns_wanted(const struct userns *u, const struct pod_spec *s)
{
	if (HAS(s, pod_spec, host_users))
		return !s->host_users;
	return u->pool.by_default && !s->host_network && !s->host_pid && !s->host_ipc &&
	       !identity_any_privileged(s) && !has_high_ids(s) && !device_wanted(s);
}

/* ---- which ---- */

static bool is_taken(const struct userns *u, uint32_t first)
{
	for (uint32_t i = 0; i < u->ntaken; i++) {
		uint32_t a = u->taken[i];

		if ((a > first ? a - first : first - a) < USERNS_IDS)
			return true;
	}
	return false;
}

void userns_claim(struct userns *u, uint32_t first)
{
	if (u->ntaken == u->room) {
		u->room = u->room ? u->room * 2 : 16;
		u->taken = realloc(u->taken, u->room * sizeof(*u->taken));
		if (!u->taken)
			abort();
	}
	u->taken[u->ntaken++] = first;
}

int userns_take(struct userns *u, uint32_t *ret_first, struct err *err)
{
	for (uint32_t i = 0; i < u->pool.count; i++) {
		uint32_t number = (u->next + i) % u->pool.count;
		uint32_t first = u->pool.first + number * USERNS_IDS;

		if (is_taken(u, first))
			continue;
		userns_claim(u, first);
		u->next = (number + 1) % u->pool.count;
		*ret_first = first;
		return 0;
	}
	return err_set(err, -ENOSPC, "all %u ranges of user ids are taken (userNamespaces.count)",
		       u->pool.count);
}

void userns_free(struct userns *u, uint32_t first)
{
	for (uint32_t i = 0; i < u->ntaken; i++) {
		if (u->taken[i] == first) {
			u->taken[i] = u->taken[--u->ntaken];
			return;
		}
	}
}

void userns_release(struct userns *u)
{
	free(u->taken);
}
