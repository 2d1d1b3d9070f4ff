/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Service notification, sd_notify(3): a datagram to $NOTIFY_SOCKET; nothing without one. */
#pragma once

void notify_systemd(const char *state);
