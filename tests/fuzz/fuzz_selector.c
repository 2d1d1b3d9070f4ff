/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Label selectors: what is printed is read back as the same selector, and both say the same of
 * some labels; an error has a message.
 */
#include "base/macro.h"
#include "fuzz.h"
#include "model/object.h"
#include "schema/schema.h"

static const char *print(const struct label_selector *s, struct buf *out)
{
	buf_reset(out);
	selector_print(s, out);
	return buf_str(out);
}

/* Labels that the selector may know: all its plain ones, and one of a key of its own. */
static struct strmap some_labels(struct arena *a, const struct label_selector *s)
{
	struct strmap labels = { 0 };

	for (uint32_t i = 0; i < s->match_labels.n; i++)
		strmap_set(a, &labels, s->match_labels.v[i].k, s->match_labels.v[i].v);
	for (uint32_t i = 0; i < s->match_expressions.n; i += 2) {
		const struct selector_requirement *r = &s->match_expressions.v[i];
		strmap_set(a, &labels, r->key, r->values.n ? r->values.v[0] : "x");
	}
	return labels;
}

static void check_identity(struct arena *a, const struct label_selector *s)
{
	struct label_selector again;
	BUF_AUTO one = { 0 };
	BUF_AUTO two = { 0 };
	struct err err;

	if (!s->match_labels.n && !s->match_expressions.n)
		return;
	const char *text = print(s, &one);
	fuzz_check(selector_parse(a, text, &again, &err) == 0, "%s: %s", text, err.msg);
	fuzz_check(streq(text, print(&again, &two)), "%s becomes %s", text, buf_str(&two));
	struct strmap labels = some_labels(a, s), none = { 0 };
	fuzz_check(selector_matches(s, &labels) == selector_matches(&again, &labels), "%s", text);
	fuzz_check(selector_matches(s, &none) == selector_matches(&again, &none), "%s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct label_selector s;
	struct err err = { 0 };
	FREE_AUTO char *text = fuzz_string(data, size);

	if (selector_parse(&a, text, &s, &err) == 0)
		check_identity(&a, &s);
	else
		fuzz_check(err.msg[0], "no message");
	arena_release(&a);
	return 0;
}
