/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: orchd hands over the descriptors of the new process, the terminal's master or three pipe
 * ends. The last thing that comes over the API connection is one line with the exit code.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/macro.h"
#include "cli/handover.h"
#include "cli/pods.h"
#include "cli/terminal.h"

static const char *exec_path(struct cli *c, const struct source *s)
{
	BUF_AUTO p = { 0 };
	struct winsize w = { .ws_row = 24, .ws_col = 80 };

	ioctl(STDIN_FILENO, TIOCGWINSZ, &w);
	buf_printf(&p, "%s?tty=%s&rows=%u&cols=%u&container=",
		   handover_path(c, s->ns, s->pod, "exec"), c->opt.tty ? "true" : "false", w.ws_row,
		   w.ws_col);
	url_encode(&p, s->container);
	for (unsigned i = 0; i < c->ncommand; i++) {
		buf_puts(&p, "&command=");
		url_encode(&p, c->command[i]);
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

static void resize(const struct terminal *t, uint16_t rows, uint16_t cols)
{
	uint16_t size[2] = { rows, cols };

	(void)!write(t->api, size, sizeof(size));
}

static int run(struct cli *c, const struct handed *h)
{
	struct terminal t = {
		.in = h->fds[0],
		.out = h->n > 1 ? h->fds[1] : fcntl(h->fds[0], F_DUPFD_CLOEXEC, 3),
		.err = h->n > 2 ? h->fds[2] : -1,
		.tty = c->opt.tty, .pass_stdin = c->opt.stdin_, .resize = resize, .api = h->api,
	};

	terminal_run(&t);
	return t.signal ? terminal_status(&t, 0) : handover_ending(h->api);
}

static int find_source(struct cli *c, struct source *ret)
{
	struct sources s = { 0 };
	int status;
	json_t *pod = pod_of(c, c->args[0], &status);

	if (pod)
		status = pod_containers(c, pod, false, &s);
	if (s.n)
		*ret = s.v[0];
	json_decref(pod);
	return status;
}

int verb_exec(struct cli *c)
{
	struct source s = { 0 };
	struct handed h;

	/* kubectl's older form, without --, is taken, too */
	if (c->nargs > 1 && !c->ncommand) {
		c->command = c->args + 1;
		c->ncommand = c->nargs - 1;
	}
	if (!c->nargs || !c->ncommand) {
		fprintf(stderr, "error: expected 'exec (POD | TYPE/NAME) -- COMMAND [ARG...]'\n");
		return EXIT_ERROR;
	}
	if (c->opt.tty && c->opt.stdin_ && !isatty(STDIN_FILENO)) {
		fprintf(stderr,
			"Unable to use a TTY - input is not a terminal or the right kind of file\n");
		c->opt.tty = false;
	}
	int status = find_source(c, &s);
	if (status)
		return status;
	status = handover(c, exec_path(c, &s), "orch-exec", &h);
	if (status)
		return status;
	status = run(c, &h);
	close(h.api);
	return status;
}
