/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests with the ending that a command wants: a message on standard error and an exit status. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/print.h"

int unreachable(const struct err *err)
{
	fprintf(stderr, "error: %s\n", err->msg);
	return err->code == -EPROTO ? EXIT_ERROR : EXIT_UNREACHABLE;
}

int refused(const struct response *r)
{
	json_t *status = json_loadb(buf_str(&r->body), r->body.len, 0, NULL);
	const char *message = status ? json_text(status, "message") : "";
	const char *reason = status ? json_text(status, "reason") : "";

	if (*message && *reason)
		fprintf(stderr, "Error from server (%s): %s\n", reason, message);
	else
		fprintf(stderr, "error: orchd answered %d\n", r->code);
	json_decref(status);
	return EXIT_ERROR;
}

json_t *fetch(struct cli *c, const char *method, const char *path, const char *accept,
	      int *ret_status)
{
	struct response r = { 0 };
	struct err err = { 0 };
	json_error_t why;
	json_t *v = NULL;

	*ret_status = EXIT_DONE;
	if (client_request(&c->client, method, path, accept, &r, &err) < 0) {
		*ret_status = unreachable(&err);
	} else if (r.code >= 300) {
		*ret_status = refused(&r);
	} else {
		v = json_loadb(buf_str(&r.body), r.body.len, 0, &why);
		if (!v) {
			fprintf(stderr, "error: bad answer from orchd: %s\n", why.text);
			*ret_status = EXIT_ERROR;
		}
	}
	response_release(&r);
	return v;
}

bool output_is(const struct cli *c, const char *format)
{
	return c->opt.output && streq(c->opt.output, format);
}

/* Options were checked when they were read: a duration, or a number of seconds. */
static int64_t timeout(const struct cli *c, int64_t dflt)
{
	const char *s = c->opt.timeout;
	int64_t d;
	char *end;

	if (!s)
		return dflt;
	long seconds = strtol(s, &end, 10);
	if (!*end)
		return seconds > INT64_MAX / NSEC ? -1 : seconds * NSEC;
	if (*s == '-')
		return -1;
	return duration_parse(s, &d) == 0 ? d : dflt;
}

int64_t deadline(const struct cli *c, int64_t dflt_s, bool zero_is_none)
{
	int64_t d = timeout(c, dflt_s * NSEC);

	return d < 0 || (!d && zero_is_none) ? INT64_MAX : time_mono() + d;
}
