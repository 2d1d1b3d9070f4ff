/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that orchd hands over (SCM_RIGHTS), so that it is never in the way of the bytes: those
 * of a process in a container, or of a connection into a pod.
 */
#pragma once

#include "base/sock.h"
#include "cli/cli.h"

struct handed {
	int api;		/* the connection they came over */
	int fds[SOCK_FDS_MAX];
	unsigned n;
};

/* The path of what of a pod: "/apis/orch/v1/namespaces/NS/pods/NAME/exec". */
const char *handover_path(struct cli *c, const char *ns, const char *pod, const char *what);
/* EXIT_DONE and the descriptors, or the exit status after a message. */
int handover(struct cli *c, const char *path, const char *protocol, struct handed *ret);
/* The last line that orchd says, {"exitCode":N} or {"error":"..."}: the exit status. */
int handover_ending(int api);
/* All that follows the descriptors; NULL: nothing sensible. */
json_t *handover_answer(int api);
