/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Room net under the control of a test: run in a network namespace of its own, it is the node.
 * One command a line on stdin, one answer a line on stdout, "ok ..." or "error ...":
 *   new POD_CIDR SERVICE_CIDR | pod | drop IP | clear | lost
 *   svc IP PROTO PORT NODE_PORT AFFINITY IP:PORT,IP:PORT... or -   (collected)
 *   apply [reset]             (the collected services become the table, "ok MICROSECONDS")
 *   bulk SERVICES ENDPOINTS   (collects as many, 10.100.0.0 upwards)
 * A pod is a child that holds a network namespace, made by the messages of net_pod_link; its
 * pid is told so that the test can put sockets there.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "base/macro.h"
#include "net/net.h"
#include "sys/netlink.h"

#define PODS 64

struct node {
	struct net *net;
	struct arena arena;
	struct { struct service_entry *v; uint32_t n; } services;
	struct { uint32_t ip; pid_t pid; } pods[PODS];
	unsigned npods;
};

static void answer(int r, const struct err *err, const char *text)
{
	if (r)
		printf("error %d %s\n", r, err->msg);
	else
		printf("ok %s\n", text);
	fflush(stdout);
}

static int node_new(struct node *n, char *args, struct buf *text, struct err *err)
{
	char pods[32], vips[32];
	struct net_settings s = { .table = "orch" };

	(void)text;
	if (sscanf(args, "%31s %31s", pods, vips) != 2 || cidr4_parse(pods, &s.pod_cidr) ||
	    cidr4_parse(vips, &s.service_cidr))
		return err_set(err, -EINVAL, "usage: new POD_CIDR SERVICE_CIDR");
	net_free(n->net);
	n->net = NULL;

	int r = net_new(&s, &n->net, err);

	for (unsigned i = 0; r == 0 && i < n->npods; i++)
		r = net_addr_claim(n->net, n->pods[i].ip);
	return r;
}

/* Tells by one byte that it is in its namespace, waits for one, configures, tells the result. */
static void pod_child(int sock, const struct buf *pod)
{
	struct err err = { 0 };
	int r = unshare(CLONE_NEWNET) < 0 ? -errno : 0;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(sock, &r, sizeof(r)) < 0 || read(sock, &c, 1) != 1)
		_exit(1);
	r = nl_send_all(pod, &err);
	if (write(sock, &r, sizeof(r)) < 0)
		_exit(1);
	close(sock);
	for (;;)
		pause();
}

static int pod_link(pid_t pid, int sock, const struct buf *host, int netns_fd, struct err *err)
{
	char path[64];
	int r = -EIO;

	if (read(sock, &r, sizeof(r)) < 0 || r)
		return err_sys(err, r, "unshare");
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);

	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, netns_fd) < 0)
		return err_sys(err, -errno, "%s", path);
	r = nl_send_all(host, err);
	close(netns_fd);
	if (r || write(sock, "", 1) != 1 || read(sock, &r, sizeof(r)) < 0 || r)
		return r ? r : -EIO;
	return 0;
}

