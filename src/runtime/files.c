/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolv.conf follows the pod's dnsPolicy: Default is what the node has, ClusterFirst searches the
 * cluster's domains first, None is dnsConfig alone; dnsConfig is added to any of them. The node's
 * name servers answer, and those on its loopback can't be reached from a pod. Limits are
 * resolv.conf(5)'s and kubelet's.
 */
#include "runtime/files.h"

#include "base/macro.h"
#include "base/units.h"

#define HOST_NAME_LEN 63
#define NAMESERVERS_MAX 3
#define SEARCHES_MAX 32
#define SEARCH_TEXT_MAX 2048

/* What uname(2) says; HOST_NAME_MAX is 64. With setHostnameAsFQDN kubelet fails when it is
 * too long, and so does sethostname(2) here. */
const char *files_host_name(struct arena *a, const struct object *pod, const char *node_name,
			    const char *cluster_domain)
{
	const struct pod_spec *spec = &pod->pod->spec;
	const char *s = spec->hostname;

	if (spec->host_network)
		s = node_name;
	if (!s)
		s = pod->meta->name;
	if (spec->set_hostname_as_fqdn && spec->subdomain)
		return arena_printf(a, "%s.%s.%s.svc.%s", s, spec->subdomain, pod->meta->namespace,
				    cluster_domain);
	size_t n = MIN(strlen(s), (size_t)HOST_NAME_LEN);
	while (n > 1 && (s[n - 1] == '-' || s[n - 1] == '.'))
		n--;
	return arena_strndup(a, s, n);
}

static void own_hosts(const struct object *pod, const char *host_name, uint32_t ip,
		      const char *cluster_domain, struct buf *out)
{
	const struct pod_spec *s = &pod->pod->spec;
	char text[16];

	ip4_format(ip, text);
	buf_puts(out, "# Managed by orch; changes are lost when the pod is replaced.\n"
		      "127.0.0.1\tlocalhost\n"
		      "::1\tlocalhost ip6-localhost ip6-loopback\n"
		      "fe00::0\tip6-localnet\n"
		      "fe00::0\tip6-mcastprefix\n"
		      "fe00::1\tip6-allnodes\n"
		      "fe00::2\tip6-allrouters\n");
	buf_printf(out, "%s\t", text);
	if (s->subdomain && !s->set_hostname_as_fqdn)
		buf_printf(out, "%s.%s.%s.svc.%s\t", host_name, s->subdomain, pod->meta->namespace,
			   cluster_domain);
	buf_printf(out, "%s\n", host_name);
}

void files_hosts(const struct object *pod, const char *host_name, uint32_t ip,
		 const char *cluster_domain, const char *node, struct buf *out)
{
	const struct pod_spec *s = &pod->pod->spec;

	if (*node)
		buf_puts(out, node);
	else
		own_hosts(pod, host_name, ip, cluster_domain, out);
	for (uint32_t i = 0; i < s->host_aliases.n; i++) {
		const struct host_alias *h = &s->host_aliases.v[i];

		buf_puts(out, h->ip);
		for (uint32_t k = 0; k < h->hostnames.n; k++)
			buf_printf(out, "\t%s", h->hostnames.v[k]);
		buf_putc(out, '\n');
	}
}

/* ---- resolv.conf ---- */

struct resolver {
	struct arena *a;
	struct strs servers, searches;
	struct { struct dns_option *v; uint32_t n; } options;
};

static void add_unique(struct arena *a, struct strs *l, const char *s)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], s))
			return;
	*arena_push(a, l) = s;
}

static void set_option(struct resolver *r, const char *name, const char *value)
{
	for (uint32_t i = 0; i < r->options.n; i++) {
		if (streq(r->options.v[i].name, name)) {
			r->options.v[i].value = value;
			return;
		}
	}
	struct dns_option *o = arena_push(r->a, &r->options);
	o->name = name;
	o->value = value;
}

