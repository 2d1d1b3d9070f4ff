/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes and hooks; see probe.h. HTTP requests are written here, the shim only sends them. */
#include "runtime/probe.h"

#include <stdio.h>
#include <strings.h>

#include "base/macro.h"
#include "base/units.h"

const struct probe *probe_of(const struct container *c, enum shim_probe_kind kind)
{
	const struct probe *const probes[SHIM_PROBES] = {
		[SHIM_READINESS] = c->readiness_probe,
		[SHIM_LIVENESS] = c->liveness_probe,
		[SHIM_STARTUP] = c->startup_probe,
	};

	const struct probe *p = probes[kind];

	/* one that only a handler that is not there would answer is as if it always passed */
	return p && (p->exec || p->http_get || p->tcp_socket) ? p : NULL;
}

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

static bool has_header(const struct http_get_action *h, const char *name)
{
	for (uint32_t i = 0; i < h->http_headers.n; i++)
		if (strcasecmp(h->http_headers.v[i].name, name) == 0)
			return true;
	return false;
}

static void request_text(const struct http_get_action *h, uint32_t ip, uint16_t port,
			 struct buf *out)
{
	const char *path = h->path && *h->path ? h->path : "/";
	char host[16];

	ip4_format(ip, host);
	buf_printf(out, "GET %s%s HTTP/1.1\r\n", *path == '/' ? "" : "/", path);
	if (!has_header(h, "Host"))
		buf_printf(out, "Host: %s:%u\r\n", host, port);
	if (!has_header(h, "User-Agent"))
		buf_puts(out, "User-Agent: kube-probe/orch\r\n");
	if (!has_header(h, "Accept"))
		buf_puts(out, "Accept: */*\r\n");
	for (uint32_t i = 0; i < h->http_headers.n; i++)
		buf_printf(out, "%s: %s\r\n", h->http_headers.v[i].name,
			   h->http_headers.v[i].value);
	buf_puts(out, "Connection: close\r\n\r\n");
}

static int http_request(const struct container *c, const struct http_get_action *h,
			struct shim_try *how, struct err *err)
{
	BUF_AUTO text = { 0 };

	request_text(h, how->addr, how->port, &text);
	if (text.len >= sizeof(how->request))
		return err_set(err, -E2BIG,
			       "container %s: the request of a probe or hook is larger than %zu bytes",
			       c->name, sizeof(how->request) - 1);
	memcpy(how->request, text.data, text.len + 1);
	return 0;
}

/* Fills what depends on the handler; the timeout is the caller's. */
static int fill_try(const struct container *c, const struct exec_action *exec,
		    const struct http_get_action *http, const struct tcp_socket_action *tcp,
		    struct shim_try *how, struct err *err)
{
	const struct intstr *port = http ? &http->port : tcp ? &tcp->port : NULL;
	bool plain = http && http->scheme != SCHEME_HTTPS;	/* HTTPS: only connected to */

	how->handler = exec ? SHIM_HANDLER_EXEC : plain ? SHIM_HANDLER_HTTP :
		       http || tcp ? SHIM_HANDLER_TCP : SHIM_HANDLER_NONE;
	if (port && !(how->port = port_number(c, port)))
		return err_set(err, -EINVAL,
			       "container %s: a probe or hook names the port %s, which it does not have",
			       c->name, port->str ? port->str : "0");
	return plain ? http_request(c, http, how, err) : 0;
}

int probe_order(const struct container *c, enum shim_probe_kind kind, uint32_t ip,
		struct shim_probe *ret, struct err *err)
{
	const struct probe *p = probe_of(c, kind);

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
	return fill_try(c, p->exec, p->http_get, p->tcp_socket, &ret->how, err);
}

const struct lifecycle_handler *hook_of(const struct container *c, enum shim_hook_kind kind)
{
	if (!c->lifecycle)
		return NULL;
	return kind == SHIM_POST_START ? c->lifecycle->post_start : c->lifecycle->pre_stop;
}

/* As with kubelet, a TCP hook does nothing, and whatever an HTTP server answers is fine. */
int hook_order(const struct container *c, enum shim_hook_kind kind, uint32_t ip,
	       struct shim_hook *ret, struct err *err)
{
	const struct lifecycle_handler *h = hook_of(c, kind);

	*ret = (struct shim_hook){ .kind = kind, .how = { .addr = ip, .any_status = true } };
	snprintf(ret->name, sizeof(ret->name), "%s", c->name);
	if (h && h->sleep) {
		ret->how.handler = SHIM_HANDLER_SLEEP;
		ret->how.timeout_ms = (uint32_t)MIN(MAX(h->sleep->seconds, 0) * 1000, UINT32_MAX);
		ret->how.timeout_ms = MAX(ret->how.timeout_ms, 1U);
	}
	return h && !h->sleep ? fill_try(c, h->exec, h->http_get, NULL, &ret->how, err) : 0;
}
