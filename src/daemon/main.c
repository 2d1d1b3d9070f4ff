/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orchd(8): reads the settings, runs the daemon. */
#include <stdio.h>

#include "base/log.h"
#include "base/macro.h"
#include "daemon/check.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"

static void print_messages(const struct msgs *m)
{
	BUF_AUTO text = { 0 };

	for (uint32_t i = 0; i < m->n; i++)
		msg_print(&m->v[i], &text);
	fputs(buf_str(&text), stderr);
}

static int run(const struct invocation *in)
{
	struct daemon *d = NULL;
	enum log_level level = LOG_LEVEL_INFO;
	struct err err = { 0 };

	log_level_parse(in->settings->log_level, &level);
	log_set_level(level);
	int r = daemon_new(in, &d, &err);
	if (r < 0)
		log_error("%s", err.msg);
	else
		r = daemon_run(d);
	daemon_free(d);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct invocation in = { 0 };
	int status = EXIT_SUCCESS;

	memory_tune();
	if (settings_load(&a, argc, argv, &in, &m) < 0) {
		status = EXIT_FAILURE;
	} else if (in.help) {
		BUF_AUTO text = { 0 };

		settings_usage(&text);
		fputs(buf_str(&text), stdout);
	} else if (in.version) {
		puts("orchd 0.1.0");
	} else if (in.check) {
		status = check_directory(in.settings->config_dir, &m) ? EXIT_SUCCESS : 3;
	} else {
		print_messages(&m);
		m.n = 0;
		status = run(&in);
	}
	print_messages(&m);
	arena_release(&a);
	return status;
}
