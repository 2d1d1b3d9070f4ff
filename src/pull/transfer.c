/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One easy handle per attempt, all in one multi handle that keeps connections; transfer.h. */
#include "pull/transfer.h"

#include <fcntl.h>
#include <strings.h>

#include "base/macro.h"
#include "base/units.h"

#define FAILURE_BODY (16 * 1024)	/* of what a server says about a failure */
#define PAUSE (500 * MSEC)		/* before the second attempt, then doubled */
#define PROGRESS_MS 250
#define STALL_S 30			/* so long without a byte is a broken connection */
#define CONNECT_S 20
#define REDIRECTS 10
#define BUFFER (512 * 1024L)

int transfers_init(struct transfers *all)
{
	*all = (struct transfers){ 0 };
	all->multi = curl_multi_init();
	return all->multi ? 0 : -ENOMEM;
}

void transfers_release(struct transfers *all)
{
	curl_multi_cleanup(all->multi);
	all->multi = NULL;
}

static void end_attempt(struct transfer *t)
{
	if (t->easy && t->all)
		curl_multi_remove_handle(t->all->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	t->easy = NULL;
	t->headers = NULL;
	t->running = false;
}

void transfer_release(struct transfer *t)
{
	end_attempt(t);
	if (t->authorization)
		explicit_bzero(t->authorization, strlen(t->authorization));
	free(t->authorization);
	free(t->url);
	free(t->post);
	buf_release(&t->body);
	*t = (struct transfer){ .fd = -1 };
}

/* ---- what comes ---- */

static long status_of(const struct transfer *t)
{
	long code = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

/* The server did not take the range: the body is the whole, from its first byte on. */
static int begin_anew(struct transfer *t)
{
	t->got = 0;
	if (t->fd >= 0 && (ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0))
		return -errno;
	return 0;
}

static int write_file(struct transfer *t, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(t->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
		t->got += (uint64_t)w;
		t->all->received += (uint64_t)w;
	}
	return 0;
}

static int take(struct transfer *t, const char *p, size_t n)
{
	long code = status_of(t);

	if (code >= 300) {
		if (t->body.len + n <= FAILURE_BODY)
			buf_add(&t->body, p, n);
		return 0;
	}
	if (!t->told && code != 206 && begin_anew(t) < 0)
		return -errno;
	t->told = true;
	if (n > t->limit - MIN(t->got, t->limit))
		return -EFBIG;
	if (t->fd >= 0)
		return write_file(t, p, n);
	buf_add(&t->body, p, n);
	t->got += n;
	return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;

	t->error = take(t, p, size * n);
	return t->error ? CURL_WRITEFUNC_ERROR : size * n;
}

static void keep(char *to, size_t room, const char *value, size_t n)
{
	while (n > 0 && (value[n - 1] == '\r' || value[n - 1] == '\n' || value[n - 1] == ' '))
		n--;
	if (n >= room)
		return;		/* longer than any that is meant well */
	memcpy(to, value, n);
	to[n] = '\0';
}

/* A redirect's answer comes before the one that counts: each status line starts afresh. */
static size_t on_header(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	const struct { const char *name; char *to; size_t room; } wanted[] = {
		{ "content-type:", t->type, sizeof(t->type) },
		{ "www-authenticate:", t->challenge, sizeof(t->challenge) },
		{ "docker-content-digest:", t->digest, sizeof(t->digest) },
	};
	size_t len = size * n;

	if (len > 5 && strncasecmp(p, "HTTP/", 5) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			*wanted[i].to = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t k = strlen(wanted[i].name);

		if (len <= k || strncasecmp(p, wanted[i].name, k) != 0)
			continue;
		while (k < len && p[k] == ' ')
			k++;
		keep(wanted[i].to, wanted[i].room, p + k, len - k);
	}
	return len;
}

/* ---- one attempt ---- */

static void set_access(struct transfer *t)
{
	const char *protocols = t->access.plain ? "http,https" : "https";
	struct curl_blob ca = { (void *)t->access.ca, t->access.ca ? strlen(t->access.ca) : 0,
				CURL_BLOB_NOCOPY };

	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(t->easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
	if (ca.len)
		curl_easy_setopt(t->easy, CURLOPT_CAINFO_BLOB, &ca);
	if (t->access.unverified) {
		curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
	BUF_AUTO line = { 0 };

	if (!value)
		return;
	buf_printf(&line, "%s: %s", name, value);
	t->headers = curl_slist_append(t->headers, buf_str(&line));
	explicit_bzero(line.data, line.len);
}

/* Authorization as a header of ours: curl drops it when a redirect leads to another host. */
static void set_request(struct transfer *t)
{
	char range[32];

	add_header(t, "Accept", t->accept);
	add_header(t, "Authorization", t->authorization);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "orch/0.1.0");
	if (t->post)
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->post);
	curl_easy_setopt(t->easy, CURLOPT_NOBODY, (long)t->head);
	if (t->fd >= 0 && t->got) {
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)t->got);
		curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
	}
}

static void set_limits(struct transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, BUFFER);
}

