/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: the half of orch-pull that has the rights, and the store. It forks the fetcher into
 * its cage, gives it descriptors of parts to fill, checks and unpacks what was filled, and names
 * the image when all is there. It reads messages of fixed size and image records, nothing else.
 */
#pragma once

#include "image/job.h"

/* News goes to descriptor out, a line each; the exit status of the process. */
int keeper_run(const struct pull_job *job, int out);
