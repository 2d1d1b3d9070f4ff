/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Termination messages: what a container says of its end, in a file that it finds at
 * terminationMessagePath, or else, if its policy says so and it failed, in its log:
 * https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "runtime/sandbox.h"

#define LOG_BYTES 2048
#define LOG_LINES 80

const char *message_path(struct arena *a, const struct sandbox *p, const struct container *c)
{
	return arena_printf(a, "%s/message-%s", p->rt->scratch, c->name);
}

/* What ends the file, at most n bytes. */
static ssize_t read_tail(const char *path, char *text, size_t n)
{
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return pread(fd, text, n, MAX(st.st_size - (off_t)n, (off_t)0));
}

/* "2026-11-21T10:00:00.0Z stdout F text": the text begins after the third blank. */
static const char *log_text(const char *line, const char *end, bool *ret_whole)
{
	const char *p = line;

	for (int i = 0; i < 3; i++) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));

		if (!blank)
			return NULL;
		if (i == 2)
			*ret_whole = *p == 'F';
		p = blank + 1;
	}
	return p;
}

static void keep_last(struct buf *out)
{
	unsigned lines = 0;
	size_t from = out->len;

	while (from && lines <= LOG_LINES && out->len - from < LOG_BYTES)
		lines += out->data[--from] == '\n';
	from += lines > LOG_LINES;
	memmove(out->data, out->data + from, out->len - from);
	out->len -= from;
}

static void read_log(const struct sandbox *p, const struct container_run *run, struct buf *out)
{
	char path[PATH_MAX], data[16384];

	snprintf(path, sizeof(path), "%s/%s/%u.log", p->log_dir, run->spec->name, run->st.attempt);
	ssize_t n = read_tail(path, data, sizeof(data));
	const char *at = data, *end = data + MAX(n, (ssize_t)0);
	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		bool whole = true;
		const char *text = eol ? log_text(at, eol, &whole) : NULL;

		if (text)
			buf_add(out, text, (size_t)(eol - text));
		if (text && whole)
			buf_putc(out, '\n');
		at = eol ? eol + 1 : end;
	}
	keep_last(out);
}

static void read_file(const struct sandbox *p, const struct container_run *run, struct buf *out)
{
	char path[PATH_MAX], data[SHIM_MESSAGE_MAX];

	snprintf(path, sizeof(path), "%s/message-%s", p->run_dir, run->spec->name);
	ssize_t n = read_tail(path, data, sizeof(data));
	if (n > 0)
		buf_add(out, data, (size_t)n);
}

void message_read(struct sandbox *p, struct container_run *run)
{
	bool log = run->spec->termination_message_policy == MESSAGE_FALLBACK_TO_LOGS_ON_ERROR;
	BUF_AUTO text = { 0 };

	free(run->last_words);
	run->last_words = NULL;
	if (run->st.phase != SHIM_EXITED_PHASE)
		return;
	if (run->st.message_size)
		read_file(p, run, &text);
	else if (log && (run->st.end.exit_code || run->st.end.signal))
		read_log(p, run, &text);
	if (text.len)
		run->last_words = strndup(text.data, text.len);
}
