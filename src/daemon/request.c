/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request says besides its path. Names of headers are the same in any case. */
#include "daemon/request.h"

#include <strings.h>

#include "base/macro.h"

const char *request_query(const struct request *q, const char *key)
{
	for (uint32_t i = 0; i < q->query.n; i++)
		if (streq(q->query.v[i].key, key))
			return q->query.v[i].value;
	return NULL;
}

unsigned request_query_all(const struct request *q, const char *key, const char **v, unsigned max)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < q->query.n && n < max; i++)
		if (streq(q->query.v[i].key, key))
			v[n++] = q->query.v[i].value;
	return n;
}

const char *request_header(const struct request *q, const char *name)
{
	for (uint32_t i = 0; i < q->headers.n; i++)
		if (!strcasecmp(q->headers.v[i].key, name))
			return q->headers.v[i].value;
	return NULL;
}

bool request_flag(const struct request *q, const char *key)
{
	const char *v = request_query(q, key);

	return v && (!*v || streq(v, "true") || streq(v, "1"));
}

int64_t request_int(const struct request *q, const char *key, int64_t dflt)
{
	const char *v = request_query(q, key);
	char *end;

	if (!v || !*v)
		return dflt;
	long long n = strtoll(v, &end, 10);
	return *end ? dflt : n;
}
