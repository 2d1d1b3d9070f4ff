/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Container logs; see logs.h. What one read(2) brings gets one time stamp and, as far as it fits,
 * one write(2). Only a line that has no end yet is copied aside.
 */
#include "shim/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/units.h"
#include "shim/text.h"

#define LOG_READ (256 * 1024)
#define LOG_PIPE (1 << 20)		/* of a stream that filled its pipe */
#define LOG_PREFIX 64		/* more than stamp, stream name, tag and spaces take */
#define LOG_WRITE (512 * 1024)
#define PAGE 4096
#define PIPE_SIZE (16 * PAGE)		/* pipe(7) */
/* More than a pipe holds; a process elsewhere that was given the pipe may write on for ever. */
#define FINISH_READS 64

struct log_room {
	char in[LOG_READ];
	char out[LOG_WRITE];
	size_t n_out;
	char head[LOG_PREFIX];	/* of records of one read: stamp, stream, tag, each with its space */
	size_t n_head;
};

struct log_room *log_room_new(void)
{
	struct log_room *room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room == MAP_FAILED ? NULL : room;
}

void log_room_free(struct log_room *room)
{
	if (room)
		munmap(room, sizeof(*room));
}

/* Gives pages back after a burst: a pod that is quiet now should be small again. */
static void room_shrink(struct log_room *room)
{
	madvise(room, sizeof(*room), MADV_DONTNEED);
}

/* ---- files ---- */

static int open_file(struct log_file *f)
{
	char name[32];
	struct text t = TEXT(name);
	struct stat sb;

	text_put(text_num(&t, f->attempt), ".log");
	f->fd = openat(f->dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->fd < 0)
		return -errno;
	f->size = fstat(f->fd, &sb) == 0 ? (uint64_t)sb.st_size : 0;
	return 0;
}

int log_open(struct log_file *f, const char *dir, uint32_t attempt, uint64_t max_bytes,
	     uint32_t max_files)
{
	*f = (struct log_file){
		.fd = -1, .attempt = attempt, .max_bytes = max_bytes, .max_files = max_files,
	};
	f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return -errno;
	int r = open_file(f);
	if (r < 0)
		log_close(f);
	return r;
}

void log_close(struct log_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	f->fd = f->dir = -1;
}

/* "3.log.20261121-100000": the digits of the time stamp; ".n" tells apart those of one second. */
static void rotated_name(const struct log_file *f, int64_t second, unsigned n, struct text *t)
{
	char stamp[40];

	time_format_nano(second * NSEC, stamp);
	text_put(text_num(t, f->attempt), ".log.");
	for (const char *p = stamp; *p && *p != '.'; p++) {
		if (*p == 'T')
			text_put(t, "-");
		else if (*p >= '0' && *p <= '9')
			text_putn(t, p, 1);
	}
	if (n)
		text_num(text_put(t, "."), n);
}

/* Numbers grow within a second, also when files of it were removed, so that names sort by age. */
static int rename_away(struct log_file *f)
{
	char from[32], to[64];
	struct text t = TEXT(from);
	int64_t second = time_now() / NSEC;

	f->rotations = second == f->rotated_at ? f->rotations + 1 : 0;
	f->rotated_at = second;
	text_put(text_num(&t, f->attempt), ".log");
	do {
		t = TEXT(to);
		rotated_name(f, second, f->rotations, &t);
	} while (faccessat(f->dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && ++f->rotations);
	return renameat(f->dir, from, f->dir, to) < 0 ? -errno : 0;
}

/* As the names are made, the older is the lesser; of one second's, the shorter number. */
static bool older(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), second = strcspn(a, ".");

	second += strlen(".log.20261121-100000");
	if (na != nb && na >= second && nb >= second && strncmp(a, b, second) == 0)
		return na < nb;
	return strcmp(a, b) < 0;
}

/* Counts the rotated files of this attempt and tells the oldest. */
static unsigned rotated_files(const struct log_file *f, char oldest[64])
{
	char prefix[32];
	struct text t = TEXT(prefix);
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned n = 0;

	if (!d)
		return 0;
	text_put(text_num(&t, f->attempt), ".log.");
	for (struct dirent *e; (e = readdir(d));) {
		if (strncmp(e->d_name, prefix, t.len) != 0 || strlen(e->d_name) >= 64)
			continue;
		if (!n++ || older(e->d_name, oldest))
			text_copy(oldest, 64, e->d_name);
	}
	closedir(d);
	return n;
}

static void remove_oldest(const struct log_file *f)
{
	char oldest[64];

	while (f->max_files && rotated_files(f, oldest) >= f->max_files) {
		if (unlinkat(f->dir, oldest, 0) < 0)
			return;
	}
}

