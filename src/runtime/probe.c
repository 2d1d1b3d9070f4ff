/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes and hooks; see probe.h. HTTP requests are written here, the shim only sends them. */
#include "runtime/probe.h"

#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"

const struct probe *probe_of(const struct container *c, enum shim_probe_kind kind)
{
	const struct probe *const probes[SHIM_PROBES] = {
		[SHIM_READINESS] = c->readiness_probe,
		[SHIM_LIVENESS] = c->liveness_probe,
		[SHIM_STARTUP] = c->startup_probe,
	};

	return probes[kind];
}

/* What there is to do: all but one are NULL. */
struct probe_parts {
	const struct exec_action *exec;
	const struct http_get_action *http;
	const struct tcp_socket_action *tcp;
	const struct grpc_action *grpc;
};

static uint32_t ms(int32_t seconds)
{
	return (uint32_t)MIN((int64_t)MAX(seconds, 0) * 1000, (int64_t)UINT32_MAX);
}

static uint32_t at_least_1(int32_t v)
{
	return (uint32_t)MAX(v, 1);
}

/* A name is one of this container's own ports; 0: there is none. */
static uint16_t port_number(const struct container *c, const struct intstr *port)
{
	if (!port->str)
		return (uint16_t)port->num;
	for (uint32_t i = 0; i < c->ports.n; i++)
		if (c->ports.v[i].name && streq(c->ports.v[i].name, port->str))
			return (uint16_t)c->ports.v[i].container_port;
	return 0;
}

static void request_text(const struct http_get_action *h, const struct shim_try *how,
			 struct buf *out)
{
	const char *path = h->path && *h->path ? h->path : "/", *host = ask_host_header(h);
	char address[16];

	ip4_format(how->addr, address);
	buf_printf(out, "GET %s%s HTTP/1.1\r\n", *path == '/' ? "" : "/", path);
	if (host)
		buf_printf(out, "Host: %s\r\n", host);
	else
		buf_printf(out, "Host: %s:%u\r\n", address, how->port);
	ask_headers(h, out);
	buf_puts(out, "Connection: close\r\n\r\n");
}

static int http_request(const struct container *c, const struct http_get_action *h,
			struct shim_try *how, struct err *err)
{
	BUF_AUTO text = { 0 };

	request_text(h, how, &text);
	if (text.len >= sizeof(how->request))
		return err_set(err, -E2BIG,
			       "container %s: the request of a probe or hook is larger than %zu bytes",
			       c->name, sizeof(how->request) - 1);
	memcpy(how->request, text.data, text.len + 1);
	return 0;
}

/* One that goes to another host, or by TLS, is not for the shim. */
static void choose_network(const struct probe_parts *p, struct shim_try *how)
{
	const char *host = p->http ? p->http->host : p->tcp ? p->tcp->host : NULL;
	uint32_t addr = how->addr;
	bool own = ask_is_address(host, &addr);

	if (p->grpc || !own || (p->http && p->http->scheme == SCHEME_HTTPS))
		how->handler = ask_is_name(host) ? SHIM_HANDLER_OUTSIDE : SHIM_HANDLER_ASK;
	else
		how->handler = p->http ? SHIM_HANDLER_HTTP : SHIM_HANDLER_TCP;
	if (own)
		how->addr = addr;
}

/* Fills what depends on the handler; the timeout is the caller's. */
static int fill_try(const struct container *c, const struct probe_parts *p, struct shim_try *how,
		    struct err *err)
{
	struct intstr grpc = { .num = p->grpc ? p->grpc->port : 0 };
	const struct intstr *port = p->http ? &p->http->port : p->tcp ? &p->tcp->port :
				    p->grpc ? &grpc : NULL;

	if (p->exec)
		how->handler = SHIM_HANDLER_EXEC;
	if (!port)
		return 0;
	choose_network(p, how);
	if (!(how->port = port_number(c, port)))
		return err_set(err, -EINVAL,
			       "container %s: a probe or hook names the port %s, which it does not have",
			       c->name, port->str ? port->str : "0");
	return how->handler == SHIM_HANDLER_HTTP ? http_request(c, p->http, how, err) : 0;
}

int probe_order(struct arena *a, const struct container *c, enum shim_probe_kind kind, uint32_t ip,
		struct shim_probe *ret, struct ask *ret_ask, struct err *err)
{
	const struct probe *p = probe_of(c, kind);
	const struct probe_parts parts = { p->exec, p->http_get, p->tcp_socket, p->grpc };

	*ret = (struct shim_probe){
		.kind = kind,
		.initial_delay_ms = ms(p->initial_delay_seconds),
		.period_ms = ms(p->period_seconds ? p->period_seconds : 10),
		.success_threshold = at_least_1(p->success_threshold),
		.failure_threshold = p->failure_threshold ? at_least_1(p->failure_threshold) : 3,
		.how.timeout_ms = ms(p->timeout_seconds ? p->timeout_seconds : 1),
		.how.addr = ip,
	};
	snprintf(ret->name, sizeof(ret->name), "%s", c->name);
	int r = fill_try(c, &parts, &ret->how, err);
	*ret_ask = ask_for(a, parts.http, parts.tcp, parts.grpc, &ret->how);
	return r;
}

const struct lifecycle_handler *hook_of(const struct container *c, enum shim_hook_kind kind)
{
	if (!c->lifecycle)
		return NULL;
	return kind == SHIM_POST_START ? c->lifecycle->post_start : c->lifecycle->pre_stop;
}

/* As with kubelet, a TCP hook fails, and whatever an HTTP server answers is fine. */
int hook_order(struct arena *a, const struct container *c, enum shim_hook_kind kind, uint32_t ip,
	       struct shim_hook *ret, struct ask *ret_ask, struct err *err)
{
	const struct lifecycle_handler *h = hook_of(c, kind);
	const struct probe_parts parts = {
		.exec = h && !h->sleep ? h->exec : NULL, .http = h && !h->sleep ? h->http_get : NULL,
	};

	*ret = (struct shim_hook){ .kind = kind, .how = { .addr = ip, .any_status = true } };
	snprintf(ret->name, sizeof(ret->name), "%s", c->name);
	if (h && h->sleep) {
		ret->how.handler = SHIM_HANDLER_SLEEP;
		ret->how.timeout_ms = (uint32_t)MIN(MAX(h->sleep->seconds, 0) * 1000, UINT32_MAX);
		ret->how.timeout_ms = MAX(ret->how.timeout_ms, 1U);
	}
	if (h && h->tcp_socket) {
		ret->how.handler = SHIM_HANDLER_FAIL;
		snprintf(ret->how.request, sizeof(ret->how.request), "invalid handler: tcpSocket");
	}
	int r = fill_try(c, &parts, &ret->how, err);
	*ret_ask = ask_for(a, parts.http, NULL, NULL, &ret->how);
	return r;
}
