/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a job, one row per key; see job.h. */
#include "image/job.h"

#include "base/macro.h"

#define LINE_TEXT 1000		/* of a failure, before it is cut */

static void put(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(out, "%s %zu\n", key, strlen(value));
	buf_puts(out, value);
	buf_putc(out, '\n');
}

static void put_number(struct buf *out, const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	put(out, key, text);
}

static const char *const tasks[PULL_TASKS] = { "image", "login", "gc", "export" };
static const char *const verdicts[PULL_VERDICTS] = { "accept", "reject", "signed" };

static void put_registry(struct buf *out, const struct pull_registry *r)
{
	put(out, "registry", r->host);
	for (uint32_t i = 0; i < r->mirrors.n; i++)
		put(out, "mirror", r->mirrors.v[i]);
	put(out, "insecure", r->insecure ? "" : NULL);
	put(out, "ca", r->ca);
}

static void put_gc(struct buf *out, const struct pull_gc *gc)
{
	put(out, "all", gc->all ? "" : NULL);
	put_number(out, "high", gc->high);
	put_number(out, "low", gc->low);
	put_number(out, "min-age", gc->min_age_s);
	for (uint32_t i = 0; i < gc->in_use.n; i++)
		put(out, "in-use", gc->in_use.v[i]);
}

void pull_job_format(const struct pull_job *job, struct buf *out)
{
	put(out, "task", tasks[job->task]);
	put(out, "store", job->store);
	put(out, "image", job->image);
	put(out, "name", job->name);
	put(out, "architecture", job->architecture);
	if (job->task == PULL_GC)
		put_gc(out, &job->gc);
	for (uint32_t i = 0; i < job->auths.n; i++)
		put(out, "auth", job->auths.v[i]);
	for (uint32_t i = 0; i < job->environment.n; i++)
		put(out, "environment", job->environment.v[i]);
	for (uint32_t i = 0; i < job->registries.n; i++)
		put_registry(out, &job->registries.v[i]);
	for (uint32_t i = 0; i < job->policies.n; i++) {
		put(out, "policy", job->policies.v[i].match);
		put(out, "verdict", verdicts[job->policies.v[i].verdict]);
		put(out, "key", job->policies.v[i].key);
	}
}

/* ---- reading ---- */

struct reader {
	struct arena *a;
	struct pull_job *job;
	struct pull_registry *registry;
	struct pull_rule *policy;
};

#define TEXT(key)                                                                              \
	static int read_##key(struct reader *r, const char *value)                             \
	{                                                                                      \
		r->job->key = value;                                                           \
		return 0;                                                                      \
	}
TEXT(image)
TEXT(name)
TEXT(store)
TEXT(architecture)

static int index_of(const char *const *words, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (streq(words[i], word))
			return i;
	return -EBADMSG;
}

static int read_task(struct reader *r, const char *value)
{
	int i = index_of(tasks, PULL_TASKS, value);

	r->job->task = (enum pull_task)MAX(i, 0);
	return MIN(i, 0);
}

static int read_number(const char *value, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	*ret = (unsigned)n;
	return *value && !*end && n <= UINT32_MAX ? 0 : -EBADMSG;
}

static int read_high(struct reader *r, const char *value)
{
	return read_number(value, &r->job->gc.high);
}

static int read_low(struct reader *r, const char *value)
{
	return read_number(value, &r->job->gc.low);
}

static int read_min_age(struct reader *r, const char *value)
{
	return read_number(value, &r->job->gc.min_age_s);
}

static int read_all(struct reader *r, const char *value)
{
	r->job->gc.all = true;
	return *value ? -EBADMSG : 0;
}

static int read_in_use(struct reader *r, const char *value)
{
	*arena_push(r->a, &r->job->gc.in_use) = value;
	return 0;
}

static int read_auth(struct reader *r, const char *value)
{
	*arena_push(r->a, &r->job->auths) = value;
	return 0;
}

static int read_environment(struct reader *r, const char *value)
{
	*arena_push(r->a, &r->job->environment) = value;
	return strchr(value, '=') ? 0 : -EBADMSG;
}

static int read_registry(struct reader *r, const char *value)
{
	r->registry = arena_push(r->a, &r->job->registries);
	r->registry->host = value;
	return 0;
}

static int read_mirror(struct reader *r, const char *value)
{
	if (!r->registry)
		return -EBADMSG;
	*arena_push(r->a, &r->registry->mirrors) = value;
	return 0;
}

static int read_insecure(struct reader *r, const char *value)
{
	if (!r->registry || *value)
		return -EBADMSG;
	r->registry->insecure = true;
	return 0;
}

static int read_ca(struct reader *r, const char *value)
{
	if (!r->registry)
		return -EBADMSG;
	r->registry->ca = value;
	return 0;
}

