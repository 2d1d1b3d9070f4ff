/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node: its capacity as the kernel tells it, and what of that pods may request, which is the rest
 * above what the settings reserve.
 * https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/
 */
#include "daemon/node.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/macro.h"
#include "schema/schema.h"
#include "sys/node.h"

static struct quantity in_kibi(struct arena *a, int64_t bytes)
{
	struct quantity q = { 0 };

	quantity_parse(a, arena_printf(a, "%lldKi", (long long)(bytes / 1024)), &q);
	return q;
}

static int64_t most_pods(const struct daemon *d)
{
	if (HAS(d->settings, settings, max_pods))
		return d->settings->max_pods;
	return (int64_t)cidr4_size(d->pod_cidr) - 2;	/* without those of the network itself */
}

static struct quantity left(struct arena *a, const struct quantity *all, const struct quantity *away)
{
	struct quantity minus = quantity_from_milli(a, -MIN(away->milli, all->milli));

	return quantity_add(a, all, &minus);
}

static void reserve(struct daemon *d, const struct qtymap *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct quantity *all = qtymap_get(&d->allocatable, m->v[i].k);

		if (all)
			qtymap_set(&d->arena, &d->allocatable, m->v[i].k,
				   left(&d->arena, all, &m->v[i].v));
	}
}

static const char *first_line(struct arena *a, const char *path)
{
	BUF_AUTO text = { 0 };

	if (file_read(path, 4096, &text, NULL) < 0)
		return "";
	return arena_strndup(a, buf_str(&text), strcspn(buf_str(&text), "\n"));
}

/* https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
static const char *os_name(struct arena *a)
{
	static const char *const key = "PRETTY_NAME=\"";
	BUF_AUTO text = { 0 };
	const char *at;

	if (file_read("/etc/os-release", 65536, &text, NULL) < 0 || !(at = strstr(buf_str(&text), key)))
		return "Linux";
	at += strlen(key);
	return arena_strndup(a, at, strcspn(at, "\"\n"));
}

/* As Go names it, and with it Kubernetes. */
static const char *architecture(struct arena *a, const char *machine)
{
	static const struct { const char *kernel, *go; } names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "i686", "386" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i].kernel, machine))
			return names[i].go;
	return arena_strdup(a, machine);
}

static int describe(struct daemon *d, struct err *err)
{
	struct arena *a = &d->arena;
	struct node_system_info *info = arena_new(a, struct node_system_info);
	struct utsname name;

	if (uname(&name) < 0)
		return err_sys(err, -errno, "uname");
	info->architecture = architecture(a, name.machine);
	info->kernel_version = arena_strdup(a, name.release);
	info->operating_system = "linux";
	info->os_image = os_name(a);
	info->boot_id = first_line(a, "/proc/sys/kernel/random/boot_id");
	info->machine_id = first_line(a, "/etc/machine-id");
	info->container_runtime_version = "orch://0.1.0";
	info->kubelet_version = "v1.32.0+orch.0.1.0";
	d->node_info = info;
	return 0;
}

static void huge_pages(struct daemon *d, const char *name, unsigned kib)
{
	int64_t bytes = (int64_t)node_huge_pages(kib) * kib * 1024;

	qtymap_set(&d->arena, &d->capacity, name, in_kibi(&d->arena, bytes));
}

int node_measure(struct daemon *d, struct err *err)
{
	struct arena *a = &d->arena;
	int64_t cpu, memory, disk;

	runtime_node(d->runtime, &cpu, &memory, &disk);
	qtymap_set(a, &d->capacity, "cpu", quantity_from_milli(a, cpu));
	qtymap_set(a, &d->capacity, "memory", in_kibi(a, memory));
	qtymap_set(a, &d->capacity, "ephemeral-storage", in_kibi(a, disk));
	qtymap_set(a, &d->capacity, "pods", quantity_from_milli(a, most_pods(d) * 1000));
	huge_pages(d, "hugepages-2Mi", 2048);
	huge_pages(d, "hugepages-1Gi", 1048576);
	d->allocatable = d->capacity;
	reserve(d, &d->settings->system_reserved);
	reserve(d, &d->settings->kube_reserved);
	return describe(d, err);
}
