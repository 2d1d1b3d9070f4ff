/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading manifests against the floor: libyaml alone, scanning the same bytes. The set is 10,000
 * objects in 1,000 files (a third each Deployments, Services, ConfigMaps), or the files named.
 * Rounds take turns, so that a busy moment hits all, and each counts by its fastest. Memory is
 * what the heap grows by while all trees (or all objects) are held, for the set and for half of
 * it: twice the input may take twice the memory.
 *
 *	load [FILE...]		exit status 1 when a goal is missed
 */
#include <malloc.h>
#include <stdio.h>

#include "base/file.h"
#include "model/set.h"
#include "schema/yaml.h"
#include "manifests.h"

#define ROUNDS 9

/* A file with errors would be decoded for its messages only. */
static void check_set(const struct input *in)
{
	struct manifest *m = manifest_load("x/y.yaml", in->v[0].data, in->v[0].len);

	if (m->broken)
		die(m->msgs.v[0].text);
	manifest_unref(m);
}

static void read_files(struct input *in, char **paths, unsigned n)
{
	struct err err;

	in->n = n;
	in->v = calloc(n, sizeof(*in->v));
	if (!in->v)
		die("no memory");
	for (unsigned i = 0; i < n; i++) {
		if (file_read(paths[i], 0, &in->v[i], &err) < 0)
			die(err.msg);
		in->bytes += in->v[i].len;
	}
}

static void parse(const struct buf *text)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs;

	yaml_parse(&a, "", text->data, text->len, &docs, &m);
	arena_release(&a);
}

static void load(const struct buf *text)
{
	manifest_unref(manifest_load("x/y.yaml", text->data, text->len));
}

static const struct {
	const char *name;
	void (*run)(const struct buf *);
	double goal;
} ways[] = {
	{ "libyaml alone", scan, 0 },
	{ "parsed to trees", parse, 1.35 },
	{ "parsed and decoded", load, 2 },
};

static void measure(const struct input *in, double *best)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
			double began = cpu_seconds();

			for (unsigned i = 0; i < in->n; i++)
				ways[w].run(&in->v[i]);
			double took = cpu_seconds() - began;
			best[w] = round ? MIN(best[w], took) : took;
		}
	}
}

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Bytes of the heap that the objects of the first n files take. */
static size_t held_objects(const struct input *in, unsigned n)
{
	struct manifest **held = calloc(n + 1, sizeof(*held));
	size_t before = heap();

	for (unsigned i = 0; held && i < n; i++)
		held[i] = manifest_load("x/y.yaml", in->v[i].data, in->v[i].len);
	size_t took = heap() - before;
	for (unsigned i = 0; held && i < n; i++)
		manifest_unref(held[i]);
	free(held);
	return took;
}

static size_t held_trees(const struct input *in, unsigned n)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs;
	size_t before = heap();

	for (unsigned i = 0; i < n; i++)
		yaml_parse(&a, "", in->v[i].data, in->v[i].len, &docs, &m);
	size_t took = heap() - before;
	arena_release(&a);
	return took;
}

static void report_memory(const struct input *in)
{
	static const struct { const char *name; size_t (*held)(const struct input *, unsigned); }
		kinds_held[] = { { "trees", held_trees }, { "objects", held_objects } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds_held); i++) {
		size_t half = kinds_held[i].held(in, in->n / 2);
		size_t all = kinds_held[i].held(in, in->n);

		printf("memory of %-15s %9.1f MiB %7.2f x input; half of them %.1f MiB\n",
		       kinds_held[i].name, (double)all / 1048576, (double)all / (double)in->bytes,
		       (double)half / 1048576);
	}
}

int main(int argc, char **argv)
{
	struct input in = { 0 };
	double best[ARRAY_SIZE(ways)] = { 0 };
	int missed = 0;

	if (argc > 1) {
		read_files(&in, argv + 1, (unsigned)argc - 1);
	} else {
		make_set(&in, 3);
		check_set(&in);
	}
	printf("%u files, %.1f MiB\n", in.n, (double)in.bytes / 1048576);
	measure(&in, best);
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		double ratio = best[w] / best[0];

		printf("%-25s %9.1f ms  %7.2f x libyaml", ways[w].name, best[w] * 1000, ratio);
		if (ways[w].goal)
			printf("  %s %.2f", ratio <= ways[w].goal ? "met: <=" : "MISSED: <=",
			       ways[w].goal);
		putchar('\n');
		missed += ways[w].goal && ratio > ways[w].goal;
	}
	report_memory(&in);
	for (unsigned i = 0; i < in.n; i++)
		buf_release(&in.v[i]);
	free(in.v);
	return missed ? 1 : 0;
}
