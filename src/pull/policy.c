/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which images may be used: the rows of orchd.yaml, of which the one with the longest match counts.
 * Nothing is asked of a registry whose images are refused, whatever they are.
 */
#include "base/macro.h"
#include "pull/fetcher.h"

/* "ghcr.io/x" is for ghcr.io/x/y:tag, not for ghcr.io/xy. */
static bool begins_with(const char *name, const char *match)
{
	size_t n = strlen(match);

	return !n || (strncmp(name, match, n) == 0 && (!name[n] || strchr("/:@", name[n])));
}

static bool row_matches(struct fetcher *f, const struct pull_rule *p,
			const char *const *digests)
{
	if (begins_with(f->ref.name, p->match))
		return true;
	for (; f->ref.host && *digests; digests++)
		if (streq(p->match, arena_printf(&f->arena, "%s/%s@%s", f->ref.host, f->ref.path,
						 *digests)))
			return true;
	return false;
}

static bool names_digest(struct fetcher *f)
{
	for (uint32_t i = 0; i < f->job->policies.n; i++)
		if (strchr(f->job->policies.v[i].match, '@'))
			return true;
	return false;
}

int policy_check(struct fetcher *f, const char *const *digests, struct err *err)
{
	const struct pull_rule *best = NULL;
	int r = 0;

	for (uint32_t i = 0; i < f->job->policies.n; i++) {
		const struct pull_rule *p = &f->job->policies.v[i];

		if (row_matches(f, p, digests) &&
		    (!best || strlen(p->match) > strlen(best->match)))
			best = p;
	}
	if (!best || best->verdict == PULL_ACCEPT || (!*digests && names_digest(f)))
		return 0;
	if (best->verdict == PULL_REJECT)
		r = err_set(err, -EACCES, "the policy for \"%s\" refuses it", best->match);
	else if (*digests)
		r = signature_check(f, best->key, digests, err);
	if (r < 0)
		f->reason = "SignatureValidationFailed";
	return r;
}
