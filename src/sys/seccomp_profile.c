/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp_rule_add(3) and its relatives; see seccomp_profile.h. */
#include "sys/seccomp_profile.h"

#include <seccomp.h>
#include <strings.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/macro.h"

#define ARGS 6
#define FILTER_MAX (1 << 20)

struct seccomp_profile_filter {
	scmp_filter_ctx ctx;
	uint32_t action;	/* of calls without a rule */
};

static int action_of(const char *word, int data, uint32_t *ret, struct err *err)
{
	const struct {
		const char *word;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW }, { "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO((uint32_t)(data < 0 ? EPERM : data)) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE((uint32_t)(data < 0 ? 0 : data)) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (streq(actions[i].word, word)) {
			*ret = actions[i].action;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "unknown action \"%.60s\"", word);
}

int seccomp_filter_new(const char *action, int data, struct seccomp_profile_filter **ret,
		       struct err *err)
{
	uint32_t code;
	int r = action_of(action, data, &code, err);

	if (r < 0)
		return r;
	struct seccomp_profile_filter *f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	f->action = code;
	f->ctx = seccomp_init(code);
	if (!f->ctx) {
		free(f);
		return err_set(err, -EINVAL, "seccomp_init");
	}
	seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);	/* a tree instead of a chain */
	*ret = f;
	return 0;
}

void seccomp_filter_free(struct seccomp_profile_filter *f)
{
	if (!f)
		return;
	seccomp_release(f->ctx);
	free(f);
}

int seccomp_filter_arch(struct seccomp_profile_filter *f, const char *arch, struct err *err)
{
	static const char prefix[] = "SCMP_ARCH_";
	char name[32];

	if (strncmp(arch, prefix, sizeof(prefix) - 1) != 0 || strlen(arch) - sizeof(prefix) >= 24)
		return err_set(err, -EINVAL, "unknown architecture \"%.60s\"", arch);
	snprintf(name, sizeof(name), "%s", arch + sizeof(prefix) - 1);
	for (char *c = name; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	uint32_t token = seccomp_arch_resolve_name(name);
	if (!token)
		return 0;	/* of a later libseccomp */
	int r = seccomp_arch_add(f->ctx, token);
	return r < 0 && r != -EEXIST && r != -EDOM ? err_sys(err, r, "architecture %s", name) : 0;
}

static int condition_of(const struct seccomp_condition *c, struct scmp_arg_cmp *ret,
			struct err *err)
{
	static const struct {
		const char *word;
		enum scmp_compare how;
	} words[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	if (c->arg >= ARGS)
		return err_set(err, -EINVAL, "there is no argument %u", c->arg);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!streq(words[i].word, c->how))
			continue;
		*ret = (struct scmp_arg_cmp){ c->arg, words[i].how, c->value, c->mask };
		return 0;
	}
	return err_set(err, -EINVAL, "unknown comparison \"%.60s\"", c->how);
}

/* Each twice the same rule, or one for an architecture that lacks the call, is none. */
static int add(struct seccomp_profile_filter *f, const char *call, uint32_t action,
	       const struct scmp_arg_cmp *args, unsigned n, struct err *err)
{
	int nr = seccomp_syscall_resolve_name(call);

	if (nr == __NR_SCMP_ERROR || action == f->action)
		return 0;
	int r = seccomp_rule_add_array(f->ctx, action, nr, n, args);
	return r < 0 && r != -EEXIST && r != -EDOM ? err_sys(err, r, "rule for %s", call) : 0;
}

static bool any_twice(const struct seccomp_condition *c, uint32_t n)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (seen >> (c[i].arg & 31) & 1)
			return true;
		seen |= UINT32_C(1) << (c[i].arg & 31);
	}
	return false;
}

int seccomp_filter_rule(struct seccomp_profile_filter *f, const char *call, const char *action,
			int data, const struct seccomp_condition *conditions, uint32_t n,
			struct err *err)
{
	bool apart = any_twice(conditions, n);
	struct scmp_arg_cmp args[ARGS];
	uint32_t code;
	int r = action_of(action, data, &code, err);

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		r = condition_of(&conditions[i], &args[apart ? 0 : i], err);
		if (r == 0 && apart)
			r = add(f, call, code, args, 1, err);
	}
	return r < 0 || apart ? r : add(f, call, code, args, n, err);
}

int seccomp_filter_build(struct seccomp_profile_filter *f, struct buf *out, struct err *err)
{
	FD_AUTO fd = memfd_create("seccomp", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(err, -errno, "memfd_create");
	int r = seccomp_export_bpf(f->ctx, fd);
	if (r < 0)
		return err_sys(err, r, "seccomp_export_bpf");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "lseek");
	return file_read_fd(fd, "filter", FILTER_MAX, out, err);
}
