/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ephemeral containers: what kubectl debug asks for, as one request. */
#include "base/macro.h"
#include "daemon/request.h"
#include "model/names.h"

#define WORDS_MAX 256

static const char *filled(const char *s)
{
	return s && *s ? s : NULL;
}

/* args: namespace, pod */
void api_debug(struct request *q, struct reply *r)
{
	const char *words[WORDS_MAX];
	struct ephemeral_container e = {
		.name = filled(request_query(q, "name")),
		.image = filled(request_query(q, "image")),
		.target_container_name = filled(request_query(q, "target")),
		.command = { words, request_query_all(q, "command", words, WORDS_MAX) },
		.stdin = request_flag(q, "stdin"),
		.tty = request_flag(q, "tty"),
	};
	struct err err = { 0 };
	struct json j;

	if (!e.name || !name_ok(NAME_LABEL, e.name) || !e.image) {
		reply_status(r, 400, "BadRequest",
			     "an ephemeral container needs a name and an image");
		return;
	}
	if (runtime_debug(q->d->runtime, q->args[0], q->args[1], &e, q->d->applied, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	r->code = 201;
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_kstr(&j, "name", e.name);
	json_end_object(&j);
}
