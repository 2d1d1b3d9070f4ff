/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests for benchmarks: 10,000 objects in 1,000 files, a third each Deployments (that ask for no
 * pods when replicas is 0), Services and ConfigMaps; what all are measured with and against. */
#pragma once

#include <stdio.h>
#include <time.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/macro.h"

#define FILES 1000
#define OBJECTS 10

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
	"  replicas: %2$u\n"
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

static inline void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(2);
}

static inline void make_set(struct input *in, unsigned replicas)
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
			buf_printf(&in->v[i], shapes[object % 3], object / 3, replicas);
		}
		in->bytes += in->v[i].len;
	}
}

static inline double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The floor: libyaml alone. */
static inline void scan(const struct buf *text)
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
