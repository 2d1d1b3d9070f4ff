/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One port of a service and where its traffic goes: what control wants and room net programs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Of an EndpointSlice: whose endpoints these are. */
#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

struct endpoint {
	uint32_t ip;		/* host byte order */
	uint16_t port;
};

struct service_entry {
	uint32_t ip;		/* ClusterIP */
	uint8_t proto;		/* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	uint16_t port, node_port;	/* node_port 0: none */
	uint32_t affinity_s;	/* ClientIP session affinity in seconds, 0: none */
	const struct endpoint *endpoints;	/* ready ones only, sorted; none: traffic is refused */
	uint32_t count;
	const char *name;	/* "NS/SERVICE:PORT", for messages */
};

int endpoint_cmp(const void *x, const void *y);		/* for qsort(3) */
/* By the key of an entry: address, protocol, port. */
int service_entry_cmp(const struct service_entry *x, const struct service_entry *y);
bool service_entry_same(const struct service_entry *x, const struct service_entry *y); /* name aside */
