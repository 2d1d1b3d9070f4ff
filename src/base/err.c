/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filling struct err. Every message is built in a buffer of its own first, because arguments may
 * point into the very message that is being replaced.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MSG_SIZE sizeof(((struct err *)0)->msg)

/* Appends what fits to the text of length len in msg; the new length. */
static size_t append(char msg[MSG_SIZE], size_t len, const char *s)
{
	size_t n = strnlen(s, MSG_SIZE - 1 - len);

	memcpy(msg + len, s, n);
	msg[len + n] = '\0';
	return len + n;
}

static void set_msg(struct err *err, const char *a, const char *b)
{
	char msg[MSG_SIZE];
	size_t len = append(msg, 0, a);

	if (*b)
		append(msg, append(msg, len, ": "), b);
	memcpy(err->msg, msg, strlen(msg) + 1);
}

static void start(struct err *err, int code)
{
	err->code = code;
	err->line = err->col = 0;
	err->file[0] = '\0';
}

/* Declares text and formats the variable arguments after fmt into it. */
#define FORMAT(text, fmt)                                                                      \
	char text[MSG_SIZE];                                                                   \
	va_list ap;                                                                            \
	va_start(ap, fmt);                                                                     \
	vsnprintf(text, sizeof(text), fmt, ap);                                                \
	va_end(ap)

int err_set(struct err *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;
	FORMAT(text, fmt);
	start(err, code);
	set_msg(err, text, "");
	return code;
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;
	FORMAT(text, fmt);
	const char *desc = strerrordesc_np(-code);
	start(err, code);
	set_msg(err, text, desc ? desc : "unknown error");
	return code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	if (!err)
		return -EINVAL;
	FORMAT(text, fmt);
	set_msg(err, text, err->msg);
	return err->code;
}

int err_at(struct err *err, const char *file, unsigned line, unsigned col)
{
	if (!err)
		return -EINVAL;
	if (err->file[0] || err->line)
		return err->code;
	snprintf(err->file, sizeof(err->file), "%s", file ? file : "");
	err->line = line;
	err->col = col;
	return err->code;
}
