/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings come as one mapping: the document of orchd.yaml with the flags laid over it. Flags
 * become the same kind of tree, so bounds, checks and messages are those of the rows.
 */
#include "daemon/settings.h"

#include "base/file.h"
#include "base/macro.h"
#include "model/object.h"
#include "schema/schema.h"
#include "schema/yaml.h"

static const struct {
	const char *flag, *key, *value;
} flags[] = {
	{ "--config", "configDir", "DIR" },
	{ "--state", "stateDir", "DIR" },
	{ "--run", "runDir", "DIR" },
	{ "--logs", "logDir", "DIR" },
	{ "--pod-cidr", "podCIDR", "CIDR" },
	{ "--service-cidr", "serviceCIDR", "CIDR" },
	{ "--cluster-domain", "clusterDomain", "DOMAIN" },
	{ "--cgroup-root", "cgroupRoot", "NAME" },
	{ "--sync", "sync", "auto|manual" },
	{ "--settle", "settleMilliseconds", "MS" },
	{ "--log-level", "logLevel", "LEVEL" },
	{ "--node-name", "nodeName", "NAME" },
	{ "--history-limit", "historyLimit", "N" },
	{ "--hpa-period", "hpaSyncPeriodSeconds", "SECONDS" },
	{ "--max-pods", "maxPods", "N" },
	{ "--pod-pids-limit", "podPidsLimit", "N" },
	{ "--eviction-hard", "evictionHard", "SIGNAL<AMOUNT,..." },
	{ "--eviction-soft", "evictionSoft", "SIGNAL<AMOUNT,..." },
	{ "--eviction-soft-grace-period", "evictionSoftGracePeriod", "SIGNAL=TIME,..." },
	{ "--eviction-max-pod-grace-period", "evictionMaxPodGracePeriod", "SECONDS" },
	{ "--eviction-minimum-reclaim", "evictionMinimumReclaim", "SIGNAL=AMOUNT,..." },
	{ "--eviction-pressure-transition-period", "evictionPressureTransitionPeriod", "TIME" },
	{ "--container-log-max-size", "containerLogMaxSize", "SIZE" },
	{ "--container-log-max-files", "containerLogMaxFiles", "N" },
};

static const char *flag_key(const char *arg, const char **ret_value)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		size_t n = strlen(flags[i].flag);

		if (strncmp(arg, flags[i].flag, n) != 0 || (arg[n] && arg[n] != '='))
			continue;
		*ret_value = arg[n] ? arg + n + 1 : NULL;
		return flags[i].key;
	}
	return NULL;
}

static struct ynode *scalar(struct arena *a, const char *text, bool plain)
{
	struct ynode *n = arena_new(a, struct ynode);

	n->kind = Y_SCALAR;
	n->plain = plain;
	n->text = text;
	n->len = strlen(text);
	return n;
}

/* Sets key in the mapping, growing its arrays. */
static void map_set(struct arena *a, struct ynode *map, const char *key, struct ynode *value)
{
	for (uint32_t i = 0; i < map->n; i++) {
		if (streq(map->keys[i]->text, key)) {
			map->values[i] = value;
			return;
		}
	}
	struct ynode **keys = arena_array(a, struct ynode *, map->n + 1);
	struct ynode **values = arena_array(a, struct ynode *, map->n + 1);
	if (map->n) {
		memcpy(keys, map->keys, map->n * sizeof(*keys));
		memcpy(values, map->values, map->n * sizeof(*values));
	}
	keys[map->n] = scalar(a, key, true);
	values[map->n] = value;
	map->keys = keys;
	map->values = values;
	map->n++;
}

/* "memory.available<100Mi,pid.available<1000": as kubelet's flags. */
static struct ynode *pairs(struct arena *a, const char *text)
{
	struct ynode *map = arena_new(a, struct ynode);

	map->kind = Y_MAP;
	for (const char *at = text; *at; at += *at == ',') {
		size_t n = strcspn(at, ","), key = strcspn(at, "<=,");
		size_t skip = key < n ? key + 1 : n;

		map_set(a, map, arena_strndup(a, at, key),
			scalar(a, arena_strndup(a, at + skip, n - skip), false));
		at += n;
	}
	return map;
}

static int read_flags(struct arena *a, int argc, char **argv, struct invocation *in,
		      struct ynode *map, struct msgs *m)
{
	struct { const char *name; bool *to; } switches[] = {
		{ "--check", &in->check }, { "--stop-pods", &in->stop_pods },
		{ "--help", &in->help }, { "-h", &in->help }, { "--version", &in->version },
	};

