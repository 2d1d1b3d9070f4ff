/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of words in lists of strings, where no row can name a word list (schema/rows.h). */
#include "base/buf.h"
#include "base/macro.h"
#include "model/checks.h"

bool check_word(struct check *c, const struct enum_type *of, const char *word)
{
	const char *const *words = of->values + 1;
	BUF_AUTO all = { 0 };

	for (const char *const *w = words; *w; w++) {
		if (streq(*w, word))
			return true;
		buf_printf(&all, "%s%s", all.len ? w[1] ? ", " : " or " : "", *w);
	}
	const char *near = suggest(word, words);
	check_fail(c, "\"%.60s\" is not %s%s%s%s", word, buf_str(&all),
		   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return false;
}

void check_optional_label(struct check *c, const void *value)
{
	if (**(const char *const *)value)
		check_dns_label(c, value);
}

void check_optional_subdomain(struct check *c, const void *value)
{
	if (**(const char *const *)value)
		check_dns_subdomain(c, value);
}

void check_label_1035(struct check *c, const void *value)
{
	check_name(c, "", NAME_LABEL_1035, *(const char *const *)value);
}
