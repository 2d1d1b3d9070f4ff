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

static bool has_container(json_t *containers, const char *name)
{
	json_t *k;
	size_t i;

	json_array_foreach(containers, i, k)
		if (streq(json_text(k, "name"), name))
			return true;
	return false;
}

static const char *names_of(struct cli *c, json_t *containers)
{
	BUF_AUTO b = { 0 };
	json_t *k;
	size_t i;

	json_array_foreach(containers, i, k)
		buf_printf(&b, "%s%s", i ? ", " : "", json_text(k, "name"));
	return arena_strdup(&c->arena, buf_str(&b));
}

static const char *default_container(struct cli *c, json_t *pod, json_t *containers)
{
	const char *wanted = json_text(json_path(pod, "metadata.annotations"), DEFAULT_CONTAINER);

	if (has_container(containers, wanted))
		return wanted;
	const char *first = json_text(json_array_get(containers, 0), "name");
	if (json_array_size(containers) > 1)
		fprintf(stderr, "Defaulted container \"%s\" out of: %s\n", first,
			names_of(c, containers));
	return first;
}

int pod_containers(struct cli *c, json_t *pod, bool all, struct sources *ret)
{
	json_t *containers = json_path(pod, "spec.containers"), *k;
	size_t i;

	if (c->opt.container && !has_container(containers, c->opt.container)) {
		fprintf(stderr, "error: container %s is not valid for pod %s out of: %s\n",
			c->opt.container, json_text(json_object_get(pod, "metadata"), "name"),
			names_of(c, containers));
		return EXIT_ERROR;
	}
	if (c->opt.container)
		add(c, ret, pod, c->opt.container);
	else if (!all)
		add(c, ret, pod, default_container(c, pod, containers));
	else
		json_array_foreach(containers, i, k)
			add(c, ret, pod, json_text(k, "name"));
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

/* The first that runs, else the first; a new reference. */
static json_t *best_pod(json_t *list)
{
	json_t *items = json_object_get(list, "items"), *o;
	size_t i;

	json_array_foreach(items, i, o)
		if (streq(json_text(json_object_get(o, "status"), "phase"), "Running"))
			return json_incref(o);
	return json_incref(json_array_get(items, 0));
}

json_t *pod_of(struct cli *c, const char *word, int *ret_status)
{
	const char *slash = strchr(word, '/');
	const char *type = slash ? arena_strndup(&c->arena, word, (size_t)(slash - word)) : "pod";
	struct target t = { kind_by_word(type), slash ? slash + 1 : word, NULL };

	*ret_status = EXIT_ERROR;
	if (!t.kind) {
		fprintf(stderr, "error: the server doesn't have a resource type \"%s\"\n", type);
		return NULL;
	}
	if (t.kind->id == KIND_POD)
		return fetch(c, "GET", target_path(c, &t), NULL, ret_status);
	json_t *list = selected_pods(c, &t, ret_status);
	json_t *pod = best_pod(list);
	if (list && json_array_size(json_object_get(list, "items")) > 1)
		fprintf(stderr, "Found %zu pods, using pod/%s\n",
			json_array_size(json_object_get(list, "items")),
			json_text(json_object_get(pod, "metadata"), "name"));
	if (list && !pod) {
		fprintf(stderr, "error: no pods of %s/%s\n", t.kind->singular, t.name);
		*ret_status = EXIT_ERROR;
	}
	json_decref(list);
	return pod;
}
