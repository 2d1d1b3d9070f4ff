/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pods and containers that logs and exec are about. */
#pragma once

#include "cli/cli.h"

/* A container of a pod. */
struct source {
	const char *ns, *pod, *container;
};
struct sources { struct source *v; uint32_t n; };

/* Of a pod object: the one of -c, all, or the default one. EXIT_ERROR (said): no such one. */
int pod_containers(struct cli *c, json_t *pod, bool all, struct sources *ret);
/* word: POD or TYPE/NAME. EXIT_ERROR (said): there is no such type. */
int pod_word(struct cli *c, const char *word, struct target *ret);
/* Of a workload or Service one pod is taken, if possible a ready one; NULL after a message. */
json_t *pod_of(struct cli *c, const char *word, int *ret_status);
/* attach.c: to a container of a pod object, as far as -i and -t go with it. */
int attach(struct cli *c, json_t *pod, const char *container);
/* All of them, as a list object. */
json_t *pods_of(struct cli *c, const char *word, int *ret_status);
