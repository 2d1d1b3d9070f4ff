/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a shim cannot ask itself: HTTPS, gRPC, hosts by name, where redirects lead to. Small
 * programs of ours do (room ask), from the pod's network namespace, with a user of their own and no rights.
 */
#pragma once

#include "model/object.h"
#include "shim/protocol.h"

struct ask {
	const char *program;	/* "orch-ask-http"; NULL: none is needed */
	struct strs args, env;
	bool names;		/* it looks names up, as the pod does */
};

/* Of one probe or hook, all but one are NULL; how is the order that goes with it. */
struct ask ask_for(struct arena *a, const struct http_get_action *http,
		   const struct tcp_socket_action *tcp, const struct grpc_action *grpc,
		   const struct shim_try *how);

/* The lines of a request's head that its target does not decide, without Host. */
void ask_headers(const struct http_get_action *h, struct buf *out);
/* The header Host that is asked for; NULL: none. */
const char *ask_host_header(const struct http_get_action *h);
bool ask_is_name(const char *host);
/* Can the shim itself go there: the pod's own address, or an IPv4 address? */
bool ask_is_address(const char *host, uint32_t *ret);
