/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arenas: everything that lives and dies together is allocated from one arena and released with
 * one call. Model structs therefore have no free functions. Memory comes back zeroed. Running
 * out of memory aborts the process: pods do not depend on orchd being alive.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used;		/* bytes handed out, for tests and statistics */
};

void arena_init(struct arena *a);		/* an all-zero struct is an empty arena, too */
void arena_release(struct arena *a);

/* The next size bytes, as a->used counts them, come from one block that holds just so much. */
void arena_reserve(struct arena *a, size_t size);

void *arena_alloc(struct arena *a, size_t size);	/* zeroed, aligned for any type */
/* Moves an array that grew from old to size bytes; in place when it was the last allocation. */
void *arena_grow(struct arena *a, void *p, size_t old, size_t size);
char *arena_strdup(struct arena *a, const char *s);	/* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

#define arena_new(a, T)		((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n)	((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/*
 * Appends a slot to a list { T *v; uint32_t n; } whose capacity is the next power of two (never
 * stored): returns a pointer to the new zeroed element.
 */
#define arena_push(a, list)                                                                    \
	((__typeof__((list)->v))arena_push_raw((a), (void **)&(list)->v, &(list)->n,           \
					       sizeof(*(list)->v)))
void *arena_push_raw(struct arena *a, void **v, unsigned *n, size_t size);
