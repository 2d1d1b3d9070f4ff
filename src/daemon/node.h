/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine is and has for pods, found out once, when orchd starts. */
#pragma once

#include "daemon/daemon.h"

int node_measure(struct daemon *d, struct err *err);
