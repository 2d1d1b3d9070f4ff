/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file (shim/protocol.h): a header and one record per container, each rewritten in
 * place. A new container's record is written before the count that includes it. When the disk of
 * the run directory is full the shim goes on; connected orchds are told in any case.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/macro.h"
#include "shim/shim.h"
#include "shim/text.h"

/* Field 22 of proc_pid_stat(5), in clock ticks since boot; the name before it may hold anything. */
static uint64_t own_start_time(void)
{
	char stat[1024];
	FD_AUTO fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);

	if (n <= 0)
		return 0;
	stat[n] = '\0';
	const char *p = strrchr(stat, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? text_parse(p + 1, NULL) : 0;
}

static int write_header(const struct shim *s, uint64_t start_time)
{
	struct shim_state_header h = {
		.magic = SHIM_MAGIC,
		.version = PROG_VERSION,
		.pid = getpid(),
		.count = s->count,
		.start_time = start_time,
	};

	return pwrite(s->state_fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) ? 0 : -errno;
}

int state_open(struct shim *s)
{
	s->state_fd = open("state", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return s->state_fd < 0 ? -errno : write_header(s, own_start_time());
}

void state_write(const struct container *c)
{
	const struct shim *s = c->shim;
	size_t size = sizeof(c->st);
	off_t at = (off_t)(sizeof(struct shim_state_header) + c->index * size);
	uint32_t count = 0, offset = offsetof(struct shim_state_header, count);

	if (pwrite(s->state_fd, &c->st, size, at) != (ssize_t)size)
		return;
	if (pread(s->state_fd, &count, sizeof(count), offset) == (ssize_t)sizeof(count) &&
	    count < s->count)
		(void)!pwrite(s->state_fd, &s->count, sizeof(s->count), offset);
}