static int node_pod(struct node *n, char *args, struct buf *text, struct err *err)
{
	BUF_AUTO host = { 0 };
	BUF_AUTO pod = { 0 };
	char name[16];
	int p[2], r;
	uint32_t ip;

	(void)args;
	if (n->npods == PODS)
		return err_set(err, -ENOSPC, "too many pods");
	r = net_addr_alloc(n->net, &ip, err);
	if (r || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
		return r ? r : -errno;
	net_pod_link(n->net, ip, 9, &host, &pod);

	pid_t pid = fork();

	if (pid == 0) {
		close(p[0]);
		pod_child(p[1], &pod);
	}
	close(p[1]);
	r = pod_link(pid, p[0], &host, 9, err);
	close(p[0]);
	n->pods[n->npods].ip = ip;
	n->pods[n->npods++].pid = pid;
	ip4_format(ip, name);
	buf_printf(text, "%s %d ", name, pid);
	net_pod_ifname(n->net, ip, name);
	buf_puts(text, name);
	return r;
}

static int node_drop(struct node *n, char *args, struct buf *text, struct err *err)
{
	uint32_t ip;

	(void)text;
	if (ip4_parse(args, &ip))
		return err_set(err, -EINVAL, "usage: drop IP");
	for (unsigned i = 0; i < n->npods; i++) {
		if (n->pods[i].ip != ip)
			continue;
		kill(n->pods[i].pid, SIGKILL);
		waitpid(n->pods[i].pid, NULL, 0);
		n->pods[i] = n->pods[--n->npods];
		net_addr_free(n->net, ip);
		return 0;
	}
	return err_set(err, -ENOENT, "no such pod");
}

static int parse_endpoints(struct arena *a, char *list, struct service_entry *e)
{
	struct { struct endpoint *v; uint32_t n; } v = { 0 };
	char *save = NULL;

	for (char *p = strtok_r(list, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		char *colon = strchr(p, ':');
		struct endpoint *ep;

		if (!colon)
			continue;
		*colon = '\0';
		ep = arena_push(a, &v);
		ep->port = (uint16_t)atoi(colon + 1);
		if (ip4_parse(p, &ep->ip))
			return -EINVAL;
	}
	e->endpoints = v.v;
	e->count = v.n;
	return 0;
}

static int node_svc(struct node *n, char *args, struct buf *text, struct err *err)
{
	char ip[32], proto[8], list[4096];
	unsigned port, node_port, affinity;
	struct service_entry *e = arena_push(&n->arena, &n->services);

	(void)text;
	if (sscanf(args, "%31s %7s %u %u %u %4095s", ip, proto, &port, &node_port, &affinity,
		   list) != 6 || ip4_parse(ip, &e->ip) || parse_endpoints(&n->arena, list, e))
		return err_set(err, -EINVAL, "usage: svc IP PROTO PORT NODE_PORT AFFINITY LIST");
	e->proto = streq(proto, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	e->port = (uint16_t)port;
	e->node_port = (uint16_t)node_port;
	e->affinity_s = affinity;
	return 0;
}

static int node_bulk(struct node *n, char *args, struct buf *text, struct err *err)
{
	unsigned services, endpoints;

	(void)text;
	if (sscanf(args, "%u %u", &services, &endpoints) != 2)
		return err_set(err, -EINVAL, "usage: bulk SERVICES ENDPOINTS");
	for (unsigned i = 0; i < services; i++) {
		struct endpoint *v = arena_array(&n->arena, struct endpoint, endpoints);

		for (unsigned k = 0; k < endpoints; k++)
			v[k] = (struct endpoint){ 0x0af40100u + (i * endpoints + k) % 60000, 80 };
		*(struct service_entry *)arena_push(&n->arena, &n->services) =
			(struct service_entry){ .ip = 0x0a640000u + i, .proto = IPPROTO_TCP,
						.port = 80, .endpoints = v, .count = endpoints };
	}
	return 0;
}

static int node_apply(struct node *n, char *args, struct buf *text, struct err *err)
{
	int64_t start = time_mono();
	int r = net_services(n->net, n->services.v, n->services.n, streq(args, "reset"), err);

	buf_printf(text, "%lld", (long long)(time_mono() - start) / 1000);
	arena_release(&n->arena);
	n->arena = (struct arena){ 0 };
	n->services.v = NULL;
	n->services.n = 0;
	return r;
}

static int node_clear(struct node *n, char *args, struct buf *text, struct err *err)
{
	(void)args;
	(void)text;
	return net_clear(n->net, err);
}

static int node_lost(struct node *n, char *args, struct buf *text, struct err *err)
{
	(void)args;
	(void)err;
	buf_puts(text, net_lost(n->net) ? "yes" : "no");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct node *n, char *args, struct buf *text, struct err *err);
} commands[] = {
	{ "new", node_new }, { "pod", node_pod }, { "drop", node_drop }, { "svc", node_svc },
	{ "bulk", node_bulk }, { "apply", node_apply }, { "clear", node_clear },
	{ "lost", node_lost },
};

static void node_command(struct node *n, char *line)
{
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	char *args = line + strcspn(line, " \n");
	int r = -EINVAL;

	line[strcspn(line, "\n")] = '\0';
	if (*args)
		*args++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(line, commands[i].name))
			r = commands[i].run(n, args, &text, &err);
	answer(r, &err, buf_str(&text));
}

int main(void)
{
	struct node n = { 0 };
	char line[8192];

	while (fgets(line, sizeof(line), stdin))
		node_command(&n, line);
	while (n.npods) {
		kill(n.pods[--n.npods].pid, SIGKILL);
		waitpid(n.pods[n.npods].pid, NULL, 0);
	}
	arena_release(&n.arena);
	net_free(n.net);
	return 0;
}