	for (int i = 1; i < argc; i++) {
		const char *value, *key = flag_key(argv[i], &value);
		bool found = false;

		for (size_t s = 0; s < ARRAY_SIZE(switches); s++) {
			if (streq(argv[i], switches[s].name))
				*switches[s].to = found = true;
		}
		if (found)
			continue;
		if (!key) {
			msgs_add(m, false, "command line", 0, 0, argv[i], "unknown flag; see --help");
			continue;
		}
		if (!value)
			value = i + 1 < argc ? argv[++i] : NULL;
		if (!value) {
			msgs_add(m, false, "command line", 0, 0, argv[i], "needs a value");
			continue;
		}
		const struct field *f = schema_field(&settings_type, key);
		map_set(a, map, key, f->kind == K_MAP ? pairs(a, value) :
							scalar(a, value, f->kind != K_STR));
	}
	return m->errors ? -EINVAL : 0;
}

static bool header_is(const struct ynode *map, const char *key, const char *word)
{
	const struct ynode *n = ynode_get(map, key);

	return n && n->kind == Y_SCALAR && streq(n->text, word);
}

/* The document of orchd.yaml; an empty mapping when there is no such file. */
static struct ynode *read_file(struct arena *a, const char *path, struct msgs *m)
{
	struct ynode *empty = arena_new(a, struct ynode);
	BUF_AUTO text = { 0 };
	struct yaml_docs docs = { 0 };
	struct err err = { 0 };

	empty->kind = Y_MAP;
	int r = file_read(path, YAML_MAX_BYTES, &text, &err);
	if (r == -ENOENT)
		return empty;
	if (r) {
		msgs_add(m, false, path, 0, 0, "", "%s", err.msg);
		return empty;
	}
	if (yaml_parse(a, path, arena_strndup(a, buf_str(&text), text.len), text.len, &docs, m) < 0 ||
	    !docs.n)
		return empty;
	struct ynode *root = docs.v[0].root;
	if (docs.n > 1 || root->kind != Y_MAP || !header_is(root, "apiVersion", "orch/v1") ||
	    !header_is(root, "kind", "OrchdConfiguration")) {
		msgs_add(m, false, path, root->line, root->col, "",
			 "expected one document with apiVersion: orch/v1 and kind: OrchdConfiguration");
		return empty;
	}
	return root;
}

int settings_load(struct arena *a, int argc, char **argv, struct invocation *ret, struct msgs *m)
{
	static const char *const header[] = { "apiVersion", "kind", NULL };
	struct ynode *from_flags = arena_new(a, struct ynode);

	from_flags->kind = Y_MAP;
	ret->settings = arena_new(a, struct settings);
	if (read_flags(a, argc, argv, ret, from_flags, m) < 0 || ret->help || ret->version)
		return m->errors ? -EINVAL : 0;

	/* once alone, so that messages name the command line */
	struct settings *probe = arena_new(a, struct settings);
	if (schema_decode(a, &settings_type, "command line", from_flags, "", NULL, probe, m) < 0)
		return -EINVAL;

	const char *path = arena_printf(a, "%s/orchd.yaml", probe->config_dir);
	struct ynode *map = read_file(a, path, m);
	for (uint32_t i = 0; i < from_flags->n; i++)
		map_set(a, map, from_flags->keys[i]->text, from_flags->values[i]);
	if (m->errors)
		return -EINVAL;
	return schema_decode(a, &settings_type, path, map, "", header, ret->settings, m);
}

void settings_usage(struct buf *out)
{
	buf_puts(out, "usage: orchd [FLAG...]\n\n"
		      "Runs the pods that the manifests of a directory describe. See orchd(8).\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct field *f = schema_field(&settings_type, flags[i].key);
		BUF_AUTO left = { 0 };

		buf_printf(&left, "%s %s", flags[i].flag, flags[i].value);
		buf_printf(out, "  %-28s %s%s%s%s\n", buf_str(&left), f->doc,
			   f->dflt ? " (" : "", f->dflt ? f->dflt : "", f->dflt ? ")" : "");
	}
	buf_puts(out, "  --check                      Validate settings and manifests, then exit.\n"
		      "  --stop-pods                  On SIGTERM stop all pods and clear the network.\n"
		      "  --version                    Print the version.\n");
}
