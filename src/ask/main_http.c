/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orch-ask-http SCHEME HOST PORT PATH [any]: one HTTP probe or hook, for orch-shim. With a socket
 * as standard input the first request has been sent there already. HEADERS and HOST of the
 * environment are lines for the request's head, and its header Host. Says on standard output why it
 * failed, exit code 1, or with what warning it passed. SCHEME tcp: it has passed once there is a
 * connection.
 */
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/stat.h>

#include "ask/cage.h"
#include "ask/http.h"
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

/* The connection that the shim has begun; it is not blocking, as the shim's are not. */
static int connection_given(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0 || !S_ISSOCK(st.st_mode))
		return -1;
	setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVLOWAT, &(int){ 1 }, sizeof(int));
	fcntl(STDIN_FILENO, F_SETFL, 0);
	return STDIN_FILENO;
}

static int connect_only(struct http_request *q, struct err *err)
{
	int r = -EHOSTUNREACH, fd = -1;

	for (unsigned i = 0; r < 0 && i < q->naddresses; i++)
		r = stream_connect(&q->addresses[i], q->url.port, &fd, err);
	return r;
}

static int ask(char *argv[], struct http_request *q, char warning[256], struct err *err)
{
	struct addresses to = { .n = 0 };

	q->url.tls = streq(argv[1], "https");
	q->url.port = (uint16_t)strtoul(argv[3], NULL, 10);
	snprintf(q->url.host, sizeof(q->url.host), "%s", argv[2]);
	snprintf(q->url.target, sizeof(q->url.target), "%s", argv[4]);
	int r = look_up(argv[2], &to, err);
	q->addresses = to.v;
	q->naddresses = to.n;
	if (r == 0)
		r = cage_enter(err);
	if (r == 0)
		r = streq(argv[1], "tcp") ? connect_only(q, err) : http_ask(q, warning, err);
	return r;
}

int main(int argc, char *argv[])
{
	struct http_request q = {
		.headers = getenv("HEADERS"), .host = getenv("HOST"), .answered = -1,
	};
	char warning[256] = "";
	struct err err = { 0 };

	if (argc < 5) {
		fputs("usage: orch-ask-http SCHEME HOST PORT PATH [any]\n", stderr);
		return 2;
	}
	q.headers = q.headers ? q.headers : "";
	q.any_status = argc > 5;
	q.answered = connection_given();
	int r = ask(argv, &q, warning, &err);
	fputs(r < 0 ? err.msg : warning, stdout);
	return r < 0;
}
