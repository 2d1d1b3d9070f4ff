/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An rtnetlink(7) socket in the caller's present network namespace; -errno. */
#pragma once

int netlink_open(void);
