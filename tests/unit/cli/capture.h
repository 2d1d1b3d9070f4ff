/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verb writes to standard output and standard error. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"

struct capture {
	int fd, saved;		/* where it goes for now, and where it went */
	int to;			/* STDOUT_FILENO or STDERR_FILENO */
};

static inline void capture_begin(struct capture *c, int to)
{
	fflush(NULL);
	c->to = to;
	c->saved = fcntl(to, F_DUPFD_CLOEXEC, 10);
	c->fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(c->saved >= 0 && c->fd >= 0);
	dup2(c->fd, to);
}

static inline void capture_end(struct capture *c, struct buf *ret)
{
	char chunk[4096];
	ssize_t n;

	fflush(NULL);
	dup2(c->saved, c->to);
	close(c->saved);
	lseek(c->fd, 0, SEEK_SET);
	while ((n = read(c->fd, chunk, sizeof(chunk))) > 0)
		buf_add(ret, chunk, (size_t)n);
	close(c->fd);
}
