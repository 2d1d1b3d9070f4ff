/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe of namespaces and of what bounds them, ResourceQuotas and LimitRanges. */
#include "base/macro.h"
#include "cli/describe.h"

static const char *or_dash(struct describe *d, json_t *map, const char *key)
{
	json_t *v = json_object_get(map, key);

	return v ? json_any(&d->c->arena, v) : "-";
}

static void put_used(struct describe *d, const char *margin, json_t *quota)
{
	json_t *used = json_path(quota, "status.used"), *v;
	const char *k;

	json_object_foreach(json_path(quota, "spec.hard"), k, v)
		buf_printf(&d->out, "%s%s\t%s\t%s\n", margin, k,
			   json_object_get(used, k) ? or_dash(d, used, k) : "0",
			   json_any(&d->c->arena, v));
}

void put_quota(struct describe *d, json_t *o)
{
	json_t *scope;
	size_t i;

	json_array_foreach(json_path(o, "spec.scopes"), i, scope)
		buf_printf(&d->out, "%s%s", i ? ", " : "Scopes:\t", json_string_value(scope));
	buf_printf(&d->out, "%sResource\tUsed\tHard\n--------\t----\t----\n", i ? "\n" : "");
	put_used(d, "", o);
}

/* Resources that any column of the item has a value for. */
static json_t *resources_of(json_t *item)
{
	static const char *const columns[] = {
		"min", "max", "defaultRequest", "default", "maxLimitRequestRatio",
	};
	json_t *all = json_object(), *v;
	const char *k;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		json_object_foreach(json_object_get(item, columns[i]), k, v)
			json_object_set(all, k, v);
	return all;
}

static void put_limits(struct describe *d, json_t *o)
{
	json_t *item, *v;
	const char *k;
	size_t i;

	json_array_foreach(json_path(o, "spec.limits"), i, item) {
		json_t *all = resources_of(item);

		json_object_foreach(all, k, v)
			buf_printf(&d->out, " %s\t%s\t%s\t%s\t%s\t%s\t%s\n", json_text(item, "type"), k,
				   or_dash(d, json_object_get(item, "min"), k),
				   or_dash(d, json_object_get(item, "max"), k),
				   or_dash(d, json_object_get(item, "defaultRequest"), k),
				   or_dash(d, json_object_get(item, "default"), k),
				   or_dash(d, json_object_get(item, "maxLimitRequestRatio"), k));
		json_decref(all);
	}
}

static void put_limits_head(struct describe *d, const char *margin)
{
	buf_printf(&d->out, "%sType\tResource\tMin\tMax\tDefault Request\tDefault Limit\t"
		   "Max Limit/Request Ratio\n", margin);
	buf_printf(&d->out, "%s----\t--------\t---\t---\t---------------\t-------------\t"
		   "-----------------------\n", margin);
}

void put_limit_range(struct describe *d, json_t *o)
{
	put_limits_head(d, " ");
	put_limits(d, o);
}

static json_t *list_of(struct describe *d, enum kind_id kind, json_t *namespace)
{
	struct target t = { &kinds[kind], NULL,
			    json_text(json_object_get(namespace, "metadata"), "name") };
	int status;

	return fetch(d->c, "GET", target_path(d->c, &t), NULL, &status);
}

static void put_quotas(struct describe *d, json_t *items)
{
	json_t *q;
	size_t i;

	buf_puts(&d->out, json_array_size(items) ? "\nResource Quotas\n" : "\nNo resource quota.\n");
	json_array_foreach(items, i, q) {
		put_line(d, 1, "Name:", "%s", text_at(d, q, "metadata.name"));
		buf_puts(&d->out, "  Resource\tUsed\tHard\n  --------\t---\t---\n");
		put_used(d, "  ", q);
	}
}

static void put_limit_ranges(struct describe *d, json_t *items)
{
	json_t *r;
	size_t i;

	if (!json_array_size(items)) {
		buf_puts(&d->out, "\nNo LimitRange resource.\n");
		return;
	}
	buf_puts(&d->out, "\nResource Limits\n");
	put_limits_head(d, " ");
	json_array_foreach(items, i, r)
		put_limits(d, r);
}

void put_namespace(struct describe *d, json_t *o)
{
	json_t *quotas = list_of(d, KIND_RESOURCEQUOTA, o), *ranges = list_of(d, KIND_LIMITRANGE, o);

	put_line(d, 0, "Status:", "%s", text_or(d, o, "status.phase", "Active"));
	put_quotas(d, json_object_get(quotas, "items"));
	put_limit_ranges(d, json_object_get(ranges, "items"));
	json_decref(quotas);
	json_decref(ranges);
}
