/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process holds between two pieces of work: as little as it can. */
#pragma once

/* Once, first in main(): how malloc(3) takes memory from the kernel. */
void memory_tune(void);
/* When work is done and the daemon will sleep: what only the work needed goes back. */
void memory_give_back(void);
