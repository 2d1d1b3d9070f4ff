/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arenas as a list of zeroed blocks, filled front to back; each is half as large as all
 * before it together, up to a limit.
 * What does not fit the current block and is large gets a block of its own behind the head, so
 * that the rest of the current block stays in use. Under AddressSanitizer the unused part of a
 * block is poisoned and every allocation is followed by a gap.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SANITIZE_ADDRESS__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifdef INSTRUMENTED
#include <sanitizer/asan_interface.h>
#define GAP 16
#define TEXT_ALIGN 16
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define GAP 0
#define TEXT_ALIGN 1		/* strings stand side by side */
#endif

#define ALIGN _Alignof(max_align_t)
#define BLOCK_MIN 2048
#define BLOCK_MAX (256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

static size_t round_up(size_t n)
{
	if (n > SIZE_MAX / 2)
		abort();
	return (n + GAP + ALIGN - 1) & ~(ALIGN - 1);
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		abort();
	b->size = size;
	ASAN_POISON_MEMORY_REGION(b->data, size);
	return b;
}

void arena_reserve(struct arena *a, size_t size)
{
	struct arena_block *b = block_new(round_up(size));

	b->next = a->head;
	a->head = b;
}

/* The block to take need bytes from: the head, or a new one. */
static struct arena_block *block_for(struct arena *a, size_t need, size_t align)
{
	struct arena_block *head = a->head;

	if (head) {
		size_t at = (head->used + align - 1) & ~(align - 1);

		if (at <= head->size && head->size - at >= need) {
			head->used = at;
			return head;
		}
	}
	size_t size = a->used / 2 > BLOCK_MIN ? a->used / 2 : BLOCK_MIN;
	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	bool own = head && need > size / 4;
	struct arena_block *b = block_new(own || need > size ? need : size);
	if (own) {
		b->next = head->next;
		head->next = b;
	} else {
		b->next = head;
		a->head = b;
	}
	return b;
}

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void arena_release(struct arena *a)
{
	struct arena_block *b = a->head;

	while (b) {
		struct arena_block *next = b->next;
		ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
		free(b);
		b = next;
	}
	arena_init(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = round_up(size ? size : 1);
	struct arena_block *b = block_for(a, need, ALIGN);
	void *p = b->data + b->used;

	b->used += need;
	a->used += size;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return p;
}

static char *alloc_text(struct arena *a, size_t size)
{
	size_t need = TEXT_ALIGN == 1 ? size : round_up(size);
	struct arena_block *b = block_for(a, need, TEXT_ALIGN);
	char *p = b->data + b->used;

	b->used += need;
	a->used += size;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return p;
}

static bool grow_in_place(struct arena *a, char *p, size_t old, size_t size)
{
	struct arena_block *b = a->head;

	if (!p || !old || !b || p + round_up(old) != b->data + b->used)
		return false;
	size_t more = round_up(size) - round_up(old);
	if (b->size - b->used < more)
		return false;
	b->used += more;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return true;
}

void *arena_grow(struct arena *a, void *p, size_t old, size_t size)
{
	if (size <= old)
		return p;
	if (grow_in_place(a, p, old, size)) {
		a->used += size - old;
		return p;
	}
	void *r = arena_alloc(a, size);
	if (old)
		memcpy(r, p, old);
	return r;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	if (!s)
		return NULL;
	size_t len = strnlen(s, n);
	char *r = alloc_text(a, len + 1);
	memcpy(r, s, len);
	return r;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char text[256];		/* most strings fit, and are formatted only once */
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		abort();
	char *r = alloc_text(a, (size_t)n + 1);
	if ((size_t)n < sizeof(text))
		memcpy(r, text, (size_t)n);
	else
		vsnprintf(r, (size_t)n + 1, fmt, again);
	va_end(again);
	return r;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *r = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return r;
}

void *arena_push_raw(struct arena *a, void **v, unsigned *n, size_t size)
{
	if ((*n & (*n - 1)) == 0) {
		size_t cap = *n ? 2 * (size_t)*n : 1;
		*v = arena_grow(a, *v, *n * size, cap * size);
	}
	return (char *)*v + (*n)++ * size;
}