static bool reachable(const char *server)
{
	return strncmp(server, "127.", 4) != 0 && !streq(server, "::1");
}

static void node_option(struct resolver *r, char *word)
{
	char *colon = strchr(word, ':');

	if (colon)
		*colon = '\0';
	set_option(r, word, colon ? colon + 1 : NULL);
}

static void node_line(struct resolver *r, char *line)
{
	char *save = NULL;
	const char *key = strtok_r(line, " \t\r", &save);

	if (!key || *key == '#' || *key == ';')
		return;
	for (char *w = strtok_r(NULL, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (streq(key, "nameserver") && reachable(w))
			add_unique(r->a, &r->servers, w);
		else if (streq(key, "search") || streq(key, "domain"))
			add_unique(r->a, &r->searches, w);
		else if (streq(key, "options"))
			node_option(r, w);
	}
}

static void node_text(struct resolver *r, const char *text)
{
	char *copy = arena_strdup(r->a, text), *save = NULL;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		node_line(r, l);
}

static void cluster_first(struct resolver *r, const char *ns, const char *domain)
{
	struct strs node = r->searches;

	r->searches = (struct strs){ 0 };
	*arena_push(r->a, &r->searches) = arena_printf(r->a, "%s.svc.%s", ns, domain);
	*arena_push(r->a, &r->searches) = arena_printf(r->a, "svc.%s", domain);
	*arena_push(r->a, &r->searches) = domain;
	for (uint32_t i = 0; i < node.n; i++)
		add_unique(r->a, &r->searches, node.v[i]);
	r->options.n = 0;
	set_option(r, "ndots", "5");
}

static void dns_config(struct resolver *r, const struct dns_config *c)
{
	for (uint32_t i = 0; i < c->nameservers.n; i++)
		add_unique(r->a, &r->servers, c->nameservers.v[i]);
	for (uint32_t i = 0; i < c->searches.n; i++)
		add_unique(r->a, &r->searches, c->searches.v[i]);
	for (uint32_t i = 0; i < c->options.n; i++)
		set_option(r, c->options.v[i].name, c->options.v[i].value);
}

static void resolver_print(const struct resolver *r, struct buf *out)
{
	size_t text = 0;

	for (uint32_t i = 0; i < MIN(r->servers.n, (uint32_t)NAMESERVERS_MAX); i++)
		buf_printf(out, "nameserver %s\n", r->servers.v[i]);
	for (uint32_t i = 0; i < MIN(r->searches.n, (uint32_t)SEARCHES_MAX); i++) {
		text += strlen(r->searches.v[i]) + 1;
		if (text > SEARCH_TEXT_MAX)
			break;
		buf_printf(out, "%s%s", i ? " " : "search ", r->searches.v[i]);
	}
	if (r->searches.n)
		buf_putc(out, '\n');
	for (uint32_t i = 0; i < r->options.n; i++) {
		const struct dns_option *o = &r->options.v[i];

		buf_printf(out, "%s%s%s%s", i ? " " : "options ", o->name, o->value ? ":" : "",
			   o->value ? o->value : "");
	}
	if (r->options.n)
		buf_putc(out, '\n');
}

void files_resolv_conf(const struct object *pod, const char *node, const char *cluster_domain,
		       struct buf *out)
{
	const struct pod_spec *s = &pod->pod->spec;
	struct arena a = { 0 };
	struct resolver r = { .a = &a };

	bool cluster = s->dns_policy == DNS_CLUSTER_FIRST_HOST_NET ||
		       (s->dns_policy != DNS_NONE && s->dns_policy != DNS_DEFAULT && !s->host_network);

	if (s->dns_policy != DNS_NONE)
		node_text(&r, node);
	if (cluster)
		cluster_first(&r, pod->meta->namespace, cluster_domain);
	if (s->dns_config)
		dns_config(&r, s->dns_config);
	resolver_print(&r, out);
	arena_release(&a);
}
