/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe: what all kinds have in common, head and events; see describe.h. */
#include "cli/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/macro.h"
#include "base/units.h"

void put_line(struct describe *d, unsigned level, const char *label, const char *fmt, ...)
{
	va_list ap;

	for (unsigned i = 0; i < level; i++)
		buf_puts(&d->out, "  ");
	buf_printf(&d->out, "%s\t", label);
	va_start(ap, fmt);
	buf_vprintf(&d->out, fmt, ap);
	va_end(ap);
	buf_putc(&d->out, '\n');
}

static void align(struct describe *d)
{
	tabs_align(buf_str(&d->out), 2, d->done);
	buf_release(&d->out);
}

void put_raw(struct describe *d, const char *text)
{
	align(d);
	buf_puts(d->done, text);
}

const char *text_at(struct describe *d, json_t *o, const char *path)
{
	return json_any(&d->c->arena, json_path(o, path));
}

const char *text_or(struct describe *d, json_t *o, const char *path, const char *otherwise)
{
	const char *s = text_at(d, o, path);

	return *s ? s : otherwise;
}

void put_map(struct describe *d, unsigned level, const char *label, json_t *map, const char *sep)
{
	const char *k;
	json_t *v;
	bool first = true;

	json_object_foreach(map, k, v) {
		put_line(d, level, first ? label : "", "%s%s%s", k, sep, json_any(&d->c->arena, v));
		first = false;
	}
	if (first)
		put_line(d, level, label, "<none>");
}

const char *long_time(struct describe *d, const char *rfc3339)
{
	int64_t ns;
	struct tm tm;
	char text[64];

	if (time_parse(rfc3339, &ns) < 0)
		return "<unset>";
	time_t t = (time_t)(ns / NSEC);
	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", &tm);
	return arena_strdup(&d->c->arena, text);
}

const char *labels_line(struct describe *d, json_t *map)
{
	BUF_AUTO b = { 0 };
	const char *k;
	json_t *v;

	json_object_foreach(map, k, v)
		buf_printf(&b, "%s%s=%s", b.len ? "," : "", k, json_any(&d->c->arena, v));
	return b.len ? arena_strdup(&d->c->arena, buf_str(&b)) : "<none>";
}

/* Which heads a kind has besides name, namespace, labels and annotations, and what follows. */
static const struct {
	void (*put)(struct describe *d, json_t *o);
	bool labels, created, selector_first, events;
} layouts[KIND_COUNT] = {
	[KIND_NAMESPACE] = { put_namespace, true, false, false, false },
	[KIND_RESOURCEQUOTA] = { put_quota, false, false, false, false },
	[KIND_LIMITRANGE] = { put_limit_range, false, false, false, false },
	[KIND_CONFIGMAP] = { put_configmap, true, false, false, true },
	[KIND_SECRET] = { put_secret, true, false, false, false },
	[KIND_SERVICE] = { put_service, true, false, false, true },
	[KIND_POD] = { put_pod, false, false, false, true },
	[KIND_REPLICASET] = { put_replicaset, true, false, true, true },
	[KIND_DEPLOYMENT] = { put_deployment, true, true, false, true },
	[KIND_JOB] = { put_job, true, false, true, true },
	[KIND_CRONJOB] = { put_cronjob, true, false, false, true },
	[KIND_ENDPOINTS] = { put_endpoints, true, false, false, true },
	[KIND_EVENT] = { put_event, true, false, false, false },
};

static void put_head(struct describe *d, const struct kind *k, json_t *o)
{
	put_line(d, 0, "Name:", "%s", text_at(d, o, "metadata.name"));
	if (k->namespaced)
		put_line(d, 0, "Namespace:", "%s", text_at(d, o, "metadata.namespace"));
	if (layouts[k->id].created)
		put_line(d, 0, "CreationTimestamp:", "%s",
			 long_time(d, text_at(d, o, "metadata.creationTimestamp")));
	if (layouts[k->id].selector_first)
		put_line(d, 0, "Selector:", "%s",
			 labels_line(d, json_path(o, "spec.selector.matchLabels")));
	if (!layouts[k->id].labels && layouts[k->id].put)
		return;
	put_map(d, 0, "Labels:", json_path(o, "metadata.labels"), "=");
	put_map(d, 0, "Annotations:", json_path(o, "metadata.annotations"), ": ");
}

