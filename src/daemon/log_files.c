/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, lines and the end of a log; see log_files.h. */
#include "daemon/log_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/macro.h"

#define BLOCK 65536
#define HEAD 64			/* more than stamp, stream and tag of a line take */

int log_line_parse(const char *s, size_t n, struct log_line *ret)
{
	const char *end = s + n;
	const char *stream = memchr(s, ' ', n);
	const char *tag = stream ? memchr(stream + 1, ' ', (size_t)(end - stream - 1)) : NULL;
	const char *text = tag ? memchr(tag + 1, ' ', (size_t)(end - tag - 1)) : NULL;

	if (!text)
		return -EINVAL;
	ret->stamp = s;
	ret->stamp_len = (size_t)(stream - s);
	ret->partial = tag[1] == 'P';
	ret->text = text + 1;
	ret->len = (size_t)(end - text - 1);
	return 0;
}

/* ---- names ---- */

/* Rotated files by age: of those of one second the shorter number is the older (shim/logs.c). */
static int by_age(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t nx = strlen(x), ny = strlen(y);
	size_t second = strcspn(x, ".") + strlen(".log.20261121-100000");

	if (nx != ny && nx >= second && ny >= second && strncmp(x, y, second) == 0)
		return nx < ny ? -1 : 1;
	return strcmp(x, y);
}

struct log_files log_files(const char *dir, uint32_t attempt, struct arena *a)
{
	char *live = arena_printf(a, "%u.log", attempt);
	size_t n = strlen(live);
	struct log_files l = { 0 };
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (strncmp(e->d_name, live, n) == 0 && e->d_name[n] == '.')
			*arena_push(a, &l) = arena_strdup(a, e->d_name);
	if (d)
		closedir(d);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_age);
	*arena_push(a, &l) = live;
	return l;
}

/* ---- the last lines ---- */

/* Reading backwards: where the line begins that was seen last, and how many are still wanted. */
struct tail {
	int64_t wanted;
	off_t end;		/* of the line that is looked for next; -1: none has an end yet */
};

/* A line from its beginning, of which n bytes are at hand; true when it is one too many. */
static bool line_seen(struct tail *t, const char *s, size_t n)
{
	struct log_line line;

	if (log_line_parse(s, n, &line) < 0 || line.partial)
		return false;
	return t->wanted-- == 0;
}

/* The lines that begin in the n bytes at offset at, the last one first; have: bytes at hand. */
static bool block_seen(struct tail *t, const char *block, size_t n, size_t have, off_t at)
{
	for (size_t i = n; i > 0 || at == 0; i--) {
		if (i == 0 || block[i - 1] == '\n') {
			off_t begin = at + (off_t)i;
			size_t len = t->end < 0 ? 0 : MIN((size_t)(t->end - 1 - begin), have - i);

			if (t->end > begin && line_seen(t, block + i, len))
				return true;
			t->end = begin;
		}
		if (i == 0)
			break;
	}
	return false;
}

/* Sets fd's offset behind the first line that is one too many; false: the file has none. */
static bool seek_back(int fd, struct tail *t)
{
	char block[BLOCK + HEAD];
	off_t at = lseek(fd, 0, SEEK_END);
	bool found = false;

	t->end = -1;
	while (at > 0 && !found) {
		size_t n = (size_t)MIN(at, (off_t)BLOCK);

		at -= (off_t)n;
		ssize_t have = pread(fd, block, n + HEAD, at);
		if (have < (ssize_t)n)
			return false;
		found = block_seen(t, block, n, (size_t)have, at);
	}
	return found && lseek(fd, t->end, SEEK_SET) >= 0;
}

static int open_log(const char *dir, const char *name, struct arena *a, struct stat *ret)
{
	FD_AUTO fd = open(arena_printf(a, "%s/%s", dir, name),
			  O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, ret) < 0)
		return -errno;
	return fd_take(&fd);
}

/*
 * The live file is opened before the others are listed: if it is rotated away in between, it is
 * among them, and the search goes on before it.
 */
static int search(const char *dir, uint32_t attempt, struct tail *t, struct arena *a)
{
	struct stat live = { 0 }, st;
	FD_AUTO fd = open_log(dir, arena_printf(a, "%u.log", attempt), a, &live);
	struct log_files l = log_files(dir, attempt, a);
	uint32_t i = l.n - 1;

	if (fd >= 0 && seek_back(fd, t))
		return fd_take(&fd);
	for (uint32_t k = 0; fd >= 0 && k < i; k++) {
		FD_AUTO other = open_log(dir, l.v[k], a, &st);

		if (other >= 0 && st.st_dev == live.st_dev && st.st_ino == live.st_ino)
			i = k;
	}
	while (i-- > 0) {
		FD_AUTO other = open_log(dir, l.v[i], a, &st);

		if (other >= 0 && seek_back(other, t))
			return fd_take(&other);
	}
	return -ENOENT;
}

int log_tail_open(const char *dir, uint32_t attempt, int64_t n)
{
	struct tail t = { .wanted = n };
	struct arena a = { 0 };
	int fd = search(dir, attempt, &t, &a);

	arena_release(&a);
	return fd;
}
