/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images from a registry: the OCI distribution protocol
 * (https://github.com/opencontainers/distribution-spec) and Docker's token authentication.
 *
 * An endpoint is a host that may have the image: the mirrors in their order, then the registry
 * itself. Whoever gave the manifest is asked for the rest; when it fails, the next one is. The
 * authorization of an endpoint is shared by all requests to it: whichever is refused gets a new one
 * for all.
 */
#include <arpa/inet.h>
#include <jansson.h>

#include "base/macro.h"
#include "pull/challenge.h"
#include "pull/credentials.h"
#include "pull/fetcher.h"

#define TOKEN_MAX (1 << 20)
#define RENEWALS 8		/* authorizations of one endpoint in one pull */

struct endpoint {
	const char *host;		/* with port, as it is in the address */
	const char *path;		/* of the image there */
	struct http_access access;
	bool probed;			/* its scheme is known */
	struct credentials credentials;
	uint32_t next;			/* credential to be tried */
	unsigned renewals;
	bool accepted;			/* the present credential has worked */
	char *authorization;
};

struct registry {
	struct endpoint *v;
	uint32_t n;
	struct endpoint *now;
};

/* ---- endpoints ---- */

static bool is_loopback(const char *host)
{
	struct in_addr ip;
	char name[64];
	size_t n = strcspn(host, ":");

	if (strncmp(host, "[::1]", 5) == 0)
		return true;
	if (n >= sizeof(name))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	return streq(name, "localhost") ||
	       (inet_pton(AF_INET, name, &ip) == 1 && ntohl(ip.s_addr) >> 24 == 127);
}

static const struct pull_registry *row_of(const struct pull_job *job, const char *host)
{
	for (uint32_t i = 0; i < job->registries.n; i++)
		if (streq(job->registries.v[i].host, host))
			return &job->registries.v[i];
	return NULL;
}

/* Loopback is as good as insecure, unless its CA is known. */
static struct http_access access_of(const struct pull_job *job, const char *host)
{
	const struct pull_registry *row = row_of(job, host);
	bool lax = row && row->insecure;

	if (is_loopback(host) && !(row && row->ca))
		lax = true;
	return (struct http_access){ .plain = lax, .unverified = lax, .ca = row ? row->ca : NULL };
}

static void add_endpoint(struct fetcher *f, struct registry *reg, const char *host,
			 const char *path)
{
	struct endpoint *e = arena_push(&f->arena, reg);
	struct reference r = { .host = host, .path = path };

	e->host = streq(host, "docker.io") ? "registry-1.docker.io" : host;
	e->path = path;
	e->access = access_of(f->job, host);
	e->probed = !e->access.plain;
	for (uint32_t i = 0; i < f->job->auths.n; i++)
		credentials_add(&f->arena, f->job->auths.v[i], &r, &e->credentials);
}

/* "HOST[:PORT][/PREFIX]" */
static void add_mirror(struct fetcher *f, struct registry *reg, const char *mirror)
{
	size_t n = strcspn(mirror, "/");
	const char *prefix = mirror[n] ? mirror + n + 1 : "";

	add_endpoint(f, reg, arena_strndup(&f->arena, mirror, n),
		     *prefix ? arena_printf(&f->arena, "%s/%s", prefix, f->ref.path) : f->ref.path);
}

static struct registry *open_registry(struct fetcher *f)
{
	const struct pull_registry *row = row_of(f->job, f->ref.host);
	struct registry *reg = f->source_state;

	if (reg)
		return reg;
	reg = f->source_state = arena_new(&f->arena, struct registry);
	for (uint32_t i = 0; row && i < row->mirrors.n; i++)
		add_mirror(f, reg, row->mirrors.v[i]);
	add_endpoint(f, reg, f->ref.host, f->ref.path);
	reg->now = reg->v;
	return reg;
}

static void close_registry(struct fetcher *f)
{
	struct registry *reg = f->source_state;

	for (uint32_t i = 0; reg && i < reg->n; i++) {
		if (reg->v[i].authorization)
			explicit_bzero(reg->v[i].authorization, strlen(reg->v[i].authorization));
		free(reg->v[i].authorization);
	}
}

static char *url_of(const struct endpoint *e, const char *rest)
{
	struct buf url = { 0 };

	buf_printf(&url, "%s://%s/v2/%s", e->access.plain ? "http" : "https", e->host, rest);
	return buf_take(&url);
}

/*
 * Of an insecure registry: does it speak TLS? As docker does, TLS is tried first, whoever vouches
 * for it.
 */
static void probe(struct fetcher *f, struct endpoint *e)
{
	struct transfer t = { .fd = -1, .limit = TOKEN_MAX, .access = e->access, .patience = 1 };
	struct transfer *one = &t;

	if (e->probed)
		return;
	e->probed = true;
	e->access.plain = false;
	t.url = url_of(e, "");
	transfers_run(&f->http, &one, 1);
	e->access.plain = !t.code;
	transfer_release(&t);
}

/* ---- authentication ---- */

/* The host of a realm is whoever the registry says; TLS to it is checked as to any other. */
static struct http_access access_of_url(struct fetcher *f, const char *url)
{
	struct http_access access = { 0 };
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		curl_url_get(u, CURLUPART_PORT, &port, 0);
		access = access_of(f->job, port ? arena_printf(&f->arena, "%s:%s", host, port) :
						  arena_strdup(&f->arena, host));
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return access;
}

static void add_parameter(struct buf *out, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);

	buf_printf(out, "%s%s=%s", out->len ? "&" : "", name, escaped ? escaped : "");
	curl_free(escaped);
}

