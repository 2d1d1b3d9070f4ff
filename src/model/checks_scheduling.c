/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of where pods may run: node selectors, affinity, tolerations, spread. */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"

static bool is_integer(const char *s)
{
	s += *s == '-' || *s == '+';
	return *s && !s[strspn(s, "0123456789")];
}

void check_node_requirement(struct check *c, const void *obj)
{
	const struct node_selector_requirement *r = obj;
	const char *op = node_operator_values.values[r->op];
	bool listed = r->op == NODE_IN || r->op == NODE_NOT_IN;
	bool compared = r->op == NODE_GT || r->op == NODE_LT;

	if (listed && !r->values.n)
		check_fail_at(c, "values", "operator %s needs at least one value", op);
	else if (compared && r->values.n != 1)
		check_fail_at(c, "values", "operator %s needs exactly one value", op);
	else if (compared && !is_integer(r->values.v[0]))
		check_fail_at(c, "values[0]", "\"%.60s\" is no integer, which operator %s needs",
			      r->values.v[0], op);
	else if (!listed && !compared && r->values.n)
		check_fail_at(c, "values", "operator %s takes no values", op);
}

static void check_node_field(struct check *c, const struct node_selector_requirement *r,
			     uint32_t i)
{
	char child[64];

	snprintf(child, sizeof(child), "matchFields[%u].key", i);
	if (!streq(r->key, "metadata.name"))
		check_fail_at(c, child, "\"%.60s\" is no field that nodes are chosen by; expected "
			      "metadata.name", r->key);
	snprintf(child, sizeof(child), "matchFields[%u]", i);
	if ((r->op != NODE_IN && r->op != NODE_NOT_IN) || r->values.n != 1)
		check_fail_at(c, child, "a field needs operator In or NotIn with one value");
}

void check_node_term(struct check *c, const void *obj)
{
	const struct node_selector_term *t = obj;
	char child[64];

	for (uint32_t i = 0; i < t->match_expressions.n; i++) {
		snprintf(child, sizeof(child), "matchExpressions[%u].key", i);
		check_name(c, child, NAME_QUALIFIED, t->match_expressions.v[i].key);
	}
	for (uint32_t i = 0; i < t->match_fields.n; i++)
		check_node_field(c, &t->match_fields.v[i], i);
}

static bool has_word(const struct strs *l, const char *word)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (streq(l->v[i], word))
			return true;
	}
	return false;
}

void check_pod_term(struct check *c, const void *obj)
{
	const struct pod_affinity_term *t = obj;
	char child[64];

	if (!t->label_selector && (t->match_label_keys.n || t->mismatch_label_keys.n))
		check_fail_at(c, t->match_label_keys.n ? "matchLabelKeys" : "mismatchLabelKeys",
			      "needs labelSelector");
	for (uint32_t i = 0; i < t->mismatch_label_keys.n; i++) {
		snprintf(child, sizeof(child), "mismatchLabelKeys[%u]", i);
		if (has_word(&t->match_label_keys, t->mismatch_label_keys.v[i]))
			check_fail_at(c, child, "\"%.60s\" is in matchLabelKeys, too",
				      t->mismatch_label_keys.v[i]);
	}
}

static void check_toleration_value(struct check *c, const struct toleration *t)
{
	bool compared = t->op == TOLERATION_LT || t->op == TOLERATION_GT;
	const char *value = t->value ? t->value : "";

	if (t->op == TOLERATION_EXISTS && *value)
		check_fail_at(c, "value", "operator Exists takes no value");
	else if (compared && !is_integer(value))
		check_fail_at(c, "value", "\"%.60s\" is no integer, which operator %s needs", value,
			      toleration_operator_values.values[t->op]);
	else if (!compared)
		check_name(c, "value", NAME_LABEL_VALUE, value);
}

void check_toleration(struct check *c, const void *obj)
{
	const struct toleration *t = obj;

	if (t->key && *t->key)
		check_name(c, "key", NAME_QUALIFIED, t->key);
	else if (t->op != TOLERATION_EXISTS)
		check_fail_at(c, "operator", "must be Exists when there is no key");
	check_toleration_value(c, t);
	if (HAS(t, toleration, toleration_seconds) && t->effect != TAINT_NO_EXECUTE)
		check_fail_at(c, "effect", "must be NoExecute when tolerationSeconds is set");
}

void check_spread(struct check *c, const void *obj)
{
	const struct topology_spread_constraint *t = obj;

	if (t->min_domains && t->when_unsatisfiable != UNSATISFIABLE_DO_NOT_SCHEDULE)
		check_fail_at(c, "minDomains", "is possible with DoNotSchedule only");
	if (t->match_label_keys.n && !t->label_selector)
		check_fail_at(c, "matchLabelKeys", "needs labelSelector");
}
