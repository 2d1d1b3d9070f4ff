/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orch-pull: started by orchd, one for each image to be had. A job on standard input, news on
 * standard output (image/job.h). */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"
#include "pull/keeper.h"

int main(void)
{
	struct arena a = { 0 };
	struct pull_job job;
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	int status = EXIT_FAILURE;

	signal(SIGPIPE, SIG_IGN);
	if (file_read_fd(STDIN_FILENO, "job", PULL_JOB_MAX, &text, &err) < 0 ||
	    pull_job_parse(&a, buf_str(&text), text.len, &job, &err) < 0)
		fprintf(stderr, "orch-pull: %s\n", err.msg);
	else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fprintf(stderr, "orch-pull: curl does not start\n");
	else
		status = keeper_run(&job, STDOUT_FILENO);
	if (text.len)
		explicit_bzero(text.data, text.len);
	arena_release(&a);
	return status;
}
