/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few language helpers every file may use, and functions that must not be used at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>		/* before the bans below, which would break its own declarations */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define container_of(p, T, member) ((T *)((char *)(p) - offsetof(T, member)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                                                                              \
	({                                                                                     \
		__typeof__(a) min_a_ = (a);                                                    \
		__typeof__(b) min_b_ = (b);                                                    \
		min_a_ < min_b_ ? min_a_ : min_b_;                                             \
	})
#define MAX(a, b)                                                                              \
	({                                                                                     \
		__typeof__(a) max_a_ = (a);                                                    \
		__typeof__(b) max_b_ = (b);                                                    \
		max_a_ > max_b_ ? max_a_ : max_b_;                                             \
	})

static inline bool streq(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* A descriptor that closes itself at the end of its scope, and how to hand it over. */
static inline void fd_cleanup(int *fd) { if (*fd >= 0) close(*fd); }
#define FD_AUTO __attribute__((cleanup(fd_cleanup))) int
static inline int fd_take(int *fd) { int r = *fd; *fd = -1; return r; }

/* A malloc'd pointer likewise. */
static inline void free_cleanup(void *p) { free(*(void **)p); }
#define FREE_AUTO __attribute__((cleanup(free_cleanup)))

#undef strcpy
#undef strcat
#undef sprintf
#define strcpy(...) use_buf_or_snprintf_instead
#define strcat(...) use_buf_or_snprintf_instead
#define sprintf(...) use_buf_or_snprintf_instead
