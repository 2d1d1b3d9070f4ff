/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of orch-ask-http and orch-ask-grpc; see ask.h. */
#include "runtime/ask.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/macro.h"
#include "base/units.h"

static const char *header(const struct http_get_action *h, const char *name)
{
	for (uint32_t i = 0; i < h->http_headers.n; i++)
		if (strcasecmp(h->http_headers.v[i].name, name) == 0)
			return h->http_headers.v[i].value;
	return NULL;
}

const char *ask_host_header(const struct http_get_action *h)
{
	return header(h, "Host");
}

void ask_headers(const struct http_get_action *h, struct buf *out)
{
	if (!header(h, "User-Agent"))
		buf_puts(out, "User-Agent: kube-probe/orch\r\n");
	if (!header(h, "Accept"))
		buf_puts(out, "Accept: */*\r\n");
	for (uint32_t i = 0; i < h->http_headers.n; i++)
		if (strcasecmp(h->http_headers.v[i].name, "Host") != 0)
			buf_printf(out, "%s: %s\r\n", h->http_headers.v[i].name,
				   h->http_headers.v[i].value);
}

bool ask_is_address(const char *host, uint32_t *ret)
{
	return !host || !*host || ip4_parse(host, ret) == 0;
}

bool ask_is_name(const char *host)
{
	struct in6_addr six;
	uint32_t four;

	return !ask_is_address(host, &four) && inet_pton(AF_INET6, host, &six) != 1;
}

static void add_args(struct arena *a, struct ask *to, const char *scheme, const char *host,
		     const struct shim_try *how)
{
	char address[16];

	ip4_format(how->addr, address);
	if (scheme)
		*arena_push(a, &to->args) = scheme;
	*arena_push(a, &to->args) = host && *host ? host : arena_strdup(a, address);
	*arena_push(a, &to->args) = arena_printf(a, "%u", how->port);
	to->names = ask_is_name(host);
}

static void ask_http(struct arena *a, const struct http_get_action *h, const struct shim_try *how,
		     struct ask *to)
{
	const char *path = h->path && *h->path ? h->path : "/", *host = ask_host_header(h);
	BUF_AUTO headers = { 0 };

	add_args(a, to, h->scheme == SCHEME_HTTPS ? "https" : "http", h->host, how);
	*arena_push(a, &to->args) = arena_printf(a, "%s%s", *path == '/' ? "" : "/", path);
	if (how->any_status)
		*arena_push(a, &to->args) = "any";
	ask_headers(h, &headers);
	*arena_push(a, &to->env) = arena_printf(a, "HEADERS=%s", buf_str(&headers));
	if (host)
		*arena_push(a, &to->env) = arena_printf(a, "HOST=%s", host);
}

struct ask ask_for(struct arena *a, const struct http_get_action *http,
		   const struct tcp_socket_action *tcp, const struct grpc_action *grpc,
		   const struct shim_try *how)
{
	struct ask ask = { .program = "orch-ask-http" };

	if (http) {
		ask_http(a, http, how, &ask);
	} else if (tcp && how->handler != SHIM_HANDLER_TCP) {
		add_args(a, &ask, "tcp", tcp->host, how);
		*arena_push(a, &ask.args) = "/";
	} else if (grpc) {
		ask.program = "orch-ask-grpc";
		add_args(a, &ask, NULL, NULL, how);
		*arena_push(a, &ask.env) = arena_printf(a, "SERVICE=%s",
							grpc->service ? grpc->service : "");
	} else {
		ask.program = NULL;
	}
	return ask;
}
