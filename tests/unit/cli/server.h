/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that answers HTTP requests on a unix socket from a table: the first row whose words are
 * in the request line gives the answer, sent in the pieces that the row has. What was asked for is
 * kept in a file, a request line each.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/macro.h"
#include "base/sock.h"

#define PIECES_MAX 12

struct answer {
	const char *words;			/* of the request line */
	const char *pieces[PIECES_MAX];		/* each its own packet */
	bool fds; /* the second piece carries descriptors: a pipe, twice */
};

struct server {
	char dir[32], socket[64], asked[64];
	pid_t pid;
};

static inline void server_send(int fd, const struct answer *a)
{
	int pipe_fds[2];

	for (unsigned i = 0; i < PIECES_MAX && a->pieces[i]; i++) {
		if (i)
			nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		if (a->fds && i == 1 && pipe2(pipe_fds, O_CLOEXEC) == 0)
			(void)!sock_send(fd, a->pieces[i], 1, pipe_fds, 2);
		else
			(void)!send(fd, a->pieces[i], strlen(a->pieces[i]), MSG_NOSIGNAL);
	}
}

static inline void server_one(int fd, const struct answer *answers, FILE *asked)
{
	char request[4096] = "";
	size_t n = 0;

	while (n < sizeof(request) - 1 && !strstr(request, "\r\n\r\n")) {
		ssize_t r = read(fd, request + n, sizeof(request) - 1 - n);

		if (r <= 0)
			return;
		n += (size_t)r;
		request[n] = '\0';
	}
	request[strcspn(request, "\r")] = '\0';
	fprintf(asked, "%s\n", request);
	fflush(asked);
	for (const struct answer *a = answers; a->words; a++) {
		if (strstr(request, a->words)) {
			server_send(fd, a);
			return;
		}
	}
}

static inline void server_start(struct server *s, const struct answer *answers)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };

	snprintf(s->dir, sizeof(s->dir), "/tmp/orch-cli.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->socket, sizeof(s->socket), "%s/api.sock", s->dir);
	snprintf(s->asked, sizeof(s->asked), "%s/asked", s->dir);
	snprintf(where.sun_path, sizeof(where.sun_path), "%s", s->socket);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(bind(listener, (struct sockaddr *)&where, sizeof(where)), errno);
	assert_return_code(listen(listener, 8), errno);
	FILE *asked = fopen(s->asked, "we");
	assert_non_null(asked);
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);	/* a test that dies leaves nobody behind */
		for (;;) {
			int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

			if (fd < 0)
				_exit(1);
			server_one(fd, answers, asked);
			close(fd);
		}
	}
	assert_true(s->pid > 0);
	fclose(asked);
	close(listener);
}

static inline void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->socket);
	unlink(s->asked);
	rmdir(s->dir);
}

static inline bool server_was_asked(const struct server *s, const char *words)
{
	char text[8192] = "";
	FILE *f = fopen(s->asked, "re");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return strstr(text, words);
}

/* A whole answer in one piece. */
#define HTTP(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n\r\n" body
