/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port-forward: listens here, and for each client asks orchd for a connection that was made
 * inside the pod's network namespace. One child process per client moves its bytes; the end of
 * one direction is passed on as such, and so is a reset.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "cli/handover.h"
#include "cli/pods.h"
#include "cli/print.h"

#define FORWARDS_MAX 64

struct forward {
	uint16_t local, remote;
	int fd;				/* listens */
};

struct forwards {
	const char *ns, *pod;
	struct in_addr address;
	struct forward v[FORWARDS_MAX];
	unsigned n;
};

/* ---- which ports ---- */

static bool is_port(const char *s, size_t n, uint16_t *ret)
{
	unsigned long v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || v > 65535)
			return false;
		v = v * 10 + (unsigned long)(s[i] - '0');
	}
	*ret = (uint16_t)v;
	return n && v >= 1 && v <= 65535;
}

static json_t *port_of(json_t *ports, const char *name, const char *number_key, uint16_t number)
{
	json_t *p;
	size_t i;

	json_array_foreach(ports, i, p)
		if (number ? json_number(p, number_key) == number :
			     streq(json_text(p, "name"), name))
			return p;
	return NULL;
}

/* A port of one of the pod's containers by its name; 0: there is none. */
static uint16_t container_port(json_t *pod, const char *name)
{
	json_t *k, *p;
	size_t i;

	json_array_foreach(json_path(pod, "spec.containers"), i, k) {
		p = port_of(json_object_get(k, "ports"), name, NULL, 0);
		if (p)
			return (uint16_t)json_number(p, "containerPort");
	}
	return 0;
}

/* Where a Service's port leads in the pod. */
static uint16_t target_port(json_t *pod, json_t *port)
{
	json_t *target = json_object_get(port, "targetPort");

	if (json_is_string(target))
		return container_port(pod, json_string_value(target));
	if (json_is_integer(target) && json_integer_value(target))
		return (uint16_t)json_integer_value(target);
	return (uint16_t)json_number(port, "port");
}

/* [LOCAL:]REMOTE; service NULL: remote is the pod's own. Without LOCAL it is the same number. */
static int add_forward(struct forwards *f, const char *word, json_t *pod, json_t *service)
{
	const char *colon = strchr(word, ':');
	const char *remote = colon ? colon + 1 : word;
	uint16_t local = 0, number = 0;
	bool is_number = is_port(remote, strlen(remote), &number);

	if (colon && colon != word && !is_port(word, (size_t)(colon - word), &local)) {
		fprintf(stderr, "error: error parsing local port of '%s'\n", word);
		return EXIT_ERROR;
	}
	json_t *port = port_of(json_path(service, "spec.ports"), remote, "port",
			       is_number ? number : 0);
	if (port)
		number = is_number ? number : (uint16_t)json_number(port, "port");
	uint16_t to = port ? target_port(pod, port) : service ? 0 :
		      is_number ? number : container_port(pod, remote);
	if (!to) {
		fprintf(stderr, "error: %s does not have a port %s\n",
			service ? "the Service" : "the pod", remote);
		return EXIT_ERROR;
	}
	if (f->n == FORWARDS_MAX) {
		fprintf(stderr, "error: more than %d ports\n", FORWARDS_MAX);
		return EXIT_ERROR;
	}
	if (!colon)
		local = number ? number : to;
	f->v[f->n++] = (struct forward){ local, to, -1 };
	return EXIT_DONE;
}

/* ---- moving bytes ---- */

struct way {
	int from, to;
	char data[65536];
	size_t begin, end;
	bool done;
};

static bool again(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static int way_read(struct way *w)
{
	ssize_t n = read(w->from, w->data, sizeof(w->data));

	if (n > 0) {
		w->begin = 0;
		w->end = (size_t)n;
	} else if (n == 0) {
		w->done = true;
		shutdown(w->to, SHUT_WR);
	}
	return n < 0 && !again(n) ? -errno : 0;
}

static int way_write(struct way *w)
{
	ssize_t n = send(w->to, w->data + w->begin, w->end - w->begin, MSG_NOSIGNAL);

	if (n > 0)
		w->begin += (size_t)n;
	return n < 0 && !again(n) ? -errno : 0;
}

static int way_move(struct way *w)
{
	return w->begin == w->end ? way_read(w) : way_write(w);
}

static struct pollfd way_poll(const struct way *w)
{
	bool full = w->begin != w->end;

	return (struct pollfd){ w->done ? -1 : full ? w->to : w->from, full ? POLLOUT : POLLIN, 0 };
}

/* Until both directions have ended; -errno when the connection was broken. */
static int pump(int a, int b)
{
	static struct way w[2];		/* large; one connection per process */
	int r = 0;

	w[0] = (struct way){ .from = a, .to = b };
	w[1] = (struct way){ .from = b, .to = a };
	while (r == 0 && !(w[0].done && w[1].done)) {
		struct pollfd p[] = { way_poll(&w[0]), way_poll(&w[1]) };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; r == 0 && i < 2; i++)
			if (p[i].revents)
				r = way_move(&w[i]);
	}
	return r;
}

/* Of a connection that may still be under way: 0, or errno. */
static int connected(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	socklen_t n = sizeof(int);
	int error = 0;

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return errno;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ? errno : error;
}

