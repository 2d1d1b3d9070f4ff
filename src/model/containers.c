/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The containers of a pod, whatever list they are in; templates, whatever kind has them. */
#include "base/macro.h"
#include "model/object.h"

uint32_t pod_container_count(const struct pod_spec *s)
{
	return s->init_containers.n + s->containers.n;
}

struct container *pod_container(const struct pod_spec *s, uint32_t i)
{
	uint32_t first = s->init_containers.n;

	return i < first ? &s->init_containers.v[i] : &s->containers.v[i - first];
}

bool pod_condition_is_own(const char *type)
{
	static const char *const own[] = {
		"PodReadyToStartContainers", "Initialized", "ContainersReady", "PodScheduled",
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (streq(own[i], type))
			return true;
	}
	return false;
}

enum container_role pod_container_role(const struct pod_spec *s, uint32_t i)
{
	if (i >= s->init_containers.n)
		return ROLE_MAIN;
	return s->init_containers.v[i].restart_policy == RESTART_ALWAYS ? ROLE_SIDECAR : ROLE_INIT;
}

int pod_container_find(const struct pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		if (streq(pod_container(s, i)->name, name))
			return (int)i;
	}
	return -1;
}

bool kind_rolls(const struct kind *k)
{
	return k->id == KIND_DEPLOYMENT || k->id == KIND_STATEFULSET || k->id == KIND_DAEMONSET;
}
