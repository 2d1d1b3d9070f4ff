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
#include <time.h>
#include <yaml.h>

#include "base/file.h"
#include "base/macro.h"
#include "model/set.h"
#include "schema/yaml.h"

#define FILES 1000
#define OBJECTS 10
#define ROUNDS 9

struct input {
	struct buf *v;
	unsigned n;
	size_t bytes;
};

static const char deployment[] =
	"# the %1$u. of its kind\n"
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata:\n"
	"  name: web-%1$u\n"
	"  labels:\n"
	"    app.kubernetes.io/name: web\n"
	"    app.kubernetes.io/instance: web-%1$u\n"
	"  annotations:\n"
	"    example.com/owner: \"team %1$u\"\n"
	"spec:\n"
	"  replicas: 3\n"
	"  selector:\n"
	"    matchLabels:\n"
	"      app.kubernetes.io/instance: web-%1$u\n"
	"  template:\n"
	"    metadata:\n"
	"      labels:\n"
	"        app.kubernetes.io/name: web\n"
	"        app.kubernetes.io/instance: web-%1$u\n"
	"    spec:\n"
	"      terminationGracePeriodSeconds: 10\n"
	"      containers:\n"
	"      - name: web\n"
	"        image: rootfs:/srv/web-1.%1$u\n"
	"        args: [\"--listen\", \":8080\", \"--name=web-%1$u\"]\n"
	"        ports:\n"
	"        - name: http\n"
	"          containerPort: 8080\n"
	"        env:\n"
	"        - name: LOG_LEVEL\n"
	"          value: info\n"
	"        - name: CONFIG\n"
	"          valueFrom:\n"
	"            configMapKeyRef:\n"
	"              name: web-%1$u\n"
	"              key: app.properties\n"
	"        resources:\n"
	"          requests: {cpu: 50m, memory: 32Mi}\n"
	"          limits:\n"
	"            cpu: 500m\n"
	"            memory: 128Mi\n"
	"        livenessProbe:\n"
	"          httpGet:\n"
	"            path: /healthz\n"
	"            port: http\n"
	"          periodSeconds: 5\n";
static const char service[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata:\n"
	"  name: web-%1$u\n"
	"  labels:\n"
	"    app.kubernetes.io/name: web\n"
	"spec:\n"
	"  selector:\n"
	"    app.kubernetes.io/instance: web-%1$u\n"
	"  ports:\n"
	"  - name: http\n"
	"    port: 80\n"
	"    targetPort: http\n";
static const char configmap[] =
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata:\n"
	"  name: web-%1$u\n"
	"data:\n"
	"  mode: \"fast\"\n"
	"  app.properties: |\n"
	"    # settings of web-%1$u\n"
	"    listen=8080\n"
	"    greeting=good morning\n"
	"    cache.size=1000\n"
	"\n"
	"    cache.seconds=60\n";

static void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(2);
}

/* A file with errors would be decoded for its messages only. */
static void check_set(const struct input *in)
{
	struct manifest *m = manifest_load("x/y.yaml", in->v[0].data, in->v[0].len);

	if (m->broken)
		die(m->msgs.v[0].text);
	manifest_unref(m);
}

static void make_set(struct input *in)
{
	static const char *const shapes[] = { deployment, service, configmap };
	unsigned object = 0;

	in->n = FILES;
	in->v = calloc(FILES, sizeof(*in->v));
	if (!in->v)
		die("no memory");
	for (unsigned i = 0; i < FILES; i++) {
		for (unsigned k = 0; k < OBJECTS; k++, object++) {
			buf_puts(&in->v[i], k ? "---\n" : "");
			buf_printf(&in->v[i], shapes[object % 3], object / 3);
		}
		in->bytes += in->v[i].len;
	}
	check_set(in);
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

static void scan(const struct buf *text)
{
	yaml_parser_t y;
	yaml_event_t e;
	bool more = true;

	if (!yaml_parser_initialize(&y))
		die("no memory");
	yaml_parser_set_input_string(&y, (const unsigned char *)text->data, text->len);
	while (more && yaml_parser_parse(&y, &e)) {
		more = e.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&y);
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

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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

	if (argc > 1)
		read_files(&in, argv + 1, (unsigned)argc - 1);
	else
		make_set(&in);
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
