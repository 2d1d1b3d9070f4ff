/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests with the ending that a command wants: a message on standard error and an exit status. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"

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

json_t *fetch(struct cli *c, const char *method, const char *path, const char *accept, int *ret_status)
{
	struct response r = { 0 };
	struct err err = { 0 };
	json_error_t why;
	json_t *v = NULL;

	*ret_status = EXIT_DONE;
	if (client_request(&c->client, method, path, accept, &r, &err) < 0) {
		err.code = err.code ? err.code : -EIO;
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

const char *namespace_of(const struct cli *c)
{
	return c->opt.namespace ? c->opt.namespace : "default";
}

int64_t deadline(const struct cli *c, int64_t dflt_s)
{
	int64_t d = dflt_s * NSEC;

	if (c->opt.timeout && duration_parse(c->opt.timeout, &d) < 0) {
		char *end;
		long long s = strtoll(c->opt.timeout, &end, 10);

		d = *end ? d : s * NSEC;
	}
	return d > 0 ? time_mono() + d : INT64_MAX;
}
