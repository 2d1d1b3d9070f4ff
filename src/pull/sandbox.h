/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fetcher's cage: a user of its own, no capabilities, no new privileges, resource limits,
 * Landlock where the kernel has it (files: certificates and what looking up names needs, to be read;
 * no servers; no signals to others), and a list of system calls, all others refused: the network
 * is there, and writing to descriptors that somebody else opened.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* User "orch-pull" of /etc/passwd, or a number that no other process on this machine has. */
uid_t sandbox_uid(void);
/* For good. The caller has one thread, and no descriptors but those it means to keep. */
int sandbox_enter(uid_t uid, struct err *err);
