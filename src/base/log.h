/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging to stderr, one line a message, for the daemon and the CLI only: below them functions
 * return errors. With $JOURNAL_STREAM set, lines carry the sd-daemon(3) "<N>" priority prefix.
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
int log_level_parse(const char *s, enum log_level *ret);	/* error warning info debug */
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)
