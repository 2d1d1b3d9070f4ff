/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that run on as what containers are born from: whoever is root in a container could reach
 * the file by /proc/self/exe and write to it (CVE-2019-5736), so they are run from a copy in memory
 * that nobody can write to any more. All processes share its pages.
 */
#pragma once

#include "base/err.h"

/* A descriptor beyond those of stdio to be executed by sealed_path(); -errno where the kernel
 * executes nothing that is not a file (sysctl vm.memfd_noexec). */
int sealed_copy(const char *path, int *ret_fd, struct err *err);
void sealed_path(int fd, char *ret, unsigned long n);
