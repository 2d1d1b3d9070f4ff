/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the whole machine uses, from proc(5). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct node_usage {
	uint64_t cpu_ns;		/* busy, of all CPUs, since the boot, by clock ticks */
	uint64_t memory;		/* working set: neither free nor inactive pages of files */
	uint64_t memory_total;
};

struct node_disk {
	uint64_t size, free, inodes, free_inodes;	/* bytes and files; free: for whoever is not root */
};

/* Of the file system that path is on. */
int node_disk(const char *path, struct node_disk *ret, struct err *err);
/* Processes and threads: how many there are, and how many there may be. */
int node_processes(uint64_t *ret_used, uint64_t *ret_most, struct err *err);
/* Pages of that size that somebody has set aside. */
uint64_t node_huge_pages(unsigned kib);
int node_usage(struct node_usage *ret, struct err *err);
