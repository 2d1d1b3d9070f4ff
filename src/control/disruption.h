/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has to go for somebody else's sake, and why. */
#pragma once

#include "control/pass.h"

/* How the message of an eviction for the node's sake begins. */
#define NODE_WAS_LOW "The node was low on resource: "

/* From now on. */
void disruption_stop(struct pass *p, struct member *m, enum disruption by, const char *why);
/* As an earlier pass decided. */
enum disruption disruption_of(const struct observed_pod *seen);
/* The condition, of those that have to go. */
void disruption_show(struct pass *p, const struct member *m, struct pod_status *s);
