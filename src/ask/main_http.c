/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orch-ask-http SCHEME HOST PORT PATH [any]: HTTP probes and hooks, for orch-shim (ask/question.h).
 * On a connection that comes with the question the first request has been sent already. HEADERS and
 * HOST of the environment are lines for the request's head, and its header Host. SCHEME tcp: it has
 * passed once there is a connection.
 */
#include <netdb.h>
#include <stdio.h>

#include "ask/cage.h"
#include "ask/http.h"
#include "ask/question.h"
#include "base/macro.h"

#define ADDRESSES_MAX 8

struct addresses {
	struct sockaddr_storage v[ADDRESSES_MAX];
	unsigned n;
};

static int look_up(const char *host, struct addresses *to, struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;

	if (stream_address(host, &to->v[0])) {
		to->n = 1;
		return 0;
	}
	int r = getaddrinfo(host, NULL, &hints, &list);
	if (r)
		return err_set(err, -EHOSTUNREACH, "lookup %s: %s", host, gai_strerror(r));
	for (struct addrinfo *i = list; i && to->n < ADDRESSES_MAX; i = i->ai_next)
		memcpy(&to->v[to->n++], i->ai_addr, i->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

static int connect_only(struct http_request *q, struct err *err)
{
	FD_AUTO fd = -1;
	int r = -EHOSTUNREACH;

	for (unsigned i = 0; r < 0 && i < q->naddresses; i++)
		r = stream_connect(&q->addresses[i], q->url.port, &fd, err);
	return r;
}

static int ask(void *data, struct question *asked, char ret_warning[256], struct err *err)
{
	const char *const *args = asked->args;
	struct addresses to = { .n = 0 };
	const char *headers = question_env(asked, "HEADERS");
	struct http_request q = {
		.headers = headers ? headers : "", .host = question_env(asked, "HOST"),
		.answered = fd_take(&asked->connection), .any_status = args[5], .tls = data,
	};

	*ret_warning = '\0';
	q.url.tls = streq(args[1], "https");
	q.url.port = (uint16_t)strtoul(args[3], NULL, 10);
	snprintf(q.url.host, sizeof(q.url.host), "%s", args[2]);
	snprintf(q.url.target, sizeof(q.url.target), "%s", args[4]);
	int r = look_up(args[2], &to, err);
	q.addresses = to.v;
	q.naddresses = to.n;
	if (r == 0 && !asked->caged)
		r = cage_enter(err);
	if (r < 0)
		return r;
	return streq(args[1], "tcp") ? connect_only(&q, err) : http_ask(&q, ret_warning, err);
}

int main(int argc, char *argv[])
{
	struct tls_client tls = { .context = NULL };

	if (argc < 5) {
		fputs("usage: orch-ask-http SCHEME HOST PORT PATH [any]\n", stderr);
		return 2;
	}
	return question_run(argc, argv, ask, &tls);
}
