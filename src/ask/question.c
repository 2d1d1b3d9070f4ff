/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions and answers; see question.h. Whoever asks is trusted. */
#include "ask/question.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "ask/cage.h"
#include "base/macro.h"
#include "base/sock.h"

struct asked {
	char *text;
	size_t n;
	char **env;
	struct question q;
};

const char *question_env(const struct question *q, const char *name)
{
	size_t n = strlen(name);

	for (char *const *e = q->env; *e; e++) {
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	}
	return NULL;
}

static int domain(int fd)
{
	int v = -1;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &(socklen_t){ sizeof(v) }) < 0 ? -1 : v;
}

/* The one who has begun it does not block, and waited for a whole line. */
static int connection(int fd)
{
	if (domain(fd) != AF_INET && domain(fd) != AF_INET6)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &(int){ 1 }, sizeof(int));
	fcntl(fd, F_SETFL, 0);
	return fd;
}

/* ---- once ---- */

static int run_once(int argc, char *argv[], question_answer *answer, void *data)
{
	struct question q = { .env = environ, .connection = connection(STDIN_FILENO) };
	char warning[256] = "";
	struct err err = { 0 };

	for (int i = 0; i < MIN(argc, QUESTION_ARGS); i++)
		q.args[i] = argv[i];
	int r = answer(data, &q, warning, &err);
	fputs(r < 0 ? err.msg : warning, stdout);
	return r < 0;
}

/* ---- again and again ---- */

/* Strings up to the end, or up to an empty one: their number. */
static size_t count(const char *s, const char *end)
{
	size_t n = 0;

	for (; s < end && *s; s += strlen(s) + 1)
		n++;
	return n;
}

static void split(struct asked *a)
{
	char *s = a->text, *end = a->text + a->n;
	size_t n = count(s, end);

	a->env = calloc(n + 1, sizeof(*a->env));
	if (!a->env)
		abort();
	for (size_t i = 0; i < n; i++, s += strlen(s) + 1)
		a->env[i] = s;
	a->q.env = a->env;
	s++;
	for (size_t i = 0; s < end && i < QUESTION_ARGS; i++, s += strlen(s) + 1)
		a->q.args[i] = s;
}

/* 1, or 0 at the end, or -errno. */
static int receive(struct asked *a)
{
	unsigned nfds = 1;
	int fd = -1;
	ssize_t n = recv(STDIN_FILENO, NULL, 0, MSG_PEEK | MSG_TRUNC);

	if (n <= 0)
		return n < 0 ? -errno : 0;
	a->text = malloc((size_t)n + 1);
	if (!a->text)
		abort();
	n = sock_recv(STDIN_FILENO, a->text, (size_t)n, &fd, &nfds);
	if (n < 0)
		return (int)n;
	a->n = (size_t)n;
	a->text[n] = '\0';
	a->q = (struct question){ .connection = connection(fd), .caged = true };
	split(a);
	return 1;
}

static int reply(struct asked *a, question_answer *answer, void *data)
{
	char warning[256] = "", text[1 + sizeof(((struct err *)0)->msg)];
	struct err err = { 0 };
	int r = answer(data, &a->q, warning, &err);
	int n = snprintf(text, sizeof(text), "%d%s", r < 0, r < 0 ? err.msg : warning);

	if (a->q.connection >= 0)
		close(a->q.connection);
	r = (int)sock_send(STDIN_FILENO, text, (size_t)MIN(n, (int)sizeof(text) - 1), NULL, 0);
	return r < 0 ? r : 0;
}

static int run_again(question_answer *answer, void *data)
{
	struct err err = { 0 };
	int r = cage_enter(&err);

	while (r >= 0) {
		struct asked a = { 0 };

		r = receive(&a);
		if (r > 0)
			r = reply(&a, answer, data);
		else if (r == 0)
			return 0;
		free(a.env);
		free(a.text);
	}
	return 1;
}

int question_run(int argc, char *argv[], question_answer *answer, void *data)
{
	return domain(STDIN_FILENO) == AF_UNIX ? run_again(answer, data) :
						 run_once(argc, argv, answer, data);
}
