/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services whose endpoints are declared, and further addresses of services. */
#include "fixture.h"

#include <netinet/in.h>

#define SERVICE                                                                                \
	"apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec:\n"                         \
	"  clusterIP: 10.96.0.9\n"
#define PORTS "  ports: [{name: sql, port: 5432}, {name: dns, port: 53, protocol: UDP}]\n"
#define ENDPOINTS                                                                              \
	"---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: db}\nsubsets:\n"
#define SLICE(name, service)                                                                   \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"       \
	"metadata: {name: " name ", labels: {kubernetes.io/service-name: " service "}}\n"

/* "10.96.0.9:5432/6 192.0.2.1:1 192.0.2.2:1; ..." */
static const char *entries(struct fixture *f, const char *text)
{
	static char line[1000];
	size_t n = 0;

	fixture_open(f, text);
	fixture_run(f);
	line[0] = 0;
	for (uint32_t i = 0; i < f->wanted.services.n; i++) {
		const struct service_entry *e = &f->wanted.services.v[i];
		char ip[16];

		ip4_format(e->ip, ip);
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s:%u/%u", ip, e->port, e->proto);
		if (e->node_port)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "@%u", e->node_port);
		for (uint32_t k = 0; k < e->count; k++) {
			ip4_format(e->endpoints[k].ip, ip);
			n += (size_t)snprintf(line + n, sizeof(line) - n, " %s:%u", ip,
					      e->endpoints[k].port);
		}
		n += (size_t)snprintf(line + n, sizeof(line) - n, ";");
	}
	assert_int_equal(f->wanted.endpoints.n, 0);	/* they are declared, not made */
	fixture_close(f);
	return line;
}

static const struct { const char *text, *expected; } cases[] = {
	/* sorted, by name and protocol of the ports, ready ones only */
	{
		SERVICE PORTS ENDPOINTS
		"- addresses: [{ip: 192.0.2.2}, {ip: 192.0.2.1}]\n"
		"  notReadyAddresses: [{ip: 192.0.2.3}]\n"
		"  ports: [{name: sql, port: 1}, {name: dns, port: 2}, {name: other, port: 3}]\n",
		"10.96.0.9:5432/6 192.0.2.1:1 192.0.2.2:1;10.96.0.9:53/17;"
	},
	{
		SERVICE "  publishNotReadyAddresses: true\n  ports: [{port: 80}]\n" ENDPOINTS
		"- notReadyAddresses: [{ip: 192.0.2.3}, {ip: 'fd00::1'}]\n"
		"  ports: [{port: 81}]\n",
		"10.96.0.9:80/6 192.0.2.3:81;"
	},
	/* Endpoints and slices together, each endpoint once */
	{
		SERVICE "  ports: [{port: 80}]\n" ENDPOINTS
		"- {addresses: [{ip: 192.0.2.3}], ports: [{port: 81}]}\n"
		SLICE("a", "db")
		"endpoints:\n"
		"- {addresses: [192.0.2.3, 192.0.2.9]}\n"
		"- {addresses: [192.0.2.1], conditions: {ready: true}}\n"
		"- {addresses: [192.0.2.2], conditions: {ready: false}}\n"
		"- {addresses: [192.0.2.4], conditions: {serving: false}}\n"
		"ports: [{port: 81}]\n"
		SLICE("b", "db")
		"endpoints: [{addresses: [192.0.2.3]}]\n"
		"ports: [{port: 82}]\n"
		SLICE("c", "other")
		"endpoints: [{addresses: [192.0.2.7]}]\n"
		"ports: [{port: 81}]\n",
		"10.96.0.9:80/6 192.0.2.1:81 192.0.2.3:81 192.0.2.3:82 192.0.2.4:81;"
	},
	{ SERVICE "  ports: [{port: 80}]\n", "10.96.0.9:80/6;" },
	/* further addresses; node ports belong to the first */
	{
		SERVICE "  type: LoadBalancer\n"
		"  externalIPs: [198.51.100.7, '2001:db8::1', 10.96.0.9]\n"
		"  ports: [{port: 80, nodePort: 30080}]\n",
		"10.96.0.9:80/6@30080;198.51.100.7:80/6;"
	},
	{
		"apiVersion: v1\nkind: Service\nmetadata: {name: db}\n"
		"spec: {type: ExternalName, externalName: a.b}\n",
		""
	},
};

static void test_entries(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(entries(&f, cases[i].text), cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_entries) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
