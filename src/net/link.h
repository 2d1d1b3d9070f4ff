/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link of one pod as netlink messages. Everything about it follows from the pod's address:
 * name and index of the host end can be found again without being recorded, and messages that
 * configure an interface can be written before it exists.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

#define LINK_GATEWAY 0xa9fe0101u	/* 169.254.1.1 */
#define LINK_LO 1u			/* lo has index 1 in every network namespace */
#define LINK_POD 2u			/* eth0 in the pod */

void link_name(uint32_t ip, char ret[16]);
unsigned link_index(uint32_t ip);
void link_host(struct buf *out, uint32_t ip, uint32_t node_ip, unsigned group, int netns_fd);
void link_pod(struct buf *out, uint32_t ip);
