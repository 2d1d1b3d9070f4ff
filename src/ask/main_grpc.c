/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orch-ask-grpc ADDRESS PORT: one gRPC probe, for orch-shim. SERVICE of the environment is the name
 * that is asked for. Says on standard output why it failed, exit code 1.
 */
#include <stdio.h>

#include "ask/cage.h"
#include "ask/grpc.h"
#include "ask/stream.h"
#include "ask/url.h"
#include "base/macro.h"

static int ask(const char *host, uint16_t port, const char *service, struct err *err)
{
	struct sockaddr_storage to;
	char authority[URL_AUTHORITY_MAX];
	struct url u = { .port = port };
	int fd = -1;

	if (!stream_address(host, &to))
		return err_set(err, -EINVAL, "%s is no address", host);
	snprintf(u.host, sizeof(u.host), "%s", host);
	url_authority(&u, authority);
	int r = cage_enter(err);
	if (r < 0)
		return r;
	if (stream_connect(&to, port, &fd, err) < 0)
		return err_prefix(err, "error: failed to connect service \"%s\"", authority);
	return grpc_health(fd, authority, service, err);
}

int main(int argc, char *argv[])
{
	const char *service = getenv("SERVICE");
	struct err err = { 0 };

	if (argc != 3) {
		fputs("usage: orch-ask-grpc ADDRESS PORT\n", stderr);
		return 2;
	}
	int r = ask(argv[1], (uint16_t)strtoul(argv[2], NULL, 10), service ? service : "", &err);
	if (r < 0)
		fputs(err.msg, stdout);
	return r < 0;
}
