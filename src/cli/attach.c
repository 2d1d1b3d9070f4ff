/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach: what a container says from now on, and, with -i, what it reads. The container goes on
 * without us. Its terminal, if it has one, is resized by us, who hold its master.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/macro.h"
#include "cli/handover.h"
#include "cli/pods.h"
#include "cli/print.h"
#include "cli/terminal.h"

static void resize(const struct terminal *t, uint16_t rows, uint16_t cols)
{
	struct winsize w = { .ws_row = rows, .ws_col = cols };

	ioctl(t->in, TIOCSWINSZ, &w);
}

/* Another size, then ours: a change is what makes the other side draw its screen. */
static void size_at_start(const struct terminal *t)
{
	struct winsize w;

	if (!t->tty || t->in < 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		return;
	resize(t, w.ws_row + 1, w.ws_col + 1);
	resize(t, w.ws_row, w.ws_col);
}

static int run(struct cli *c, bool tty, const struct handed *h)
{
	unsigned outputs = tty ? 1 : 2;
	struct terminal t = {
		.in = h->n > outputs ? h->fds[outputs] : -1,
		.out = h->fds[0],
		.err = tty ? -1 : h->fds[1],
		.tty = tty && c->opt.tty, .pass_stdin = c->opt.stdin_, .resize = resize,
		.detachable = tty && c->opt.tty,
	};

	if (c->opt.stdin_ && t.in < 0)
		fprintf(stderr, "The container's standard input has ended already.\n");
	if (t.tty && t.in >= 0)
		fprintf(stderr, "If you don't see a command prompt, try pressing enter; "
			"ctrl-p ctrl-q detaches.\n");
	size_at_start(&t);
	terminal_run(&t);
	return terminal_status(&t, EXIT_DONE);
}

static json_t *container_of_pod(json_t *pod, const char *name)
{
	static const char *const lists[] = { "spec.containers", "spec.initContainers",
					     "spec.ephemeralContainers" };
	json_t *k;
	size_t i;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_path(pod, lists[l]), i, k)
			if (streq(json_text(k, "name"), name))
				return k;
	return NULL;
}

/* -i and -t as far as the container has what they need; kubectl's words. */
static void fit_options(struct cli *c, json_t *k, bool tty)
{
	const char *name = json_text(k, "name");

	if (c->opt.tty && !tty)
		fprintf(stderr, "Unable to use a TTY - container %s did not allocate one\n", name);
	else if (c->opt.tty && c->opt.stdin_ && !isatty(STDIN_FILENO))
		fprintf(stderr,
			"Unable to use a TTY - input is not a terminal or the right kind of file\n");
	c->opt.tty &= tty && (!c->opt.stdin_ || isatty(STDIN_FILENO));
	if (!c->opt.stdin_ || json_is_true(json_object_get(k, "stdin")))
		return;
	fprintf(stderr, "Unable to pass standard input - container %s has none\n", name);
	c->opt.stdin_ = false;
}

int attach(struct cli *c, json_t *pod, const char *container)
{
	json_t *meta = json_object_get(pod, "metadata"), *k = container_of_pod(pod, container);
	bool tty = json_is_true(json_object_get(k, "tty"));
	BUF_AUTO path = { 0 };
	struct handed h;

	fit_options(c, k, tty);
	buf_printf(&path, "%s?stdin=%s&container=",
		   handover_path(c, json_text(meta, "namespace"), json_text(meta, "name"), "attach"),
		   c->opt.stdin_ ? "true" : "false");
	url_encode(&path, container);
	int status = handover(c, buf_str(&path), "orch-attach", &h);
	if (status)
		return status;
	close(h.api);
	return run(c, tty, &h);
}

int verb_attach(struct cli *c)
{
	struct sources s = { 0 };
	int status;

	if (c->nargs != 1) {
		fprintf(stderr, "error: expected 'attach (POD | TYPE/NAME)'\n");
		return EXIT_ERROR;
	}
	json_t *pod = pod_of(c, c->args[0], &status);
	if (pod)
		status = pod_containers(c, pod, false, &s);
	if (!status)
		status = attach(c, pod, s.v[0].container);
	json_decref(pod);
	return status;
}
