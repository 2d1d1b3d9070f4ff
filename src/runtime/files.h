/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a pod's /etc that runtimes make: hosts, hostname, resolv.conf. Text in, text out. */
#pragma once

#include "base/buf.h"
#include "model/object.h"

/* Of the specification or the pod's name, cut to what a host name may be. */
const char *files_host_name(struct arena *a, const struct object *pod, const char *node_name,
			    const char *cluster_domain);
/* node: the node's own hosts, "" unless the pod is in its network. */
void files_hosts(const struct object *pod, const char *host_name, uint32_t ip,
		 const char *cluster_domain, const char *node, struct buf *out);
/* node: the node's own resolv.conf. */
void files_resolv_conf(const struct object *pod, const char *node, const char *cluster_domain,
		       struct buf *out);