static const char *age_of(struct describe *d, const char *rfc3339)
{
	int64_t ns;
	char text[16];

	if (time_parse(rfc3339, &ns) < 0)
		return "<unknown>";
	duration_human(MAX(time_now() - ns, (int64_t)0), text);
	return arena_strdup(&d->c->arena, text);
}

/* "12s (x3 over 5m)" */
static const char *event_age(struct describe *d, json_t *e)
{
	const char *last = age_of(d, json_text(e, "lastTimestamp"));
	long long count = json_number(e, "count");

	if (count < 2)
		return last;
	return arena_printf(&d->c->arena, "%s (x%lld over %s)", last, count,
			    age_of(d, json_text(e, "firstTimestamp")));
}

static int by_time(const void *a, const void *b)
{
	return strcmp(json_text(*(json_t *const *)a, "lastTimestamp"),
		      json_text(*(json_t *const *)b, "lastTimestamp"));
}

static void put_events(struct describe *d, json_t *items)
{
	size_t n = json_array_size(items), i;
	json_t **v = arena_array(&d->c->arena, json_t *, n + 1), *e;

	if (!n) {
		put_line(d, 0, "Events:", "<none>");
		return;
	}
	json_array_foreach(items, i, e)
		v[i] = e;
	qsort(v, n, sizeof(*v), by_time);
	buf_puts(
		&d->out,
		"Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n");
	for (i = 0; i < n; i++) {
		const char *message = json_text(v[i], "message");

		buf_printf(&d->out, "  %s\t%s\t%s\t%s\t%.*s\n", json_text(v[i], "type"),
			   json_text(v[i], "reason"), event_age(d, v[i]),
			   text_or(d, v[i], "source.component", "orchd"),
			   (int)strcspn(message, "\n"), message);
	}
}

void describe_text(struct cli *c, const struct kind *k, json_t *o, json_t *events, struct buf *out)
{
	struct describe d = { .c = c, .done = out };

	put_head(&d, k, o);
	if (layouts[k->id].put)
		layouts[k->id].put(&d, o);
	else
		put_rest(&d, o);
	if (layouts[k->id].events)
		put_events(&d, events);
	align(&d);
}

void describe_template(struct cli *c, json_t *template)
{
	BUF_AUTO out = { 0 };
	struct describe d = { .c = c, .done = &out };

	put_template(&d, template);
	align(&d);
	fputs(buf_str(&out), stdout);
}

static json_t *events_of(struct cli *c, json_t *o, int *ret_status)
{
	const char *uid = json_text(json_object_get(o, "metadata"), "uid");

	return fetch(c, "GET", arena_printf(&c->arena, "/api/v1/events?fieldSelector="
					    "involvedObject.uid%%3D%s", uid), NULL, ret_status);
}

static int describe(struct cli *c, const struct target *t, bool first)
{
	int status;
	json_t *o = fetch(c, "GET", target_path(c, t), NULL, &status), *events = NULL;
	BUF_AUTO out = { 0 };

	if (o && layouts[t->kind->id].events)
		events = events_of(c, o, &status);
	if (o && !status) {
		describe_text(c, t->kind, o, json_object_get(events, "items"), &out);
		printf("%s%s", first ? "" : "\n\n", buf_str(&out));
	}
	json_decref(events);
	json_decref(o);
	return status;
}

int verb_describe(struct cli *c)
{
	struct targets t;
	int status = targets_parse(c, 0, &t);

	if (!status)
		status = targets_expand(c, &t);
	if (!status && !t.n)
		fprintf(stderr, "No resources found in %s namespace.\n", namespace_of(c));
	for (uint32_t i = 0; !status && i < t.n; i++)
		status = describe(c, &t.v[i], !i);
	return status;
}
