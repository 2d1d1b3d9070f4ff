/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines; see log.h. The level is the one piece of state, as of the process's stderr. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/units.h"

static enum log_level current = LOG_LEVEL_INFO;

static const struct {
	const char *name, *journal;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARNING] = { "warning", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "<6>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<7>" },
};

void log_set_level(enum log_level level)
{
	current = level;
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

void log_msg(enum log_level level, const char *fmt, ...)
{
	char line[2048], stamp[40];
	va_list ap;
	int n;

	if (level > current)
		return;
	if (getenv("JOURNAL_STREAM")) {
		n = snprintf(line, sizeof(line), "%s", levels[level].journal);
	} else {
		time_format_nano(time_now(), stamp);
		n = snprintf(line, sizeof(line), "%.23sZ %s: ", stamp, levels[level].name);
	}
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	/* one write, so that lines of several threads or processes do not mix */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}
