/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inventory on disk and in memory: identity of every declared object, so that a restart of
 * orchd gives nothing a new uid, age or address. Admission (admit.c) makes the next inventory
 * beside the one in force; here it is read, searched and written.
 */
#include "store/state.h"

#include "base/macro.h"

static int key_cmp(const void *key, const void *entry)
{
	return object_key_cmp(key, &((const struct inventory_entry *)entry)->key);
}

const struct inventory_entry *inventory_find(const struct inventory *inv,
					     const struct object_key *key)
{
	if (!inv->n)
		return NULL;
	return bsearch(key, inv->v, inv->n, sizeof(*inv->v), key_cmp);
}

struct inventory_port *inventory_port(const struct inventory_entry *e, unsigned protocol,
				      unsigned port)
{
	for (uint32_t i = 0; i < e->ports.n; i++) {
		if (e->ports.v[i].protocol == protocol && e->ports.v[i].port == port)
			return &e->ports.v[i];
	}
	return NULL;
}

static void entry_write(struct json *j, const struct inventory_entry *e)
{
	char text[32];

	json_begin_object(j);
	state_key_write(j, &e->key);
	json_kstr(j, "stack", e->stack);
	json_kstr(j, "uid", e->uid);
	state_time_write(j, "created", e->created);
	json_kint(j, "generation", e->generation);
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)e->digest);
	json_kstr(j, "digest", text);
	if (e->cluster_ip) {
		ip4_format(e->cluster_ip, text);
		json_kstr(j, "clusterIP", text);
	}
	if (e->ports.n) {
		json_key(j, "nodePorts");
		json_begin_array(j);
		for (uint32_t i = 0; i < e->ports.n; i++) {
			json_begin_object(j);
			json_kstr(j, "protocol", protocol_values.values[e->ports.v[i].protocol]);
			json_kint(j, "port", e->ports.v[i].port);
			json_kint(j, "nodePort", e->ports.v[i].node_port);
			json_end_object(j);
		}
		json_end_array(j);
	}
	json_end_object(j);
}

int inventory_save(struct store *s, struct err *err)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, true);
	json_begin_array(&j);
	for (uint32_t i = 0; i < s->inventory.n; i++)
		entry_write(&j, &s->inventory.v[i]);
	json_end_array(&j);
	buf_putc(&out, '\n');
	int r = state_file_write(&s->inventory_file, &out, err);
	if (r == 0)
		s->inventory_dirty = false;
	return r;
}

static unsigned protocol_by_name(const char *name)
{
	for (unsigned i = 1; protocol_values.values[i]; i++) {
		if (streq(protocol_values.values[i], name))
			return i;
	}
	return protocol_unset;
}

static int ports_read(struct arena *a, const struct state_file *f, size_t i, json_t *list,
		      struct inventory_entry *e, struct err *err)
{
	json_error_t why;
	json_t *item;
	size_t k;

	json_array_foreach(list, k, item) {
		const char *protocol;
		int port, node_port;

		if (json_unpack_ex(item, &why, 0, "{s:s, s:i, s:i}", "protocol", &protocol, "port", &port,
				   "nodePort", &node_port) < 0)
			return state_bad(f, i, err, "%s", why.text);
		struct inventory_port *p = arena_push(a, &e->ports);
		p->protocol = (uint8_t)protocol_by_name(protocol);
		p->port = (uint16_t)port;
		p->node_port = (uint16_t)node_port;
		if (!p->protocol || port != p->port || node_port != p->node_port)
			return state_bad(f, i, err, "%s %d:%d is not a port", protocol, port, node_port);
	}
	return 0;
}

static int entry_read(struct arena *a, const struct state_file *f, size_t i, json_t *record,
		      struct inventory_entry *e, struct err *err)
{
	const char *stack, *uid, *created, *digest, *ip = NULL;
	json_int_t generation;
	json_t *ports = NULL;
	json_error_t why;
	int r = state_key_read(a, f, i, record, &e->key, err);

	if (r < 0)
		return r;
	if (json_unpack_ex(record, &why, 0, "{s:s, s:s, s:s, s:I, s:s, s?s, s?o}", "stack", &stack,
			   "uid", &uid, "created", &created, "generation", &generation, "digest",
			   &digest, "clusterIP", &ip, "nodePorts", &ports) < 0)
		return state_bad(f, i, err, "%s", why.text);
	if (strlen(uid) >= sizeof(e->uid))
		return state_bad(f, i, err, "\"%s\" is not a uid", uid);
	if (time_parse(created, &e->created) < 0)
		return state_bad(f, i, err, "\"%s\" is not a time", created);
	if (ip && ip4_parse(ip, &e->cluster_ip) < 0)
		return state_bad(f, i, err, "\"%s\" is not an address", ip);
	memcpy(e->uid, uid, strlen(uid) + 1);
	e->stack = arena_strdup(a, stack);
	e->generation = generation;
	e->digest = strtoull(digest, NULL, 16);
	return ports_read(a, f, i, ports, e, err);
}

static int entry_cmp(const void *a, const void *b)
{
	const struct inventory_entry *x = a, *y = b;

	return object_key_cmp(&x->key, &y->key);
}

int inventory_load(struct store *s, struct err *err)
{
	struct inventory *inv = &s->inventory;
	JSON_AUTO *list = NULL;
	int r = state_file_read(&s->inventory_file, &list, err);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		struct inventory_entry *e = arena_push(&inv->arena, inv);
		r = entry_read(&inv->arena, &s->inventory_file, i, json_array_get(list, i), e, err);
	}
	if (r == 0 && inv->n)
		qsort(inv->v, inv->n, sizeof(*inv->v), entry_cmp);
	return r;
}

const struct inventory_entry *store_inventory(const struct store *s, uint32_t *ret_n)
{
	*ret_n = s->inventory.n;
	return s->inventory.v;
}