static void reset_at_close(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
}

static int serve(struct cli *c, const struct forwards *f, const struct forward *w, int client)
{
	const char *path = handover_path(c, f->ns, f->pod, "portforward");
	struct handed h;
	int status = handover(c, arena_printf(&c->arena, "%s?port=%u", path, w->remote),
			      "orch-port-forward", &h);
	int error = status ? 0 : connected(h.fds[0]);

	if (status || error) {
		fprintf(stderr, "error: forwarding %u -> %u%s%s\n", w->local, w->remote,
			error ? ": " : "", error ? strerror(error) : "");
		reset_at_close(client);
		return EXIT_ERROR;
	}
	fcntl(client, F_SETFL, O_NONBLOCK);
	fcntl(h.fds[0], F_SETFL, O_NONBLOCK);
	if (pump(client, h.fds[0]) < 0) {
		reset_at_close(client);
		reset_at_close(h.fds[0]);
	}
	return EXIT_DONE;
}

/* ---- listening ---- */

static int listen_at(struct forward *w, struct in_addr address)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_port = htons(w->local), .sin_addr = address,
	};
	socklen_t n = sizeof(sa);
	int on = 1;
	FD_AUTO fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, n) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
		return -errno;
	w->local = ntohs(sa.sin_port);
	w->fd = fd_take(&fd);
	return 0;
}

static int listen_all(struct forwards *f)
{
	char address[INET_ADDRSTRLEN];
	unsigned failed = 0;

	inet_ntop(AF_INET, &f->address, address, sizeof(address));
	for (unsigned i = 0; i < f->n; i++) {
		int r = listen_at(&f->v[i], f->address);

		failed += r < 0;
		if (r < 0)
			fprintf(stderr, "Unable to listen on port %u: %s\n", f->v[i].local,
				strerror(-r));
		else
			printf("Forwarding from %s:%u -> %u\n", address, f->v[i].local,
			       f->v[i].remote);
	}
	fflush(stdout);
	if (failed < f->n)
		return EXIT_DONE;
	fprintf(stderr, "error: unable to listen on any of the requested ports\n");
	return EXIT_ERROR;
}

static void accept_one(struct cli *c, const struct forwards *f, const struct forward *w)
{
	FD_AUTO client = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return;
	printf("Handling connection for %u\n", w->local);
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		fprintf(stderr, "error: fork: %s\n", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(serve(c, f, w, client));
	}
}

static int forward(struct cli *c, const struct forwards *f)
{
	struct pollfd p[FORWARDS_MAX];

	signal(SIGCHLD, SIG_IGN);	/* their statuses are of no interest */
	for (unsigned i = 0; i < f->n; i++)
		p[i] = (struct pollfd){ f->v[i].fd, POLLIN, 0 };
	while (poll(p, f->n, -1) >= 0 || errno == EINTR)
		for (unsigned i = 0; i < f->n; i++)
			if (p[i].fd >= 0 && p[i].revents)
				accept_one(c, f, &f->v[i]);
	fprintf(stderr, "error: poll: %s\n", strerror(errno));
	return EXIT_ERROR;
}

/* ---- the verb ---- */

/* "svc NAME" is "svc/NAME"; how many words that takes. */
static unsigned first_words(struct cli *c, const char **ret)
{
	uint16_t port;

	*ret = c->args[0];
	if (c->nargs < 3 || strchr(c->args[0], '/') || strchr(c->args[1], ':') ||
	    is_port(c->args[1], strlen(c->args[1]), &port) || !kind_by_word(c->args[0]))
		return 1;
	*ret = arena_printf(&c->arena, "%s/%s", c->args[0], c->args[1]);
	return 2;
}

static int find(struct cli *c, struct forwards *f)
{
	json_t *service = NULL;
	struct target t;
	const char *word;
	int status;
	unsigned from = first_words(c, &word);
	json_t *pod = pod_of(c, word, &status);

	if (!status)
		status = pod_word(c, word, &t);
	if (!status && t.kind->id == KIND_SERVICE)
		service = fetch(c, "GET", target_path(c, &t), NULL, &status);
	if (!status) {
		json_t *meta = json_object_get(pod, "metadata");

		f->ns = arena_strdup(&c->arena, json_text(meta, "namespace"));
		f->pod = arena_strdup(&c->arena, json_text(meta, "name"));
	}
	for (unsigned i = from; !status && i < c->nargs; i++)
		status = add_forward(f, c->args[i], pod, service);
	json_decref(service);
	json_decref(pod);
	return status;
}

int verb_port_forward(struct cli *c)
{
	struct forwards f = { .address.s_addr = htonl(INADDR_LOOPBACK) };

	if (c->nargs < 2) {
		fprintf(stderr,
			"error: expected 'port-forward (POD | TYPE/NAME) [LOCAL:]REMOTE...'\n");
		return EXIT_ERROR;
	}
	if (c->opt.address && inet_pton(AF_INET, c->opt.address, &f.address) != 1) {
		fprintf(stderr, "error: --address: %s is not an IPv4 address\n", c->opt.address);
		return EXIT_ERROR;
	}
	int status = find(c, &f);
	if (!status)
		status = listen_all(&f);
	return status ? status : forward(c, &f);
}
