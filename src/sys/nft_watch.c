/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel tells its listeners about every change of a rule set, and at the end of each
 * transaction, in a message NFT_MSG_NEWGEN, which process it was. Only that one is looked at:
 * what changed is not decided here. Lost messages (ENOBUFS) count as somebody else's.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "sys/nft.h"

int nft_watch_open(struct err *err)
{
	/* Bound, as the kernel leaves a socket without an address out of its broadcasts. */
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1U << (NFNLGRP_NFTABLES - 1),
	};
	FD_AUTO fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(err, -errno, "nftables: watch");
	return fd_take(&fd);
}

static bool is_foreign(struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_GEN_MAX + 1];

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		return false;
	if (nlmsg_parse(h, sizeof(struct nfgenmsg), tb, NFTA_GEN_MAX, NULL) < 0 ||
	    !tb[NFTA_GEN_PROC_PID])
		return true;
	return ntohl(nla_get_u32(tb[NFTA_GEN_PROC_PID])) != (uint32_t)getpid();
}

bool nft_watch_read(int fd)
{
	char answer[65536] __attribute__((aligned(8)));
	bool foreign = false;

	for (;;) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == ENOBUFS) {
			foreign = true;
			continue;
		}
		if (got <= 0)
			return foreign;
		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; nlmsg_ok(h, left);
		     h = nlmsg_next(h, &left))
			foreign = foreign || is_foreign(h);
	}
}
