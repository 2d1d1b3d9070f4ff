/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See handover.h. */
#include "cli/handover.h"

#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"

const char *handover_path(struct cli *c, const char *ns, const char *pod, const char *what)
{
	struct target t = { &kinds[KIND_POD], pod, ns };

	return arena_printf(&c->arena, "/apis/orch/v1%s/%s",
			    strstr(target_path(c, &t), "/namespaces/"), what);
}

/* Of the line begin was read already. */
static json_t *answer(int api, const char *begin)
{
	BUF_AUTO text = { 0 };
	char chunk[512];
	ssize_t n;

	buf_puts(&text, begin);
	while ((n = read(api, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	return json_loadb(buf_str(&text), text.len, 0, NULL);
}

json_t *handover_answer(int api)
{
	return answer(api, "");
}

static int ending(int api, const char *begin)
{
	json_t *v = answer(api, begin);
	const char *error = v ? json_text(v, "error") : "orchd closed the connection";
	int code = v && !*error ? (int)json_number(v, "exitCode") : EXIT_ERROR;

	if (*error)
		fprintf(stderr, "error: %s\n", error);
	json_decref(v);
	return code;
}

int handover_ending(int api)
{
	return ending(api, "");
}

/* Without descriptors, what came is the beginning of an error. */
static int receive(struct handed *h)
{
	char first[2] = "";

	h->n = SOCK_FDS_MAX;
	if (sock_recv(h->api, first, 1, h->fds, &h->n) == 1 && h->n)
		return EXIT_DONE;
	int status = ending(h->api, first);
	close(h->api);
	return status ? status : EXIT_ERROR;
}

int handover(struct cli *c, const char *path, const char *protocol, struct handed *ret)
{
	struct response r = { 0 };
	struct err err = { 0 };

	ret->api = client_upgrade(&c->client, path, protocol, &r, &err);
	int status = ret->api >= 0 ? receive(ret) : r.code ? refused(&r) : unreachable(&err);
	response_release(&r);
	return status;
}
