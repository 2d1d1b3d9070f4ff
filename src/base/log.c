/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines. A message is one line whatever is in it: control characters, which may come from
 * manifests and containers, are replaced. It is written with one write(2), so lines of several
 * processes on one stderr do not mix. The level is the one piece of process-wide state in base,
 * as of the process's stderr.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>

#include "base/macro.h"
#include "base/units.h"

static const struct {
	const char *name, *journal;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARNING] = { "warning", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "<6>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<7>" },
};

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

int log_level_parse(const char *s, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (streq(levels[i].name, s)) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The journal has its own time stamps; elsewhere a line starts with the time in milliseconds. */
static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	char stamp[40];

	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(line, size, "%s", levels[level].journal);
	time_format_nano(time_now(), stamp);
	return (size_t)snprintf(line, size, "%.23sZ %s: ", stamp, levels[level].name);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	if (level > max_level)
		return;
	int saved = errno;
	size_t start = put_prefix(line, sizeof(line), level);
	va_start(ap, fmt);
	vsnprintf(line + start, sizeof(line) - start - 1, fmt, ap);
	va_end(ap);
	size_t len = start + strlen(line + start);
	for (size_t i = start; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	}
	line[len++] = '\n';
	ssize_t n = write(STDERR_FILENO, line, len);
	(void)n;	/* nowhere left to say that stderr is gone */
	errno = saved;
}
