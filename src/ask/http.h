/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kubelet's HTTP probe does: a GET, whose redirects are followed as long as they stay on the
 * same host. One that leads away, or that says nowhere, counts as passed, with a warning.
 */
#pragma once

#include "ask/stream.h"
#include "ask/url.h"

struct http_request {
	struct url url;
	struct sockaddr_storage *addresses;	/* of its host, tried in their order */
	unsigned naddresses;
	const char *headers;	/* lines that all requests have */
	const char *host;	/* the header Host; NULL: host and port of the URL */
	int answered;		/* a connection on which the first has been sent, or -1 */
	bool any_status;	/* whatever the answer is, it is fine */
	struct tls_client *tls;
};

/* 0, with a warning or with "" in ret_warning, or why it has failed. */
int http_ask(const struct http_request *q, char ret_warning[256], struct err *err);
