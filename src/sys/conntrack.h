/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connection tracking entries (nfnetlink, IPv4): walking them, and deleting some. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct flow {
	uint8_t proto;
	uint32_t src, dst;		/* as sent by who began; host byte order */
	uint16_t sport, dport;
	uint32_t reply_src;		/* who answers: differs from dst, dport when translated */
	uint16_t reply_sport;
};

/* Deletes the entries of proto that match returns true for. */
int conntrack_delete(uint8_t proto, bool (*match)(const struct flow *f, void *arg), void *arg,
		     struct err *err);
