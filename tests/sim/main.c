/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim: invents traces from consecutive seeds until so many passes were made, and checks every one of
 * them. The first that breaks a rule is shrunk and printed, as a file that can be replayed.
 *
 *	sim [--passes N] [--seed S]	exit status 1 when a rule was broken
 *	sim --replay FILE...
 *	sim --show SEED			the trace of a seed
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "steps.h"

static int report(struct trace *t, struct outcome *o)
{
	BUF_AUTO text = { 0 };

	trace_shrink(t, o);
	trace_print(t, &text);
	printf("# %s: %s\n# in step %u\n%s", o->rule, o->what, o->at + 1, buf_str(&text));
	return 1;
}

static int64_t thread_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

static void summary(uint64_t first, uint64_t next, const struct outcome *sum)
{
	int64_t spent = MAX(thread_time(), (int64_t)1);

	printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " passes, %" PRIu64 " actions, %" PRIu64
	       " results kept, %.1f days in %.1f s (%.0f times real time, %.0f us a pass)\n",
	       first, next - 1, sum->passes, sum->actions, sum->kept,
	       (double)sum->simulated / NSEC / 86400, (double)spent / NSEC,
	       (double)sum->simulated / (double)spent,
	       (double)spent / 1000 / (double)MAX(sum->passes, (uint64_t)1));
}

static int explore(uint64_t passes, uint64_t first)
{
	struct outcome sum = { 0 };
	uint64_t seed = first;
	int status = 0;

	while (sum.passes < passes && !status) {
		struct outcome o = { 0 };
		struct trace t;

		trace_invent(&t, seed++);
		trace_run(&t, &o);
		sum.passes += o.passes;
		sum.actions += o.actions;
		sum.kept += o.kept;
		sum.simulated += o.simulated;
		if (o.rule)
			status = report(&t, &o);
		trace_release(&t);
	}
	summary(first, seed, &sum);
	return status;
}

static int replay(const char *path)
{
	struct outcome o = { 0 };
	struct err err = { 0 };
	struct trace t;
	int r = trace_read(&t, path, &err);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path, err.msg);
		return 2;
	}
	trace_run(&t, &o);
	printf("%s: %s%s%s\n", path, o.rule ? o.rule : "holds", o.rule ? ": " : "",
	       o.rule ? o.what : "");
	trace_release(&t);
	return o.rule != NULL;
}

static int show(uint64_t seed)
{
	BUF_AUTO text = { 0 };
	struct trace t;

	trace_invent(&t, seed);
	trace_print(&t, &text);
	printf("%s", buf_str(&text));
	trace_release(&t);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t passes = 100000, seed = 1;
	int status = 0;

	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t n = strtoull(argv[i + 1], NULL, 10);

		if (streq(argv[i], "--passes"))
			passes = n;
		else if (streq(argv[i], "--seed"))
			seed = n;
		else if (streq(argv[i], "--show"))
			return show(n);
		else if (streq(argv[i], "--replay"))
			break;
	}
	if (argc < 3 || !streq(argv[1], "--replay"))
		return explore(passes, seed);
	for (int i = 2; i < argc; i++)
		status |= replay(argv[i]);
	return status;
}
