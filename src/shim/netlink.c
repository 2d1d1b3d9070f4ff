/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends rtnetlink(7) requests that somebody else has written, one by one, and waits for each
 * acknowledgement: what follows a failed request would only hide the reason. The socket to the
 * host's network namespace was opened before the pod got one of its own.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "shim/netlink.h"
#include "shim/ops.h"
#include "shim/text.h"

int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return fd;
}

/* The kernel's words about an error, NLMSGERR_ATTR_MSG after the (capped) request. */
static void blame_kernel(struct prog_run *x, const struct nlmsghdr *answer)
{
	const char *p = (const char *)NLMSG_DATA(answer) + sizeof(struct nlmsgerr);
	const char *end = (const char *)answer + answer->nlmsg_len;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	while (p + sizeof(struct nlattr) <= end) {
		const struct nlattr *a = (const struct nlattr *)p;
		if (a->nla_len < sizeof(*a) || p + a->nla_len > end)
			return;
		if (a->nla_type == NLMSGERR_ATTR_MSG)
			step_blame(x, p + sizeof(*a));
		p += NLA_ALIGN(a->nla_len);
	}
}

static int await_answer(struct prog_run *x, int fd, uint32_t seq)
{
	char data[4096] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = recv(fd, data, sizeof(data), 0);
		if (n < 0)
			return -errno;
		const struct nlmsghdr *h = (const struct nlmsghdr *)data;
		if (!NLMSG_OK(h, (size_t)n) || h->nlmsg_seq != seq || h->nlmsg_type != NLMSG_ERROR)
			continue;
		int error = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (error)
			blame_kernel(x, h);
		return error;
	}
}

static int send_all(struct prog_run *x, int fd, const struct step *st)
{
	const char *p = prog_bytes(st->op), *end = p + st->op->nbytes;
	char name[32];

	for (unsigned i = 0; p < end; i++) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)p;
		if ((size_t)(end - p) < sizeof(*h) || h->nlmsg_len < sizeof(*h) ||
		    h->nlmsg_len > (size_t)(end - p) || !(h->nlmsg_flags & NLM_F_ACK))
			return -EINVAL;
		struct text t = TEXT(name);
		text_num(text_put(&t, "request "), i);
		step_blame(x, name);
		if (send(fd, h, h->nlmsg_len, 0) < 0)
			return -errno;
		int r = await_answer(x, fd, h->nlmsg_seq);
		if (r < 0)
			return r;
		p += MIN(NLMSG_ALIGN(h->nlmsg_len), (size_t)(end - p));
	}
	return 0;
}

int op_netlink_host(struct prog_run *x, const struct step *st)
{
	return x->host_netlink < 0 ? x->host_netlink : send_all(x, x->host_netlink, st);
}

int op_netlink_pod(struct prog_run *x, const struct step *st)
{
	if (x->pod_netlink < 0)
		x->pod_netlink = netlink_open();
	return x->pod_netlink < 0 ? x->pod_netlink : send_all(x, x->pod_netlink, st);
}
