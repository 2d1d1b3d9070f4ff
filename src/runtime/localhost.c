/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles are decoded by their rows (model/seccomp.def); see localhost.h. */
#include "runtime/localhost.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/macro.h"
#include "model/types.h"
#include "schema/schema.h"
#include "sys/privilege.h"
#include "sys/seccomp_profile.h"

#define PROFILE_MAX (1 << 20)
#define ARGS_MAX 16

#if defined(__x86_64__)
#define GO_ARCH "amd64"
#define SCMP_ARCH "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define GO_ARCH "arm64"
#define SCMP_ARCH "SCMP_ARCH_AARCH64"
#else
#define GO_ARCH ""
#define SCMP_ARCH ""
#endif

struct profile {
	struct arena a;
	struct seccomp_document doc;
	struct seccomp_profile_filter *filter;
	uint64_t caps;
};

static int first_message(const struct msgs *m, const char *path, struct err *err)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (!m->v[i].warning)
			return err_set(err, -EINVAL, "%s:%u:%u: %s%s%s", path, m->v[i].line, m->v[i].col,
				       m->v[i].path, *m->v[i].path ? ": " : "", m->v[i].text);
	}
	return err_set(err, -EINVAL, "%s: no profile", path);
}

static int read_profile(struct profile *p, const char *path, struct err *err)
{
	struct msgs m = { .arena = &p->a };
	struct yaml_docs docs = { 0 };
	BUF_AUTO text = { 0 };
	int r = file_read(path, PROFILE_MAX, &text, err);

	if (r < 0)
		return r;
	const char *copy = arena_strndup(&p->a, buf_str(&text), text.len);
	if (yaml_parse(&p->a, path, copy, text.len, &docs, &m) < 0 || !docs.n ||
	    schema_decode(&p->a, &seccomp_document_type, path, docs.v[0].root, "", NULL, &p->doc, &m) < 0)
		return first_message(&m, path, err);
	return 0;
}

/* ---- in which case ---- */

static bool has_caps(uint64_t caps, const struct strs *names, bool all)
{
	for (uint32_t i = 0; i < names->n; i++) {
		uint64_t bit = 0;
		bool has = cap_parse(names->v[i], &bit) == 0 && caps & bit;

		if (has != all)
			return has;
	}
	return all;
}

static bool has_arch(const struct strs *names)
{
	for (uint32_t i = 0; i < names->n; i++) {
		if (streq(names->v[i], GO_ARCH))
			return true;
	}
	return false;
}

static bool kernel_is(const char *min)
{
	unsigned major = 0, minor = 0, want_major = 0, want_minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) < 2)
		return false;
	sscanf(min, "%u.%u", &want_major, &want_minor);
	return major != want_major ? major > want_major : minor >= want_minor;
}

static bool counts(const struct profile *p, const struct seccomp_rule *r)
{
	const struct seccomp_case *in = r->includes, *out = r->excludes;

	if (in && ((in->caps.n && !has_caps(p->caps, &in->caps, true)) ||
		   (in->arches.n && !has_arch(&in->arches)) ||
		   (in->min_kernel && !kernel_is(in->min_kernel))))
		return false;
	return !out || ((!out->caps.n || !has_caps(p->caps, &out->caps, false)) &&
			!has_arch(&out->arches) && (!out->min_kernel || !kernel_is(out->min_kernel)));
}

/* ---- rules ---- */

static int add_rule(struct profile *p, const struct seccomp_rule *r, const char *call,
		    struct err *err)
{
	int data = HAS(r, seccomp_rule, errno_ret) ? r->errno_ret : -1;
	struct seccomp_condition c[ARGS_MAX];

	if (r->args.n > ARGS_MAX)
		return err_set(err, -E2BIG, "more than %d args", ARGS_MAX);
	for (uint32_t i = 0; i < r->args.n; i++) {
		const struct seccomp_condition_row *a = &r->args.v[i];

		c[i] = (struct seccomp_condition){ (uint32_t)a->index, a->op, (uint64_t)a->value,
						   (uint64_t)a->value_two };
	}
	return seccomp_filter_rule(p->filter, call, r->action, data, c, r->args.n, err);
}

static int add_rules(struct profile *p, struct err *err)
{
	int code = 0;

	for (uint32_t i = 0; code == 0 && i < p->doc.syscalls.n; i++) {
		const struct seccomp_rule *r = &p->doc.syscalls.v[i];

		if (!counts(p, r))
			continue;
		if (r->name && *r->name)
			code = add_rule(p, r, r->name, err);
		for (uint32_t k = 0; code == 0 && k < r->names.n; k++)
			code = add_rule(p, r, r->names.v[k], err);
		if (code < 0)
			err_prefix(err, "syscalls[%u]", i);
	}
	return code;
}

static int add_archs(struct profile *p, const struct strs *names, struct err *err)
{
	int code = 0;

	for (uint32_t i = 0; code == 0 && i < names->n; i++)
		code = seccomp_filter_arch(p->filter, names->v[i], err);
	return code;
}

static int fill(struct profile *p, struct err *err)
{
	int code = add_archs(p, &p->doc.architectures, err);

	for (uint32_t i = 0; code == 0 && i < p->doc.arch_map.n; i++) {
		if (streq(p->doc.arch_map.v[i].architecture, SCMP_ARCH))
			code = add_archs(p, &p->doc.arch_map.v[i].sub_architectures, err);
	}
	return code < 0 ? code : add_rules(p, err);
}

int localhost_profile(const char *state_dir, const char *name, uint64_t caps, struct buf *out,
		      struct err *err)
{
	struct profile p = { .caps = caps };
	const char *path = arena_printf(&p.a, "%s/seccomp/%s", state_dir, name);
	int r = read_profile(&p, path, err);

	if (r == 0) {
		int data = HAS(&p.doc, seccomp_document, default_errno_ret) ?
			   p.doc.default_errno_ret : -1;

		r = seccomp_filter_new(p.doc.default_action, data, &p.filter, err);
		if (r == 0)
			r = fill(&p, err);
		if (r == 0)
			r = seccomp_filter_build(p.filter, out, err);
		if (r < 0)
			err_prefix(err, "%s", path);
	}
	if (r < 0)
		err_prefix(err, "seccomp profile");
	seccomp_filter_free(p.filter);
	arena_release(&p.a);
	return r;
}
