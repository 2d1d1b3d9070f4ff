/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's environment, command and arguments, as kubelet makes them: HOME, the image's
 * variables, HOSTNAME, those of Services, envFrom, then env, later ones win. $(NAME) refers to what
 * Services, envFrom and env said before; $$ is a dollar sign, a reference to something unknown stays
 * as it is.
 */
#pragma once

#include "image/image.h"
#include "model/set.h"
#include "runtime/downward.h"

struct env_in {
	const struct object *pod;
	const struct container *container;
	const struct set *set;
	const struct image *image;
	const char *host_name, *node_name;
	const char *home;	/* HOME, unless anybody says otherwise */
	uint32_t ip, node_ip;
	struct node_size node;	/* stands for a limit that is not set */
};

struct env {
	struct strmap vars;	/* what Services, envFrom and env say */
	struct strs list;	/* all of it, NAME=VALUE */
};

int env_build(struct arena *a, const struct env_in *in, struct env *ret, struct err *err);
const char *env_expand(struct arena *a, const char *text, const struct strmap *vars);
/* The same; *ret_missing, NULL before, is the first name that nothing is known of. */
const char *env_expand_strict(struct arena *a, const char *text, const struct strmap *vars,
			      const char **ret_missing);
/* Entry point or command, and arguments; -EINVAL when there is no command at all. */
int env_command(struct arena *a, const struct env_in *in, const struct env *env, struct strs *ret,
		struct err *err);

/* One value of a ConfigMap or Secret; false when it has no such key. */
bool config_value(const struct object *o, const char *key, struct bytes *ret);
