/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dump; an entry to delete is named by its original tuple and its id, copied from the dump
 * into a request of its own, so that an entry which was replaced meanwhile stays.
 */
#include "sys/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "base/macro.h"

struct deletion {
	uint8_t proto;
	bool (*match)(const struct flow *f, void *arg);
	void *arg;
	struct nl_sock *sock;	/* for the deletions: the other one is busy with the dump */
	int error;
};

struct tuple {
	uint8_t proto;
	uint32_t src, dst;
	uint16_t sport, dport;
};

static bool tuple_parse(struct nlattr *attr, struct tuple *ret)
{
	struct nlattr *tb[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *l4[CTA_PROTO_MAX + 1];

	if (!attr || nla_parse_nested(tb, CTA_TUPLE_MAX, attr, NULL) < 0 || !tb[CTA_TUPLE_IP] ||
	    !tb[CTA_TUPLE_PROTO] || nla_parse_nested(ip, CTA_IP_MAX, tb[CTA_TUPLE_IP], NULL) < 0 ||
	    nla_parse_nested(l4, CTA_PROTO_MAX, tb[CTA_TUPLE_PROTO], NULL) < 0)
		return false;
	if (!ip[CTA_IP_V4_SRC] || !ip[CTA_IP_V4_DST] || !l4[CTA_PROTO_NUM] ||
	    !l4[CTA_PROTO_SRC_PORT] || !l4[CTA_PROTO_DST_PORT])
		return false;
	*ret = (struct tuple){
		.proto = nla_get_u8(l4[CTA_PROTO_NUM]),
		.src = ntohl(nla_get_u32(ip[CTA_IP_V4_SRC])),
		.dst = ntohl(nla_get_u32(ip[CTA_IP_V4_DST])),
		.sport = ntohs(nla_get_u16(l4[CTA_PROTO_SRC_PORT])),
		.dport = ntohs(nla_get_u16(l4[CTA_PROTO_DST_PORT])),
	};
	return true;
}

static struct nl_msg *request(int type, int flags)
{
	struct nfgenmsg head = { .nfgen_family = AF_INET };
	struct nl_msg *m = nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | type, flags);

	if (!m || nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO))
		abort();
	return m;
}

/* An entry that has ended by itself is fine. */
static int delete_entry(struct nl_sock *sock, struct nlattr *orig, struct nlattr *id)
{
	struct nl_msg *m = request(IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK);
	int r;

	if (nla_put(m, CTA_TUPLE_ORIG | NLA_F_NESTED, nla_len(orig), nla_data(orig)) ||
	    (id && nla_put(m, CTA_ID, nla_len(id), nla_data(id))))
		abort();
	r = nl_send_sync(sock, m);	/* frees m */
	return r == -NLE_OBJ_NOTFOUND ? 0 : r;
}

static int on_entry(struct nl_msg *msg, void *arg)
{
	struct deletion *d = arg;
	struct nlattr *tb[CTA_MAX + 1];
	struct tuple orig, reply;

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct nfgenmsg), tb, CTA_MAX, NULL) < 0 ||
	    !tuple_parse(tb[CTA_TUPLE_ORIG], &orig) || !tuple_parse(tb[CTA_TUPLE_REPLY], &reply))
		return NL_OK;

	struct flow f = {
		.proto = orig.proto, .src = orig.src, .dst = orig.dst, .sport = orig.sport,
		.dport = orig.dport, .reply_src = reply.src, .reply_sport = reply.sport,
	};

	if (f.proto == d->proto && d->match(&f, d->arg)) {
		int r = delete_entry(d->sock, tb[CTA_TUPLE_ORIG], tb[CTA_ID]);

		d->error = d->error ? d->error : r;
	}
	return NL_OK;
}

static int dump(struct nl_sock *sock, struct deletion *d)
{
	struct nl_msg *m = request(IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP);
	int r;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_entry, d);
	r = nl_send_auto(sock, m);
	nlmsg_free(m);
	return r < 0 ? r : nl_recvmsgs_default(sock);
}

int conntrack_delete(uint8_t proto, bool (*match)(const struct flow *f, void *arg), void *arg,
		     struct err *err)
{
	struct nl_sock *sock = nl_socket_alloc(), *deletes = nl_socket_alloc();
	struct deletion d = { .proto = proto, .match = match, .arg = arg, .sock = deletes };
	int r = sock && deletes ? 0 : -NLE_NOMEM;

	if (r == 0)
		r = nl_connect(sock, NETLINK_NETFILTER);
	if (r == 0)
		r = nl_connect(deletes, NETLINK_NETFILTER);
	if (r == 0)
		r = dump(sock, &d);
	nl_socket_free(sock);
	nl_socket_free(deletes);
	if (r >= 0)
		r = d.error;
	return r < 0 ? err_set(err, -EIO, "conntrack: %s", nl_geterror(r)) : 0;
}