static int read_policy(struct reader *r, const char *value)
{
	r->policy = arena_push(r->a, &r->job->policies);
	r->policy->match = value;
	return 0;
}

static int read_verdict(struct reader *r, const char *value)
{
	int i = index_of(verdicts, PULL_VERDICTS, value);

	if (!r->policy || i < 0)
		return -EBADMSG;
	r->policy->verdict = (enum pull_verdict)i;
	return 0;
}

static int read_key(struct reader *r, const char *value)
{
	if (!r->policy)
		return -EBADMSG;
	r->policy->key = value;
	return 0;
}

static const struct {
	const char *key;
	int (*read)(struct reader *r, const char *value);
} keys[] = {
	{ "task", read_task }, { "store", read_store }, { "image", read_image },
	{ "name", read_name }, { "architecture", read_architecture }, { "all", read_all },
	{ "high", read_high }, { "low", read_low }, { "min-age", read_min_age },
	{ "in-use", read_in_use }, { "auth", read_auth },
	{ "environment", read_environment }, { "registry", read_registry },
	{ "mirror", read_mirror }, { "insecure", read_insecure }, { "ca", read_ca },
	{ "policy", read_policy }, { "verdict", read_verdict }, { "key", read_key },
};

static int read_field(struct reader *r, const char *key, size_t n, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].key) == n && memcmp(keys[i].key, key, n) == 0)
			return keys[i].read(r, value);
	return -EBADMSG;
}

int pull_job_parse(struct arena *a, const char *text, size_t n, struct pull_job *ret,
		   struct err *err)
{
	struct reader r = { .a = a, .job = ret };
	const char *end = text + n;

	*ret = (struct pull_job){ 0 };
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		const char *space = line ? memchr(text, ' ', (size_t)(line - text)) : NULL;
		char *stop = NULL;
		size_t len = space ? strtoul(space + 1, &stop, 10) : 0;

		if (!space || stop != line || len >= (size_t)(end - line - 1) ||
		    line[1 + len] != '\n')
			return err_set(err, -EBADMSG, "a job that is no job");
		if (read_field(&r, text, (size_t)(space - text),
			       arena_strndup(a, line + 1, len)) < 0)
			return err_set(err, -EBADMSG, "a job with a bad field \"%.*s\"",
				       (int)MIN(space - text, 40), text);
		text = line + len + 2;
	}
	if (!ret->store || !ret->architecture || (!ret->image && ret->task != PULL_GC))
		return err_set(err, -EBADMSG, "a job that is not whole");
	return 0;
}

/* ---- news ---- */

static const char *const news[] = { "progress", "done", "failed" };

void pull_news_format(const struct pull_news *n, struct buf *out)
{
	const unsigned long long done = n->done, total = n->total;
	size_t from = out->len;

	buf_printf(out, "%s ", news[n->kind]);
	switch (n->kind) {
	case PULL_PROGRESS:
		buf_printf(out, "%llu %llu", done, total);
		break;
	case PULL_DONE:
		buf_printf(out, "%s %llu", n->digest, total);
		break;
	case PULL_FAILED:
		buf_printf(out, "%u %s %.*s", n->retry_after, n->reason, LINE_TEXT, n->text);
		break;
	}
	for (char *p = out->data + from; *p; p++)	/* one line, and nothing for a terminal */
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	buf_putc(out, '\n');
}

static int number(char **at, uint64_t *ret)
{
	char *end;

	if (**at < '0' || **at > '9')
		return -EBADMSG;
	*ret = strtoull(*at, &end, 10);
	if (*end && *end != ' ')
		return -EBADMSG;
	*at = end + (*end == ' ');
	return 0;
}

static char *word(char **at)
{
	char *s = *at;

	*at += strcspn(s, " ");
	if (**at)
		*(*at)++ = '\0';
	return s;
}

int pull_news_parse(char *line, struct pull_news *ret)
{
	char *kind = word(&line);
	uint64_t retry;

	*ret = (struct pull_news){ 0 };
	if (streq(kind, news[PULL_PROGRESS])) {
		ret->kind = PULL_PROGRESS;
		return number(&line, &ret->done) < 0 || number(&line, &ret->total) < 0 || *line ?
		       -EBADMSG : 0;
	}
	if (streq(kind, news[PULL_DONE])) {
		ret->kind = PULL_DONE;
		ret->digest = word(&line);
		return number(&line, &ret->total) < 0 || *line ? -EBADMSG : 0;
	}
	if (!streq(kind, news[PULL_FAILED]) || number(&line, &retry) < 0)
		return -EBADMSG;
	ret->kind = PULL_FAILED;
	ret->retry_after = (unsigned)MIN(retry, (uint64_t)86400);
	ret->reason = word(&line);
	ret->text = line;
	return *ret->reason && *line ? 0 : -EBADMSG;
}