/* The query of a token request; with a refresh token it is a form (OAuth2). */
static void token_request(struct fetcher *f, const struct challenge *c,
			  const struct endpoint *e, const struct credential *who,
			  struct transfer *t)
{
	BUF_AUTO form = { 0 };
	struct buf url = { 0 };

	if (*c->service)
		add_parameter(&form, "service", c->service);
	if (*c->scope || *e->path)
		add_parameter(&form, "scope", *c->scope ? c->scope :
			      arena_printf(&f->arena, "repository:%s:pull", e->path));
	if (who && who->identity) {
		add_parameter(&form, "grant_type", "refresh_token");
		add_parameter(&form, "client_id", "orch");
		add_parameter(&form, "refresh_token", who->identity);
		t->post = buf_take(&form);
		t->url = strdup(c->realm);
		return;
	}
	buf_printf(&url, "%s%c%s", c->realm, strchr(c->realm, '?') ? '&' : '?', buf_str(&form));
	t->url = buf_take(&url);
	if (who)
		t->authorization = strdup(credential_basic(&f->arena, who));
}

static char *read_token(const struct buf *body)
{
	static const char *const names[] = { "token", "access_token" };
	json_t *root = json_loadb(buf_str(body), body->len, 0, NULL);
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names) && !out.len; i++) {
		const char *s = json_string_value(json_object_get(root, names[i]));

		if (s && *s)
			buf_printf(&out, "Bearer %s", s);
	}
	json_decref(root);
	return out.len ? buf_take(&out) : NULL;
}

static enum transfer_next token_finished(struct transfer *t)
{
	return transfer_may_recover(t) ? transfer_retry(t) : TRANSFER_FAILED;
}

/* NULL: it was refused, and err says so. In a multi handle of its own: others wait meanwhile. */
static char *get_token(struct fetcher *f, const struct challenge *c, const struct endpoint *e,
		       const struct credential *who, struct err *err)
{
	struct transfer t = { .fd = -1, .limit = TOKEN_MAX, .patience = 2,
			      .finished = token_finished };
	struct transfer *one = &t;
	struct transfers http;
	BUF_AUTO why = { 0 };
	char *token = NULL;

	t.access = access_of_url(f, c->realm);
	token_request(f, c, e, who, &t);
	if (transfers_init(&http) < 0) {
		err_set(err, -ENOMEM, "curl");
	} else {
		transfers_run(&http, &one, 1);
		if (t.code >= 200 && t.code < 300 && t.result == CURLE_OK)
			token = read_token(&t.body);
		transfer_describe(&t, &why);
		if (!token)
			err_set(err, -EACCES, "failed to fetch a token from %s: %s", c->realm,
				t.code == 200 ? "there is none in the answer" : buf_str(&why));
		f->retry_after = t.retry_after;
		transfer_release(&t);
		transfers_release(&http);
		return token;
	}
	transfer_release(&t);
	return NULL;
}

static char *make_authorization(struct fetcher *f, const struct challenge *c,
				const struct endpoint *e, const struct credential *who,
				struct err *err)
{
	struct buf bearer = { 0 };

	if (c->scheme == CHALLENGE_BASIC && who && who->user)
		return strdup(credential_basic(&f->arena, who));
	if (c->scheme == CHALLENGE_BEARER && who && who->bearer) {
		buf_printf(&bearer, "Bearer %s", who->bearer);
		return buf_take(&bearer);
	}
	if (c->scheme == CHALLENGE_BEARER)
		return get_token(f, c, e, who, err);
	err_set(err, -EACCES, who ? "there are no credentials of a kind that it takes" :
				    "no basic auth credentials");
	return NULL;
}

/*
 * The authorization was refused, or there was none: the next credential. One that has worked
 * before is tried again, since tokens expire.
 */
static bool authorize(struct fetcher *f, struct endpoint *e, const char *challenge,
		      struct err *err)
{
	struct challenge c = challenge_parse(&f->arena, challenge);
	uint32_t choices = MAX(e->credentials.n, 1u);