/* When the new file can't be opened, the old one goes on under its new name. */
static void rotate(struct log_file *f)
{
	int old = f->fd;

	if (rename_away(f) < 0)
		return;
	if (open_file(f) < 0) {
		f->fd = old;
		f->size = 0;
		return;
	}
	close(old);
	remove_oldest(f);
}

/* A record that did not fit on the disk is taken back whole. */
static void flush(struct log_file *f, struct log_room *room)
{
	size_t done = 0;

	while (done < room->n_out) {
		ssize_t n = write(f->fd, room->out + done, room->n_out - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (done && ftruncate(f->fd, (off_t)f->size) < 0)
				f->size += done;
			done = 0;
			break;
		}
		done += (size_t)n;
	}
	f->size += done;
	room->n_out = 0;
	if (f->max_bytes && f->size >= f->max_bytes * (f->open_lines ? 2 : 1))
		rotate(f);
}

/* ---- lines ---- */

static void put(struct log_room *room, const char *data, size_t n)
{
	if (n)
		memcpy(room->out + room->n_out, data, n);
	room->n_out += n;
}

static void stamp(const struct log_stream *s, struct log_room *room)
{
	struct text t = TEXT(room->head);
	char now[40];

	time_format_nano(time_now(), now);
	text_put(text_put(text_put(text_put(&t, now), " "), s->name), " F ");
	room->n_head = t.len;
}

/* One record of what is pending and n bytes more. */
static void record(struct log_stream *s, struct log_room *room, const char *text, size_t n, bool end)
{
	if (room->n_out + LOG_PREFIX + s->n_pending + n > sizeof(room->out))
		flush(s->file, room);
	room->head[room->n_head - 2] = end ? 'F' : 'P';
	put(room, room->head, room->n_head);
	put(room, s->pending, s->n_pending);
	put(room, text, n);
	put(room, "\n", 1);
	s->n_pending = 0;
	if (s->in_line == end) {
		s->in_line = !end;
		s->file->open_lines += end ? -1U : 1U;
	}
}

static void hold(struct log_stream *s, const char *text, size_t n)
{
	if (!s->pending)
		s->pending = malloc(LOG_LINE);
	if (!s->pending)
		return;
	memcpy(s->pending + s->n_pending, text, n);
	s->n_pending += n;
}

static void split(struct log_stream *s, struct log_room *room, const char *p, size_t n)
{
	while (n) {
		size_t fits = LOG_LINE - s->n_pending;
		const char *end = memchr(p, '\n', MIN(n, fits + 1));
		if (!end && n <= fits) {
			hold(s, p, n);
			return;
		}
		size_t take = end ? (size_t)(end - p) : fits;
		record(s, room, p, take, end);
		take += end ? 1 : 0;
		p += take;
		n -= take;
	}
}

void log_stream_init(struct log_stream *s, struct log_file *f, const char *name, int fd)
{
	*s = (struct log_stream){ .file = f, .name = name, .fd = fd };
}

static void forget_pending(struct log_stream *s)
{
	if (s->n_pending)
		return;
	free(s->pending);
	s->pending = NULL;
}

/* Whoever writes faster than it is read waits less often. Where the kernel refuses, it stays small. */
static void widen(struct log_stream *s, size_t n)
{
	if (s->wide || n < PIPE_SIZE)
		return;
	fcntl(s->fd, F_SETPIPE_SZ, LOG_PIPE);
	s->wide = true;
}

bool log_pump(struct log_stream *s, struct log_room *room, size_t max)
{
	size_t done = 0, most = 0;
	bool open = s->fd >= 0;

	while (open && done < max) {
		ssize_t n = read(s->fd, room->in, sizeof(room->in));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			open = n < 0 && errno == EAGAIN;
			break;
		}
		stamp(s, room);
		split(s, room, room->in, (size_t)n);
		flush(s->file, room);
		done += (size_t)n;
		widen(s, (size_t)n);
		most = MAX(most, (size_t)n);
		bool more = !s->tee || s->tee(s, room->in, (size_t)n);
		if (!more || (size_t)n < sizeof(room->in))
			break;
	}
	forget_pending(s);
	if (most > 4 * PAGE && done < max)
		room_shrink(room);
	return open;
}

void log_finish(struct log_stream *s, struct log_room *room)
{
	if (s->fd < 0)
		return;
	for (int i = 0; i < FINISH_READS && log_pump(s, room, LOG_READ); i++) {
		int more = 0;
		if (ioctl(s->fd, FIONREAD, &more) < 0 || more == 0)
			break;
	}
	if (s->n_pending || s->in_line) {
		stamp(s, room);
		record(s, room, NULL, 0, true);
		flush(s->file, room);
	}
	forget_pending(s);
	close(s->fd);
	s->fd = -1;
}
