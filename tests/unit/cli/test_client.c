/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP client against a process that answers byte for byte what a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/client.h"
#include "server.h"

static const struct answer answers[] = {
	{ "/length", { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more" }, false },
	{ "/split",
	  { "HTTP/1.", "1 200 OK\r", "\ncontent-LENGTH:  5\r\n", "\r", "\nhe", "llo" },
	  false },
	{ "/until-the-end", { "HTTP/1.1 200 OK\r\n\r\n", "one ", "two" }, false },
	{ "/chunked",
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n", "1",
	    "\r\n \r\n6;name=value\r\nwo", "rld\n\r", "\n0\r\n\r\n" },
	  false },
	{ "/cut-length", { "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello" }, false },
	{ "/cut-chunk", { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe" }, false },
	{ "/cut-head", { "HTTP/1.1 200 OK\r\nContent-" }, false },
	{ "/bad-chunk",
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n" },
	  false },
	{ "/garbage", { "SSH-2.0-OpenSSH\r\n\r\n" }, false },
	{ "/silent", { NULL }, false },
	{ "/refused", { "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone" }, false },
	{ "/upgrade",
	  { "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", "+",
	    "{\"exitCode\":3}\n" },
	  true },
	{ NULL, { NULL }, false },
};

static int start(void **state)
{
	static struct server s;

	server_start(&s, answers);
	*state = &s;
	return 0;
}

static int stop(void **state)
{
	server_stop(*state);
	return 0;
}

static int get(void **state, const char *path, struct response *r, struct err *err)
{
	struct server *s = *state;
	struct client c = { s->socket };

	*r = (struct response){ 0 };
	*err = (struct err){ 0 };
	return client_request(&c, "GET", path, NULL, r, err);
}

static void bodies_come_whole(void **state)
{
	static const struct { const char *path, *body; } cases[] = {
		{ "/length", "hello" }, { "/split", "hello" }, { "/until-the-end", "one two" },
		{ "/chunked", "hello world\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct response r;
		struct err err;

		assert_int_equal(get(state, cases[i].path, &r, &err), 0);
		assert_int_equal(r.code, 200);
		assert_string_equal(buf_str(&r.body), cases[i].body);
		response_release(&r);
	}
}

static void half_an_answer_is_an_error(void **state)
{
	static const char *const paths[] = { "/cut-length", "/cut-chunk", "/cut-head", "/bad-chunk",
					     "/garbage", "/silent" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct response r;
		struct err err;

		assert_int_equal(get(state, paths[i], &r, &err), -EPROTO);
		assert_string_equal(err.msg, "orchd closed the connection");
		response_release(&r);
	}
}

static void a_refusal_has_its_body(void **state)
{
	struct response r;
	struct err err;

	assert_int_equal(get(state, "/refused", &r, &err), 0);
	assert_int_equal(r.code, 404);
	assert_string_equal(buf_str(&r.body), "none");
	response_release(&r);
}

static void nobody_listens(void **state)
{
	struct client c = { "/tmp/orch-cli-nobody/api.sock" };
	struct response r = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(client_request(&c, "GET", "/x", NULL, &r, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "can't reach orchd"));
	response_release(&r);
}

static void a_dead_socket_refuses(void **state)
{
	struct server s;
	struct client c = { s.socket };
	struct response r = { 0 };
	struct err err = { 0 };

	(void)state;
	server_start(&s, answers);
	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, 0);
	assert_int_equal(client_request(&c, "GET", "/x", NULL, &r, &err), -ECONNREFUSED);
	response_release(&r);
	unlink(s.socket);
	unlink(s.asked);
	rmdir(s.dir);
}

struct seen { struct buf text; unsigned calls, limit; };

static bool see(void *data, const char *p, size_t n)
{
	struct seen *s = data;

	buf_add(&s->text, p, n);
	return ++s->calls < s->limit;
}

static void a_stream_is_handed_on_as_it_comes(void **state)
{
	struct server *s = *state;
	struct client c = { s->socket };
	struct response r = { 0 };
	struct err err = { 0 };
	struct seen seen = { .limit = 100 };

	assert_int_equal(client_stream(&c, "/chunked", NULL, see, &seen, &r, &err), 0);
	assert_string_equal(seen.text.data, "hello world\n");
	assert_true(seen.calls >= 3);
	assert_int_equal(r.body.len, 0);
	buf_release(&seen.text);

	seen = (struct seen){ .limit = 1 };
	assert_int_equal(client_stream(&c, "/chunked", NULL, see, &seen, &r, &err), 0);
	assert_int_equal(seen.calls, 1);
	buf_release(&seen.text);

	seen = (struct seen){ .limit = 100 };
	assert_int_equal(client_stream(&c, "/refused", NULL, see, &seen, &r, &err), 0);
	assert_int_equal(seen.calls, 0);
	assert_string_equal(buf_str(&r.body), "none");
	buf_release(&seen.text);
	response_release(&r);
}

static void after_an_upgrade_the_rest_is_left_alone(void **state)
{
	struct server *s = *state;
	struct client c = { s->socket };
	struct response r = { 0 };
	struct err err = { 0 };
	char first[2] = "", rest[64] = "";
	int fds[SOCK_FDS_MAX];
	unsigned n = SOCK_FDS_MAX;

	int fd = client_upgrade(&c, "/upgrade", "orch-exec", &r, &err);
	assert_true(fd >= 0);
	assert_int_equal(sock_recv(fd, first, 1, fds, &n), 1);
	assert_string_equal(first, "+");
	assert_int_equal(n, 2);
	assert_int_equal(write(fds[1], "x", 1), 1);	/* the two ends of one pipe */
	assert_int_equal(read(fds[0], first, 1), 1);
	assert_string_equal(first, "x");
	assert_int_equal(read(fd, rest, sizeof(rest) - 1), 15);
	assert_string_equal(rest, "{\"exitCode\":3}\n");
	close(fds[0]);
	close(fds[1]);
	close(fd);
	response_release(&r);
}

static void an_upgrade_that_is_refused(void **state)
{
	struct server *s = *state;
	struct client c = { s->socket };
	struct response r = { 0 };
	struct err err = { 0 };

	assert_int_equal(client_upgrade(&c, "/refused", "orch-exec", &r, &err), -EPROTO);
	assert_int_equal(r.code, 404);
	assert_string_equal(buf_str(&r.body), "none");
	response_release(&r);
}

static void words_in_a_query(void **state)
{
	BUF_AUTO b = { 0 };

	(void)state;
	url_encode(&b, "a b&c=d/\xc3\xa4~-._");
	assert_string_equal(buf_str(&b), "a%20b%26c%3Dd%2F%C3%A4~-._");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_come_whole),
		cmocka_unit_test(half_an_answer_is_an_error),
		cmocka_unit_test(a_refusal_has_its_body),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_dead_socket_refuses),
		cmocka_unit_test(a_stream_is_handed_on_as_it_comes),
		cmocka_unit_test(after_an_upgrade_the_rest_is_left_alone),
		cmocka_unit_test(an_upgrade_that_is_refused),
		cmocka_unit_test(words_in_a_query),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
