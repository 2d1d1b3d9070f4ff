/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of images as values: what may stand after "image:". A name without transport, or with
 * docker://, is one of a registry: [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], with the defaults of
 * Docker Hub. Grammar: https://github.com/distribution/reference. Nothing is looked up here.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum transport {
	TRANSPORT_REGISTRY,		/* docker://, or nothing */
	TRANSPORT_ROOTFS,		/* rootfs:/PATH */
	TRANSPORT_OCI,			/* oci:/DIR[:TAG] */
	TRANSPORT_OCI_ARCHIVE,		/* oci-archive:/FILE[:TAG] */
	TRANSPORT_DOCKER_ARCHIVE,	/* docker-archive:/FILE[:NAME:TAG] */
};

struct reference {
	enum transport transport;
	const char *name;	/* in full: "docker.io/library/nginx:1.25", "oci:/dir:tag" */
	/* of a registry; NULL otherwise */
	const char *host;	/* "docker.io", "localhost:5000" */
	const char *path;	/* "library/nginx"; of other transports that of the file */
	const char *tag;	/* never NULL together with digest; other transports: may be NULL */
	const char *digest;	/* "sha256:HEX"; NULL: none */
};

#define DIGEST_TEXT 72			/* "sha256:", 64 hex digits and NUL */

/* -EINVAL with the words of container runtimes. */
int reference_parse(struct arena *a, const char *text, struct reference *ret, struct err *err);
bool digest_valid(const char *text);	/* "sha256:" and 64 lower-case hex digits */
/* Would Kubernetes pull it at every start when nothing is said? No tag, or :latest, no digest. */
bool reference_floats(const char *text);