	if (e->authorization && e->accepted && e->next)
		e->next--;
	free(e->authorization);
	e->authorization = NULL;
	e->accepted = false;
	if (c.scheme == CHALLENGE_NONE)
		return false;
	while (!e->authorization && e->next < choices && e->renewals++ < RENEWALS) {
		const struct credential *who = e->credentials.n ? &e->credentials.v[e->next] : NULL;

		e->next++;
		e->authorization = make_authorization(f, &c, e, who, err);
	}
	return e->authorization != NULL;
}

/* ---- requests ---- */

struct request {
	struct fetcher *f;
	struct endpoint *e;
	struct transfer t;
	struct part *part;
	struct err denied;		/* why no authorization could be had */
	struct err failed;		/* of the part, after it came */
};

static void set_authorization(struct request *q)
{
	free(q->t.authorization);
	q->t.authorization = q->e->authorization ? strdup(q->e->authorization) : NULL;
}

static bool same_text(const char *x, const char *y)
{
	return (!x && !y) || (x && y && streq(x, y));
}

static enum transfer_next refused(struct request *q)
{
	if (same_text(q->t.authorization, q->e->authorization) &&
	    !authorize(q->f, q->e, q->t.challenge, &q->denied))
		return TRANSFER_FAILED;
	set_authorization(q);
	q->t.attempts--;
	return TRANSFER_AGAIN;
}

static enum transfer_next request_finished(struct transfer *t)
{
	struct request *q = t->data;

	if (t->code == 401)
		return refused(q);
	if (transfer_may_recover(t) && !(t->head && t->code))
		return transfer_retry(t);
	if (t->result != CURLE_OK || t->code >= 300) {
		q->f->retry_after = MAX(q->f->retry_after, t->retry_after);
		return TRANSFER_FAILED;
	}
	q->e->accepted = true;
	if (!q->part)
		return TRANSFER_DONE;
	if (q->part->fd < 0)
		buf_add(&q->part->text, buf_str(&t->body), t->body.len);
	return fetcher_arrived(q->f, q->part, &q->failed) < 0 ? TRANSFER_FAILED : TRANSFER_DONE;
}

static void request_init(struct request *q, struct fetcher *f, struct endpoint *e,
			 const char *rest, struct part *part)
{
	*q = (struct request){ .f = f, .e = e, .part = part };
	q->t = (struct transfer){
		.fd = part ? part->fd : -1, .limit = MANIFEST_MAX, .patience = part ? 5 : 2,
		.finished = request_finished, .access = e->access, .data = q,
	};
	if (part) {
		q->t.limit = part->d.size;
		q->t.exact = true;
	}
	q->t.url = url_of(e, rest);
	set_authorization(q);
}

static void request_release(struct request *q)
{
	q->t.fd = -1;
	transfer_release(&q->t);
}

/* What the registry says about it itself: {"errors": [{"code": "...", "message": "..."}]}. */
static void server_words(const struct transfer *t, struct buf *out)
{
	json_t *root = json_loadb(buf_str(&t->body), t->body.len, 0, NULL);
	json_t *first = json_array_get(json_object_get(root, "errors"), 0);
	const char *message = json_string_value(json_object_get(first, "message"));
	const char *code = json_string_value(json_object_get(first, "code"));

	if (message || code)
		buf_printf(out, ": %.60s%s%.200s", code ? code : "", code && message ? ": " : "",
			   message ? message : "");
	json_decref(root);
}

/* Connection errors, first of all, are worth naming the address for. */
static int describe(const struct request *q, struct err *err)
{
	const struct transfer *t = &q->t;
	BUF_AUTO why = { 0 };

	if (q->failed.code)
		return err_set(err, q->failed.code, "%s", q->failed.msg);
	transfer_describe(t, &why);
	if (t->code >= 300)
		server_words(t, &why);
	if (t->code == 404)
		return err_set(err, -ENOENT, "not found");
	if (t->code == 401 || t->code == 403)
		return err_set(err, -EACCES, "pull access denied, repository does not exist or may "
			       "require authorization: %s",
			       q->denied.code ? q->denied.msg : buf_str(&why));
	if (t->error)
		return err_set(err, t->error, "%s", buf_str(&why));
	return err_set(err, -EIO, "failed to do request: %s \"%.300s\": %s",
		       t->head ? "Head" : "Get", t->url, buf_str(&why));
}

/* ---- the source ---- */

