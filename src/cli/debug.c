/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debug: an ephemeral container in a pod that runs. With -i or -t we attach to it once it runs;
 * one that has ended by then has left its log.
 */
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/pods.h"
#include "cli/print.h"

#define START_S 60
#define LOOK_NS (50 * MSEC)

/* As kubectl's, without letters that make words. */
static const char *new_name(struct cli *c)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	unsigned char random[5] = { 0 };
	char text[sizeof(random) + 1] = "";

	(void)!getrandom(random, sizeof(random), 0);
	for (size_t i = 0; i < sizeof(random); i++)
		text[i] = letters[random[i] % (sizeof(letters) - 1)];
	return arena_printf(&c->arena, "debugger-%s", text);
}

static void add_word(struct buf *path, const char *key, const char *value)
{
	buf_printf(path, "&%s=", key);
	url_encode(path, value);
}

static int create(struct cli *c, json_t *pod, const char *name)
{
	struct target t = { &kinds[KIND_POD], NULL, NULL };
	json_t *meta = json_object_get(pod, "metadata");
	BUF_AUTO path = { 0 };
	int status;

	t.name = json_text(meta, "name");
	t.ns = json_text(meta, "namespace");
	buf_printf(&path, "/apis/orch/v1%s/debug?stdin=%s&tty=%s",
		   strstr(target_path(c, &t), "/namespaces/"), c->opt.stdin_ ? "true" : "false",
		   c->opt.tty ? "true" : "false");
	add_word(&path, "name", name);
	add_word(&path, "image", c->opt.image);
	if (c->opt.target)
		add_word(&path, "target", c->opt.target);
	for (unsigned i = 0; i < c->ncommand; i++)
		add_word(&path, "command", c->command[i]);
	json_decref(fetch(c, "POST", buf_str(&path), NULL, &status));
	return status;
}

static json_t *state_of(json_t *pod, const char *name)
{
	json_t *k;
	size_t i;

	json_array_foreach(json_path(pod, "status.ephemeralContainerStatuses"), i, k)
		if (streq(json_text(k, "name"), name))
			return json_object_get(k, "state");
	return NULL;
}

/* The pod as it is when the container runs or has ended; NULL after a message. */
static json_t *wait_started(struct cli *c, json_t *pod, const char *name, int *ret_status)
{
	json_t *meta = json_object_get(pod, "metadata");
	struct target t = { &kinds[KIND_POD], json_text(meta, "name"),
			    json_text(meta, "namespace") };
	int64_t until = deadline(c, START_S, false);

	while (time_mono() < until) {
		json_t *now = fetch(c, "GET", target_path(c, &t), NULL, ret_status);
		json_t *state = state_of(now, name);

		if (!now || json_object_get(state, "running") ||
		    json_object_get(state, "terminated"))
			return now;
		json_decref(now);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
	fprintf(stderr, "error: timed out waiting for container %s to start\n", name);
	*ret_status = EXIT_ERROR;
	return NULL;
}

static int print_log(struct cli *c, json_t *pod, json_t *end, const char *name)
{
	const char *message = json_text(end, "message");

	if (streq(json_text(end, "reason"), "StartError")) {
		fprintf(stderr, "error: container %s could not be started: %s\n", name, message);
		return EXIT_ERROR;
	}
	fprintf(stderr, "warning: container %s has ended already; this is its log\n", name);
	c->args[0] = arena_strdup(&c->arena, json_text(json_object_get(pod, "metadata"), "name"));
	c->nargs = 1;
	c->opt.container = name;
	return verb_logs(c);
}

static int join(struct cli *c, json_t *created, const char *name)
{
	int status;
	json_t *pod = wait_started(c, created, name, &status);
	json_t *state = state_of(pod, name);

	if (pod)
		status = json_object_get(state, "running") ?
				 attach(c, pod, name) :
				 print_log(c, pod, json_object_get(state, "terminated"), name);
	json_decref(pod);
	return status;
}

int verb_debug(struct cli *c)
{
	int status;

	if (c->nargs != 1 || !c->opt.image) {
		fprintf(stderr, "error: expected 'debug (POD | TYPE/NAME) --image IMAGE "
			"[-- COMMAND...]'\n");
		return EXIT_ERROR;
	}
	const char *name = c->opt.container ? c->opt.container : new_name(c);
	json_t *pod = pod_of(c, c->args[0], &status);
	if (!status)
		status = image_need(c, c->opt.image);
	if (!status)
		status = create(c, pod, name);
	if (!status && !c->opt.container)
		fprintf(stderr, "Defaulting debug container name to %s.\n", name);
	if (!status && (c->opt.stdin_ || c->opt.tty))
		status = join(c, pod, name);
	json_decref(pod);
	return status;
}
