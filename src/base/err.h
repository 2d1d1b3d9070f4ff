/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors as values. A function that can fail returns 0 or a negative errno and, when it has
 * something to say, fills the caller's struct err. The struct is fixed-size: nothing to
 * allocate, nothing to release. Context is prepended only by a caller that knows something new.
 */
#pragma once

#include <errno.h>

struct err {
	int code;		/* negative errno, 0 when nothing went wrong */
	unsigned line, col;	/* 1-based position in file; 0 when there is none */
	char file[256];		/* empty when the error is not about a file */
	char msg[768];
};

/* Sets *err (err may be NULL) and returns code, so that one can `return err_set(...)`. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set; appends ": " and the text of errno -code. */
int err_sys(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prepends "context: " to the message; returns err->code (-EINVAL without an err). */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts the position on an error that has none yet; returns as err_prefix does. */
int err_at(struct err *err, const char *file, unsigned line, unsigned col);