static int get_manifest(struct fetcher *f, struct endpoint *e, const char *which, struct buf *out,
			const char **ret_type, struct err *err)
{
	struct request q;
	struct transfer *one = &q.t;
	const char *rest = arena_printf(&f->arena, "%s/manifests/%s", e->path, which);

	probe(f, e);
	request_init(&q, f, e, rest, NULL);
	q.t.accept = MANIFEST_TYPES;
	int r = transfers_run(&f->http, &one, 1);
	if (r < 0) {
		r = describe(&q, err);
	} else {
		buf_add(out, buf_str(&q.t.body), q.t.body.len);
		*ret_type = arena_strdup(&f->arena, q.t.type);
	}
	request_release(&q);
	return r;
}

/*
 * What a HEAD request says, which registries that count requests let pass. Some know none, or say
 * little: then 0 and no digest, and the manifest itself is asked for. An error is one that it would
 * meet as well.
 */
static int head_manifest(struct fetcher *f, struct endpoint *e, const char *which,
			 struct descriptor *ret, struct err *err)
{
	struct request q;
	struct transfer *one = &q.t;
	const char *rest = arena_printf(&f->arena, "%s/manifests/%s", e->path, which);
	int r = 0;

	probe(f, e);
	request_init(&q, f, e, rest, NULL);
	q.t.accept = MANIFEST_TYPES;
	q.t.head = true;
	if (transfers_run(&f->http, &one, 1) == 0) {
		*ret = (struct descriptor){ .size = q.t.length };
		ret->type = arena_strdup(&f->arena, q.t.type);
		ret->digest = digest_valid(q.t.digest) && q.t.length ?
			arena_strdup(&f->arena, q.t.digest) : NULL;
	} else if (!q.t.code || q.t.code == 401 || q.t.code == 403 || q.t.code == 429) {
		r = describe(&q, err);
	}
	request_release(&q);
	return r;
}

static int registry_resolve(struct fetcher *f, const char *which, struct descriptor *ret,
			    struct err *err)
{
	struct registry *reg = open_registry(f);
	int r;

	*ret = (struct descriptor){ 0 };
	for (;;) {
		r = head_manifest(f, reg->now, which, ret, err);
		if (r == 0 || reg->now == &reg->v[reg->n - 1])
			return r;
		reg->now++;
	}
}

static int registry_manifest(struct fetcher *f, const char *which, struct buf *out,
			     const char **ret_type, struct err *err)
{
	struct registry *reg = open_registry(f);
	int r;

	for (;;) {
		r = get_manifest(f, reg->now, which, out, ret_type, err);
		if (r == 0 || reg->now == &reg->v[reg->n - 1])
			return r;
		reg->now++;
	}
}

/* Those that did not arrive yet, from the present endpoint. */
static int get_parts(struct fetcher *f, struct endpoint *e, struct part *v, unsigned n,
		     struct err *err)
{
	struct request *q = arena_array(&f->arena, struct request, n + 1);
	struct transfer **t = arena_array(&f->arena, struct transfer *, n + 1);
	unsigned wanted = 0;
	int r;

	probe(f, e);
	for (unsigned i = 0; i < n; i++) {
		if (v[i].arrived)
			continue;
		request_init(&q[wanted], f, e,
			     arena_printf(&f->arena, "%s/blobs/%s", e->path, v[i].d.digest), &v[i]);
		t[wanted] = &q[wanted].t;
		wanted++;
	}
	r = transfers_run(&f->http, t, wanted);
	for (unsigned i = 0; r < 0 && i < wanted; i++) {
		if (!t[i]->over || (q[i].part->arrived && !q[i].failed.code))
			continue;
		r = describe(&q[i], err);
		err_prefix(err, "%s %s", q[i].part->what, q[i].part->d.digest);
		break;
	}
	for (unsigned i = 0; i < wanted; i++)
		request_release(&q[i]);
	return r;
}

static int registry_parts(struct fetcher *f, struct part *v, unsigned n, struct err *err)
{
	struct registry *reg = open_registry(f);
	int r;

	for (;;) {
		r = get_parts(f, reg->now, v, n, err);
		if (r == 0 || r == -ENOSPC || reg->now == &reg->v[reg->n - 1])
			return r;
		reg->now++;
	}
}

const struct source registry_source = {
	.resolve = registry_resolve, .manifest = registry_manifest, .parts = registry_parts,
	.close = close_registry,
};

int registry_login(struct fetcher *f, const char *host, struct err *err)
{
	struct registry reg = { 0 };
	struct request q;
	struct transfer *one = &q.t;
	int r;

	add_endpoint(f, &reg, host, "");
	probe(f, reg.v);
	request_init(&q, f, reg.v, "", NULL);
	r = transfers_run(&f->http, &one, 1);
	if (r < 0 && (q.t.code == 401 || q.t.code == 403))
		r = err_set(err, -EACCES, "%s refuses this user name and password", host);
	else if (r < 0)
		r = describe(&q, err);
	request_release(&q);
	free(reg.v->authorization);
	return r;
}
