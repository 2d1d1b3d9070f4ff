/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orch-ask-grpc ADDRESS PORT: gRPC probes, for orch-shim (ask/question.h). SERVICE of the
 * environment is the name that is asked for.
 */
#include <stdio.h>

#include "ask/cage.h"
#include "ask/grpc.h"
#include "ask/question.h"
#include "ask/stream.h"
#include "ask/url.h"
#include "base/macro.h"

static int ask(void *data, struct question *q, char ret_warning[256], struct err *err)
{
	const char *service = question_env(q, "SERVICE");
	struct sockaddr_storage to;
	char authority[URL_AUTHORITY_MAX];
	struct url u = { .port = (uint16_t)strtoul(q->args[2], NULL, 10) };
	FD_AUTO fd = -1;

	(void)data;
	*ret_warning = '\0';
	if (!stream_address(q->args[1], &to))
		return err_set(err, -EINVAL, "%s is no address", q->args[1]);
	snprintf(u.host, sizeof(u.host), "%s", q->args[1]);
	url_authority(&u, authority);
	int r = q->caged ? 0 : cage_enter(err);
	if (r < 0)
		return r;
	if (stream_connect(&to, u.port, &fd, err) < 0)
		return err_prefix(err, "error: failed to connect service \"%s\"", authority);
	return grpc_health(fd, authority, service ? service : "", err);
}

int main(int argc, char *argv[])
{
	if (argc != 3) {
		fputs("usage: orch-ask-grpc ADDRESS PORT\n", stderr);
		return 2;
	}
	return question_run(argc, argv, ask, NULL);
}
