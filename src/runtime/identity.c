/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users, capabilities, OOM score; see identity.h. */

#include "runtime/identity.h"

#include "base/macro.h"
#include "sys/privilege.h"

#define NODE_CRITICAL 2000001000	/* the priority of system-node-critical */

/* "UID" or "UID:GID". Names would have to be looked up in files of the image. */
static int image_user(const struct image *img, struct identity *id, struct err *err)
{
	char *end;

	if (!*img->user)
		return 0;
	unsigned long uid = strtoul(img->user, &end, 10), gid = 0;
	if (end != img->user && *end == ':')
		gid = strtoul(end + 1, &end, 10);
	if (end == img->user || *end)
		return err_set(err, -EINVAL,
			       "the image's user \"%s\" is not numeric; set runAsUser", img->user);
	id->uid = (uid_t)uid;
	id->gid = (gid_t)gid;
	return 0;
}

static bool has_all(const struct strs *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], "ALL"))
			return true;
	return false;
}

static uint64_t bits_of(const struct strs *l)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		uint64_t bits;

		if (!streq(l->v[i], "ALL") && cap_parse(l->v[i], &bits) == 0)
			all |= bits;
	}
	return all;
}

/* ALL comes first, so that one can drop ALL and add what is needed. */
static uint64_t capabilities(const struct security_context *c)
{
	uint64_t caps = cap_default_set();

	if (!c || !c->capabilities)
		return caps;
	if (has_all(&c->capabilities->add))
		cap_parse("ALL", &caps);
	if (has_all(&c->capabilities->drop))
		caps = 0;
	caps |= bits_of(&c->capabilities->add);
	return caps & ~bits_of(&c->capabilities->drop);
}

static void add_group(struct arena *a, struct identity *id, int64_t gid)
{
	struct { gid_t *v; uint32_t n; } l = { (gid_t *)id->groups, id->ngroups };

	for (uint32_t i = 0; i < l.n; i++) {
		if (l.v[i] == (gid_t)gid)
			return;
	}
	*arena_push(a, &l) = (gid_t)gid;
	id->groups = l.v;
	id->ngroups = l.n;
}

/* The image's count only while its user does:
 * https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ */
static void collect_groups(struct arena *a, const struct pod_security_context *pod,
			   const struct image *img, bool own_user, struct identity *id)
{
	bool strict = own_user || (pod && pod->supplemental_groups_policy == GROUPS_STRICT);

	add_group(a, id, id->gid);
	for (uint32_t i = 0; !strict && i < img->ngroups; i++)
		add_group(a, id, img->groups[i]);
	for (uint32_t i = 0; pod && i < pod->supplemental_groups.n; i++)
		add_group(a, id, pod->supplemental_groups.v[i]);
	if (pod && HAS(pod, pod_security_context, fs_group))
		add_group(a, id, pod->fs_group);
}

static bool is_privileged(const struct container *c)
{
	return c->security_context && c->security_context->privileged;
}

bool identity_any_privileged(const struct pod_spec *s)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		if (is_privileged(pod_container(s, i)))
			return true;
	}
	return false;
}

static bool adds_sys_admin(const struct security_context *c)
{
	uint64_t admin = 0;

	cap_parse("SYS_ADMIN", &admin);
	return c->capabilities && (has_all(&c->capabilities->add) ||
				   bits_of(&c->capabilities->add) & admin);
}

/* What the container's context says, over the pod's. Unlike Kubernetes, privileges may only be
 * gained where that is asked for. */
static void rights(const struct pod_security_context *pod, const struct security_context *own,
		   struct identity *id)
{
	const struct seccomp_profile *p = own && own->seccomp_profile ? own->seccomp_profile :
					  pod ? pod->seccomp_profile : NULL;

	id->no_filter = p && p->type == SECCOMP_UNCONFINED;
	id->profile = p && p->type == SECCOMP_LOCALHOST ? p->localhost_profile : NULL;
	if (!own)
		return;
	id->read_only_root = own->read_only_root_filesystem;
	id->privileged = own->privileged;
	id->all_proc = own->privileged || own->proc_mount == PROC_UNMASKED;
	id->may_gain = own->allow_privilege_escalation || own->privileged || adds_sys_admin(own);
	if (!own->privileged)
		return;
	cap_parse("ALL", &id->caps);
	id->no_filter = true;
}

int identity_of(struct arena *a, const struct pod_spec *s, const struct container *c,
		const struct image *img, struct identity *ret, struct err *err)
{
	const struct pod_security_context *pod = s->security_context;
	const struct security_context *own = c->security_context;
	bool own_non_root = own && HAS(own, security_context, run_as_non_root);
	bool non_root = own_non_root ? own->run_as_non_root : pod && pod->run_as_non_root;
	struct identity id = { .caps = capabilities(own) };
	bool given = true;
	int r = image_user(img, &id, err);

	if (r < 0)
		return r;
	if (own && HAS(own, security_context, run_as_user))
		id.uid = (uid_t)own->run_as_user;
	else if (pod && HAS(pod, pod_security_context, run_as_user))
		id.uid = (uid_t)pod->run_as_user;
	else
		given = false;
	if (given)
		id.gid = 0;	/* the image's group is its user's */
	if (own && HAS(own, security_context, run_as_group))
		id.gid = (gid_t)own->run_as_group;
	else if (pod && HAS(pod, pod_security_context, run_as_group))
		id.gid = (gid_t)pod->run_as_group;
	if (non_root && id.uid == 0)
		return err_set(err, -EPERM, given ? "container's runAsUser breaks non-root policy" :
			       "container has runAsNonRoot and image will run as root");
	rights(pod, own, &id);
	collect_groups(a, pod, img, given, &id);
	*ret = id;
	return 0;
}

int identity_within(const struct identity *id, uint32_t count, struct err *err)
{
	uint32_t highest = MAX((uint32_t)id->uid, (uint32_t)id->gid);

	for (uint32_t i = 0; i < id->ngroups; i++)
		highest = MAX(highest, (uint32_t)id->groups[i]);
	if (highest < count)
		return 0;
	return err_set(err, -ERANGE, "id %u is nobody in the pod's user namespace (0-%u); "
		       "set hostUsers: true", highest, count - 1);
}

static bool is_sidecar(const struct pod_spec *s, const struct container *c)
{
	int i = pod_container_find(s, c->name);

	return i >= 0 && pod_container_role(s, (uint32_t)i) == ROLE_SIDECAR;
}

static int64_t least_request(const struct pod_spec *s)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < s->containers.n; i++)
		least = MIN(least, container_resources(&s->containers.v[i]).memory_request);
	return s->containers.n ? least : 0;
}

/* In thousandths, rounded down. */
static int64_t share(int64_t part, int64_t whole)
{
	return (int64_t)((__int128)part * 1000 / whole);
}

/* As kubelet, to the point: a sidecar outlives the container that has requested least. */
int64_t identity_oom_score(const struct pod_spec *s, const struct container *c, int64_t node_memory)
{
	const char *qos = pod_qos(s);
	int64_t request = container_resources(c).memory_request;

	if (streq(qos, "Guaranteed") || s->priority >= NODE_CRITICAL)
		return -997;
	if (streq(qos, "BestEffort") || node_memory <= 0)
		return 1000;
	if (is_sidecar(s, c))
		request = MAX(request, least_request(s));
	return MIN(MAX(1000 - share(request, node_memory), 3), 999);
}