static int begin_attempt(struct transfers *all, struct transfer *t)
{
	t->easy = curl_easy_init();
	if (!t->easy)
		return -ENOMEM;
	t->all = all;
	t->attempts++;
	t->code = 0;
	t->error = 0;
	t->retry_after = 0;
	t->told = false;
	*t->message = '\0';
	buf_reset(&t->body);
	t->got = t->fd >= 0 ? (uint64_t)MAX(lseek(t->fd, 0, SEEK_END), 0) : 0;
	set_access(t);
	set_request(t);
	set_limits(t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->message);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	t->running = true;
	return curl_multi_add_handle(all->multi, t->easy) == CURLM_OK ? 0 : -ENOMEM;
}

/* ---- how it went ---- */

static bool complete(const struct transfer *t)
{
	return !t->exact || t->got == t->limit;
}

static bool succeeded(const struct transfer *t)
{
	return t->result == CURLE_OK && t->code >= 200 && t->code < 300 && complete(t);
}

/* curl decides many things of its own that no other attempt would change. */
bool transfer_may_recover(const struct transfer *t)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_OPERATION_TIMEDOUT,
		CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
		CURLE_HTTP2, CURLE_HTTP2_STREAM,
	};

	if (t->error)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (t->result == passing[i])
			return true;
	if (t->result != CURLE_OK)
		return false;
	return t->code == 408 || t->code == 416 || t->code >= 500 || (t->code < 300 && !complete(t));
}

enum transfer_next transfer_retry(struct transfer *t)
{
	if (t->attempts >= t->patience)
		return TRANSFER_FAILED;
	if (t->code == 416 && begin_anew(t) < 0)
		return TRANSFER_FAILED;
	t->not_before = time_mono() + (PAUSE << (t->attempts - 1));
	return TRANSFER_AGAIN;
}

static const char *status_text(long code)
{
	static const struct { long code; const char *text; } names[] = {
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
		{ 408, "Request Timeout" }, { 429, "Too Many Requests" },
		{ 500, "Internal Server Error" }, { 502, "Bad Gateway" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			return names[i].text;
	return "";
}

void transfer_describe(const struct transfer *t, struct buf *out)
{
	if (t->error == -EFBIG)
		buf_printf(out, "more than %llu bytes", (unsigned long long)t->limit);
	else if (t->error)
		buf_puts(out, strerror(-t->error));
	else if (t->code >= 300)
		buf_printf(out, "unexpected status %ld %s", t->code, status_text(t->code));
	else if (t->result == CURLE_OK && !complete(t))
		buf_printf(out, "truncated: got %llu of %llu bytes", (unsigned long long)t->got,
			   (unsigned long long)t->limit);
	else
		buf_puts(out, *t->message ? t->message : curl_easy_strerror(t->result));
}

/* ---- all of them ---- */

static void finish(struct transfer *t, CURLcode result)
{
	curl_off_t wait = 0, length = 0;

	t->result = result;
	t->code = status_of(t);
	if (curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
		t->retry_after = (unsigned)MIN(wait, (curl_off_t)86400);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	t->length = (uint64_t)MAX(length, (curl_off_t)0);
	end_attempt(t);
}

static int decide(struct transfer *t)
{
	enum transfer_next next = succeeded(t) && !t->finished ? TRANSFER_DONE :
				  t->finished ? t->finished(t) : TRANSFER_FAILED;

	t->over = next != TRANSFER_AGAIN;
	return next == TRANSFER_FAILED ? -EIO : 0;
}

static int reap(struct transfers *all)
{
	CURLMsg *m;
	int left, r = 0;

	while (r == 0 && (m = curl_multi_info_read(all->multi, &left))) {
		CURLcode result = m->data.result;
		char *t;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		finish((struct transfer *)t, result);
		r = decide((struct transfer *)t);
	}
	return r;
}

/* Begins what may begin. *ret_wait: ms until more may. */
static int begin(struct transfers *all, struct transfer *const *v, unsigned n, int *ret_wait,
		 unsigned *ret_left)
{
	int64_t now = time_mono(), soonest = now + PROGRESS_MS * MSEC;
	unsigned running = 0, left = 0;
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		running += v[i]->running;
		left += !v[i]->over;
	}
	for (unsigned i = 0; r == 0 && i < n && running < TRANSFER_PARALLEL; i++) {
		if (v[i]->running || v[i]->over)
			continue;
		if (v[i]->not_before > now) {
			soonest = MIN(soonest, v[i]->not_before);
			continue;
		}
		r = begin_attempt(all, v[i]);
		running++;
	}
	*ret_wait = (int)((soonest - now) / MSEC) + 1;
	*ret_left = left;
	return r;
}

int transfers_run(struct transfers *all, struct transfer *const *v, unsigned n)
{
	unsigned left;
	int wait, active, r;

	for (;;) {
		r = begin(all, v, n, &wait, &left);
		if (r < 0 || !left)
			break;
		if (curl_multi_perform(all->multi, &active) != CURLM_OK ||
		    curl_multi_poll(all->multi, NULL, 0, active || wait < PROGRESS_MS ? wait : 1,
				    NULL) != CURLM_OK) {
			r = -EIO;
			break;
		}
		r = reap(all);
		if (r < 0)
			break;
		if (all->progress)
			all->progress(all->data);
	}
	for (unsigned i = 0; i < n; i++)
		end_attempt(v[i]);
	return r;
}
