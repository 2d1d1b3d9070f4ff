/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pod, which container; see pods.h. */
#include "cli/pods.h"

#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"

#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"

static void add(struct cli *c, struct sources *s, json_t *pod, const char *container)
{
	json_t *meta = json_object_get(pod, "metadata");

	*arena_push(&c->arena, s) = (struct source){
		arena_strdup(&c->arena, json_text(meta, "namespace")),
		arena_strdup(&c->arena, json_text(meta, "name")),
		arena_strdup(&c->arena, container),
	};
}

/* In the order in which they run. */
static const struct {
	const char *path, *mark;
} lists[] = {
	{ "spec.initContainers", " (init)" },
	{ "spec.containers", "" },
	{ "spec.ephemeralContainers", " (ephem)" },
};

static bool has_container(json_t *pod, const char *name)
{
	json_t *k;
	size_t i;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_path(pod, lists[l].path), i, k)
			if (streq(json_text(k, "name"), name))
				return true;
	return false;
}

static const char *names_of(struct cli *c, json_t *pod)
{
	BUF_AUTO b = { 0 };
	json_t *k;
	size_t i;

	for (size_t l = 1; l <= ARRAY_SIZE(lists); l++)		/* init containers last */
		json_array_foreach(json_path(pod, lists[l % ARRAY_SIZE(lists)].path), i, k)
			buf_printf(&b, "%s%s%s", b.len ? ", " : "", json_text(k, "name"),
				   lists[l % ARRAY_SIZE(lists)].mark);
	return arena_strdup(&c->arena, buf_str(&b));
}

static const char *default_container(struct cli *c, json_t *pod)
{
	const char *wanted = json_text(json_path(pod, "metadata.annotations"), DEFAULT_CONTAINER);
	json_t *containers = json_path(pod, "spec.containers");

	if (has_container(pod, wanted))
		return wanted;
	const char *first = json_text(json_array_get(containers, 0), "name");
	if (json_array_size(containers) + json_array_size(json_path(pod, "spec.initContainers")) > 1)
		fprintf(stderr, "Defaulted container \"%s\" out of: %s\n", first, names_of(c, pod));
	return first;
}

static void add_all(struct cli *c, struct sources *s, json_t *pod)
{
	json_t *k;
	size_t i;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_path(pod, lists[l].path), i, k)
			add(c, s, pod, json_text(k, "name"));
}

int pod_containers(struct cli *c, json_t *pod, bool all, struct sources *ret)
{
	if (c->opt.container && !has_container(pod, c->opt.container)) {
		fprintf(stderr, "error: container %s is not valid for pod %s out of: %s\n",
			c->opt.container, json_text(json_object_get(pod, "metadata"), "name"),
			names_of(c, pod));
		return EXIT_ERROR;
	}
	if (c->opt.container)
		add(c, ret, pod, c->opt.container);
	else if (all)
		add_all(c, ret, pod);
	else
		add(c, ret, pod, default_container(c, pod));
	return EXIT_DONE;
}

/* Pods of a workload or Service: those that its selector chooses. */
static json_t *selected_pods(struct cli *c, const struct target *t, int *ret_status)
{
	json_t *o = fetch(c, "GET", target_path(c, t), NULL, ret_status), *v;
	json_t *labels = json_path(o, "spec.selector.matchLabels");
	BUF_AUTO path = { 0 };
	BUF_AUTO selector = { 0 };
	const char *k;

	if (!o)
		return NULL;
	if (!labels)
		labels = json_path(o, "spec.selector");
	json_object_foreach(labels, k, v)
		if (json_is_string(v))
			buf_printf(&selector, "%s%s=%s", selector.len ? "," : "", k,
				   json_string_value(v));
	json_decref(o);
	if (!selector.len) {
		fprintf(stderr, "error: %s/%s has no selector for pods\n", t->kind->singular,
			t->name);
		*ret_status = EXIT_ERROR;
		return NULL;
	}
	struct target pods = { &kinds[KIND_POD], NULL, namespace_of(c) };
	buf_printf(&path, "%s?labelSelector=", target_path(c, &pods));
	url_encode(&path, buf_str(&selector));
	return fetch(c, "GET", buf_str(&path), NULL, ret_status);
}

static bool is_ready(json_t *pod)
{
	json_t *k;
	size_t i;

	json_array_foreach(json_path(pod, "status.conditions"), i, k)
		if (streq(json_text(k, "type"), "Ready"))
			return streq(json_text(k, "status"), "True");
	return false;
}

/* The first that is ready, else the first that runs, else the first; a new reference. */
static json_t *best_pod(json_t *list)
{
	json_t *items = json_object_get(list, "items"), *o;
	size_t i;

	json_array_foreach(items, i, o)
		if (is_ready(o))
			return json_incref(o);
	json_array_foreach(items, i, o)
		if (streq(json_text(json_object_get(o, "status"), "phase"), "Running"))
			return json_incref(o);
	return json_incref(json_array_get(items, 0));
}

int pod_word(struct cli *c, const char *word, struct target *ret)
{
	const char *slash = strchr(word, '/');
	const char *type = slash ? arena_strndup(&c->arena, word, (size_t)(slash - word)) : "pod";

	*ret = (struct target){ kind_by_word(type), slash ? slash + 1 : word, NULL };
	if (ret->kind)
		return EXIT_DONE;
	fprintf(stderr, "error: the server doesn't have a resource type \"%s\"\n", type);
	return EXIT_ERROR;
}

static json_t *pods_of_target(struct cli *c, const struct target *t, int *ret_status)
{
	json_t *list = selected_pods(c, t, ret_status);

	if (list && !json_array_size(json_object_get(list, "items"))) {
		fprintf(stderr, "error: no pods of %s/%s\n", t->kind->singular, t->name);
		*ret_status = EXIT_ERROR;
	}
	return list;
}

json_t *pod_of(struct cli *c, const char *word, int *ret_status)
{
	struct target t;

	*ret_status = pod_word(c, word, &t);
	if (*ret_status)
		return NULL;
	if (t.kind->id == KIND_POD)
		return fetch(c, "GET", target_path(c, &t), NULL, ret_status);
	json_t *list = pods_of_target(c, &t, ret_status);
	json_t *pod = best_pod(list);
	if (json_array_size(json_object_get(list, "items")) > 1)
		fprintf(stderr, "Found %zu pods, using pod/%s\n",
			json_array_size(json_object_get(list, "items")),
			json_text(json_object_get(pod, "metadata"), "name"));
	json_decref(list);
	return pod;
}

json_t *pods_of(struct cli *c, const char *word, int *ret_status)
{
	struct target t;

	*ret_status = pod_word(c, word, &t);
	if (*ret_status)
		return NULL;
	if (t.kind->id != KIND_POD)
		return pods_of_target(c, &t, ret_status);
	json_t *pod = fetch(c, "GET", target_path(c, &t), NULL, ret_status);
	return pod ? json_pack("{s:[o]}", "items", pod) : NULL;
}
