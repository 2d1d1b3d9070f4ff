/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cp: orchd hands over the root of the container, as the container sees it, and tells its user;
 * the rest is copy.c's. Nothing runs in the container, which needs no program for it.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>

#include "base/macro.h"
#include "cli/copy.h"
#include "cli/handover.h"
#include "cli/pods.h"
#include "cli/print.h"

struct named {			/* [[NS/]POD:]PATH */
	const char *ns, *pod, *path;	/* pod NULL: here */
};

/* A colon after a slash that is no NS/POD belongs to the name of a file. */
static struct named parse(struct cli *c, const char *word)
{
	const char *colon = strchr(word, ':'), *slash = strchr(word, '/');

	if (!colon || *word == '/' || *word == '.' || (slash && slash < colon &&
	    memchr(slash + 1, '/', (size_t)(colon - slash - 1))))
		return (struct named){ NULL, NULL, word };
	if (!slash || slash > colon)
		return (struct named){ namespace_of(c),
				       arena_strndup(&c->arena, word, (size_t)(colon - word)),
				       colon + 1 };
	return (struct named){ arena_strndup(&c->arena, word, (size_t)(slash - word)),
			       arena_strndup(&c->arena, slash + 1, (size_t)(colon - slash - 1)),
			       colon + 1 };
}

static int find_container(struct cli *c, const struct named *n, const char **ret)
{
	struct target t = { &kinds[KIND_POD], n->pod, n->ns };
	struct sources s = { 0 };
	int status;
	json_t *pod = fetch(c, "GET", target_path(c, &t), NULL, &status);

	if (pod)
		status = pod_containers(c, pod, false, &s);
	if (!status)
		*ret = s.v[0].container;
	json_decref(pod);
	return status;
}

/* As the container's user, as far as we may be somebody else. */
static void take_user(struct cli *c, struct copy_side *side, json_t *user)
{
	json_t *groups = json_object_get(user, "groups"), *g;
	gid_t *list = arena_array(&c->arena, gid_t, json_array_size(groups) + 1);
	size_t i;

	if (geteuid() != 0)
		return;
	side->uid = (uid_t)json_number(user, "uid");
	side->gid = (gid_t)json_number(user, "gid");
	json_array_foreach(groups, i, g)
		list[i] = (gid_t)json_integer_value(g);
	setgroups(json_array_size(groups), list);
}

static const char *in_working_dir(struct cli *c, const char *path, json_t *user)
{
	if (*path == '/')
		return path;
	return arena_printf(&c->arena, "%s/%s", json_text(user, "workingDir"), path);
}

static int open_side(struct cli *c, const struct named *n, struct copy_side *side)
{
	const char *container = NULL;
	BUF_AUTO path = { 0 };
	struct handed h;
	json_t *user = NULL;

	*side = (struct copy_side){ -1, n->path, (uid_t)-1, (gid_t)-1 };
	if (!n->pod)
		return EXIT_DONE;
	int status = find_container(c, n, &container);
	if (status)
		return status;
	buf_printf(&path, "%s?container=", handover_path(c, n->ns, n->pod, "root"));
	url_encode(&path, container);
	status = handover(c, buf_str(&path), "orch-root", &h);
	if (status)
		return status;
	user = handover_answer(h.api);
	close(h.api);
	take_user(c, side, user);
	side->root = h.fds[0];
	side->path = in_working_dir(c, n->path, user);
	json_decref(user);
	return EXIT_DONE;
}

static void warn(const char *path, const char *what)
{
	fprintf(stderr, "warning: left out %s: %s\n", path, what);
}

int verb_cp(struct cli *c)
{
	struct copy copy = { .warn = warn };
	struct err err = { 0 };

	if (c->nargs != 2 || !*c->args[0] || !*c->args[1]) {
		fprintf(stderr,
			"error: expected 'cp [[NAMESPACE/]POD:]FROM [[NAMESPACE/]POD:]TO'\n");
		return EXIT_ERROR;
	}
	struct named from = parse(c, c->args[0]), to = parse(c, c->args[1]);
	if (!from.pod == !to.pod || !*from.path || !*to.path) {
		fprintf(stderr, "error: one of the two must be POD:PATH, the other a path here\n");
		return EXIT_ERROR;
	}
	int status = open_side(c, &from, &copy.from);
	if (!status)
		status = open_side(c, &to, &copy.to);
	if (!status && copy_tree(&copy, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		status = EXIT_ERROR;
	}
	if (copy.from.root >= 0)
		close(copy.from.root);
	if (copy.to.root >= 0)
		close(copy.to.root);
	return status;
}
