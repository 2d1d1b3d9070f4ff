/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups of a pod: one for the pod, below it one for the shim and one for each container.
 * The pod's has the sum of what its containers are promised, and, when every one of them is
 * limited, their memory: files of a memory volume outlive the container that wrote them. An init
 * container runs beside the sidecars before it only.
 */
#include <stdio.h>

#include "base/macro.h"
#include "runtime/sandbox.h"
#include "schema/schema.h"

#define SHIM_MEMORY (8 << 20)		/* and the kernel's memory of the pod's namespaces */
#define PAGE 4096

static void add(struct cgroup_limits *sum, const struct container_resources *r)
{
	sum->cpu_request += r->cpu_request_milli;
	sum->memory += r->memory_limit;
	sum->memory_min += r->memory_request;
	sum->huge_2m += r->huge_2m;
	sum->huge_1g += r->huge_1g;
}

/* The greater of two limits, of which 0 is none. */
static int64_t wider(int64_t x, int64_t y)
{
	return x && y ? MAX(x, y) : 0;
}

/* What its group has or is about to have: while it is resized, the more of both. */
static struct container_resources resources_of(const struct container_run *run)
{
	struct container_resources r = container_resources(run->spec);
	const struct container_resources *now = &run->in_force;

	if (!run->due)
		return r;
	r.cpu_request_milli = MAX(r.cpu_request_milli, now->cpu_request_milli);
	r.memory_request = MAX(r.memory_request, now->memory_request);
	r.memory_limit = wider(r.memory_limit, now->memory_limit);
	return r;
}

static void raise_to(struct cgroup_limits *peak, const struct cgroup_limits *l)
{
	peak->cpu_request = MAX(peak->cpu_request, l->cpu_request);
	peak->memory = MAX(peak->memory, l->memory);
	peak->memory_min = MAX(peak->memory_min, l->memory_min);
	peak->huge_2m = MAX(peak->huge_2m, l->huge_2m);
	peak->huge_1g = MAX(peak->huge_1g, l->huge_1g);
}

/* What an OCI runtime takes, for as long as the pod is there. */
static struct container_resources overhead_of(const struct pod_spec *s)
{
	const struct quantity *cpu = qtymap_get(&s->overhead, "cpu");
	const struct quantity *memory = qtymap_get(&s->overhead, "memory");
	int64_t bytes = memory ? quantity_value(memory) : 0;

	return (struct container_resources){
		.cpu_request_milli = cpu ? cpu->milli : 0,
		.memory_request = bytes, .memory_limit = bytes,
	};
}

struct cgroup_limits limits_of_pod(const struct sandbox *p)
{
	struct container_resources overhead = overhead_of(&p->object.pod->spec);
	struct cgroup_limits sum = { 0 }, peak = { 0 };
	bool all = true;

	for (uint32_t i = 0; i < p->nruns; i++) {
		struct container_resources r = resources_of(&p->runs[i]);
		struct cgroup_limits with = sum;

		add(&with, &r);
		raise_to(&peak, &with);
		if (p->runs[i].role != ROLE_INIT)
			sum = with;
		all &= r.memory_limit > 0;
	}
	add(&peak, &overhead);
	peak.cpu_request += SHIM_CPU_MILLI;
	peak.memory = all ? SHIM_MEMORY + peak.memory : 0;
	peak.memory_min = p->rt->s.memory_qos ? peak.memory_min : 0;
	peak.pids = p->rt->s.pod_pids;
	return peak;
}

static int64_t pids_limit(const struct sandbox *p)
{
	const char *s = strmap_get(&p->object.meta->annotations, "orch/pids-limit");
	long long n = s ? strtoll(s, NULL, 10) : 0;

	return MAX(n, 0LL);
}

/* https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/2570-memory-qos: whoever
 * may use no more than was requested is not slowed down. Without a limit, the node is one. */
static int64_t memory_high(const struct runtime *r, const struct container_resources *c)
{
	int64_t limit = c->memory_limit ? c->memory_limit : r->node.memory;
	int64_t high = c->memory_request +
		       (limit - c->memory_request) / 1000 * (int64_t)r->s.memory_qos;

	return limit > c->memory_request ? high / PAGE * PAGE : 0;
}

struct cgroup_limits limits_of_container(const struct sandbox *p, const struct container *c)
{
	struct container_resources r = container_resources(c);
	bool qos = p->rt->s.memory_qos;

	return (struct cgroup_limits){
		.cpu_milli = r.cpu_limit_milli, .cpu_request = r.cpu_request_milli,
		.memory = r.memory_limit, .pids = pids_limit(p),
		.memory_min = qos ? r.memory_request : 0,
		.memory_high = qos ? memory_high(p->rt, &r) : 0,
		.huge_2m = r.huge_2m, .huge_1g = r.huge_1g,
	};
}

/* What the groups below are promised counts as far as the root group is promised as much. */
int limits_protect(const struct sandbox *p, struct err *err)
{
	int64_t all = 0;
	bool known = false;

	if (!p->rt->s.memory_qos)
		return 0;
	for (uint32_t i = 0; i < p->rt->nsandboxes; i++) {
		all += limits_of_pod(p->rt->sandboxes[i]).memory_min;
		known |= p->rt->sandboxes[i] == p;
	}
	if (!known)
		all += limits_of_pod(p).memory_min;
	return cgroup_protect(p->rt->cg, "", all, err);
}

int sandbox_limit(const struct sandbox *p, struct err *err)
{
	struct cgroup_fs *cg = p->rt->cg;
	struct cgroup_limits limits = limits_of_pod(p);
	char path[256];
	int r = cgroup_ensure(cg, p->cgroup, &limits, false, err);

	snprintf(path, sizeof(path), "%s/_shim", p->cgroup);
	if (r == 0)
		r = cgroup_ensure_cpu(cg, path, SHIM_CPU_MILLI, err);
	for (uint32_t i = 0; r == 0 && i < p->nruns; i++) {
		limits = limits_of_container(p, p->runs[i].spec);
		snprintf(path, sizeof(path), "%s/%s", p->cgroup, p->runs[i].spec->name);
		r = cgroup_ensure(cg, path, &limits, true, err);
	}
	return r < 0 ? r : limits_protect(p, err);
}
