/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of what makes pods, or decides how many, besides Deployments and ReplicaSets. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "daemon/table_cells.h"

/* StatefulSets, DaemonSets and what goes with them */

const struct column statefulset_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Ready", "string", 0, "Ready pods of those wanted", .print = cell_ready },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Containers", "string", 1, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 1, "Images of the template", .print = cell_images },
	{ 0 },
};

static void ds_node_selector(struct cell *c, const struct object *o)
{
	const struct pod_template *t = cell_template(o);

	cell_put_labels(c, t ? &t->spec.node_selector : &(struct strmap){ 0 });
}

const struct column daemonset_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Desired", "integer", 0, "Pods wanted", .path = "status.desiredNumberScheduled" },
	{ "Current", "integer", 0, "Pods", .path = "status.currentNumberScheduled" },
	{ "Ready", "integer", 0, "Ready pods", .path = "status.numberReady" },
	{ "Up-to-date", "integer", 0, "Pods of the current template",
	  .path = "status.updatedNumberScheduled" },
	{ "Available", "integer", 0, "Available pods", .path = "status.numberAvailable" },
	{ "Node Selector", "string", 0, "Labels that a node must have", .print = ds_node_selector },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Containers", "string", 1, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 1, "Images of the template", .print = cell_images },
	{ "Selector", "string", 1, "Selector", .print = cell_selector },
	{ 0 },
};

static void template_labels(struct cell *c, const struct object *o)
{
	const struct pod_template *t = cell_template(o);

	cell_put_labels(c, t ? &t->metadata.labels : &(struct strmap){ 0 });
}

const struct column podtemplate_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Containers", "string", 0, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 0, "Images of the template", .print = cell_images },
	{ "Pod Labels", "string", 0, "Labels of its pods", .print = template_labels },
	{ 0 },
};

static void revision_controller(struct cell *c, const struct object *o)
{
	const struct owner_reference_list *l = &o->meta->owner_references;
	char group[64];

	for (uint32_t i = 0; i < l->n; i++) {
		const struct kind *k = kind_find(l->v[i].api_version, l->v[i].kind);

		if (!l->v[i].controller || !k)
			continue;
		json_str(c->j, arena_printf(&c->arena, "%s%s%s/%s", k->singular,
					    *kind_group(k, group) ? "." : "", group, l->v[i].name));
		return;
	}
	json_str(c->j, "<none>");
}

const struct column controllerrevision_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Controller", "string", 0, "What it is a revision of", .print = revision_controller },
	{ "Revision", "integer", 0, "Number", .path = "revision" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

/* Jobs and CronJobs */

static bool is_true(const struct condition_list *l, const char *type)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (streq(l->v[i].type, type))
			return l->v[i].status && streq(l->v[i].status, "True");
	}
	return false;
}

static void job_word(struct cell *c, const struct object *o)
{
	static const char *const words[] = { "Complete", "Failed" }, *const later[] = {
		"Suspended", "FailureTarget", "SuccessCriteriaMet" };
	const struct job *job = o->body;
	const char *word = o->meta->deletion_timestamp ? "Terminating" : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		word = is_true(&job->status.conditions, words[i]) ? words[i] : word;
	for (size_t i = 0; i < ARRAY_SIZE(later) && !word; i++)
		word = is_true(&job->status.conditions, later[i]) ? later[i] : NULL;
	json_str(c->j, word ? word : "Running");
}

static void job_completions(struct cell *c, const struct object *o)
{
	const struct job *job = o->body;

	if (job->spec.completions || HAS(&job->spec, job_spec, completions))
		cell_put_ratio(c, job->status.succeeded, job->spec.completions);
	else if (job->spec.parallelism > 1)
		json_str(c->j, arena_printf(&c->arena, "%d/1 of %d", job->status.succeeded,
					    job->spec.parallelism));
	else
		cell_put_ratio(c, job->status.succeeded, 1);
}

static void job_duration(struct cell *c, const struct object *o)
{
	const struct job *job = o->body;
	int64_t end = job->status.completion_time ? job->status.completion_time : c->now;
	char text[16] = "";

	if (job->status.start_time)
		duration_human(end - job->status.start_time, text);
	json_str(c->j, text);
}

const struct column job_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Status", "string", 0, "State in one word", .print = job_word },
	{ "Completions", "string", 0, "Pods that succeeded, of those wanted", .print = job_completions },
	{ "Duration", "string", 0, "How long it took, or takes", .print = job_duration },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Containers", "string", 1, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 1, "Images of the template", .print = cell_images },
	{ "Selector", "string", 1, "Selector", .print = cell_selector },
	{ 0 },
};

static void cron_suspend(struct cell *c, const struct object *o)
{
	json_str(c->j, ((const struct cronjob *)o->body)->spec.suspend ? "True" : "False");
}

static void cron_active(struct cell *c, const struct object *o)
{
	json_int(c->j, ((const struct cronjob *)o->body)->status.active.n);
}

static void cron_last(struct cell *c, const struct object *o)
{
	int64_t last = cell_number(o, "status.lastScheduleTime");

	if (last)
		cell_put_age(c, last);
	else
		json_str(c->j, "<none>");
}

const struct column cronjob_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Schedule", "string", 0, "When it starts a Job", .path = "spec.schedule" },
	{ "Timezone", "string", 0, "Time zone of the schedule", .path = "spec.timeZone",
	  .absent = "<none>" },
	{ "Suspend", "string", 0, "Whether it rests", .print = cron_suspend },
	{ "Active", "integer", 0, "Jobs that run", .print = cron_active },
	{ "Last Schedule", "string", 0, "Time since the last Job", .print = cron_last },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Containers", "string", 1, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 1, "Images of the template", .print = cell_images },
	{ 0 },
};

/* Autoscalers and disruption budgets */

static void hpa_reference(struct cell *c, const struct object *o)
{
	json_str(c->j, arena_printf(&c->arena, "%s/%s",
				    cell_text(c, o, "spec.scaleTargetRef.kind", ""),
				    cell_text(c, o, "spec.scaleTargetRef.name", "")));
}

static const char *target_text(struct cell *c, const struct metric_target *t)
{
	if (HAS(t, metric_target, average_utilization))
		return arena_printf(&c->arena, "%d%%", t->average_utilization);
	if (HAS(t, metric_target, average_value))
		return arena_printf(&c->arena, "%s (avg)", t->average_value.text);
	return HAS(t, metric_target, value) ? t->value.text : "<auto>";
}

static const char *metric_name(const struct metric_identifier *m)
{
	return m && m->name ? m->name : "";
}

/* What is measured, and its target; the source that is there says which. */
static const struct metric_target *metric_of(const struct metric_spec *m, const char **ret_name)
{
	if (m->resource) {
		*ret_name = m->resource->name;
		return m->resource->target;
	}
	if (m->container_resource) {
		*ret_name = m->container_resource->name;
		return m->container_resource->target;
	}
	if (m->pods) {
		*ret_name = metric_name(m->pods->metric);
		return m->pods->target;
	}
	if (m->object) {
		*ret_name = metric_name(m->object->metric);
		return m->object->target;
	}
	*ret_name = m->external ? metric_name(m->external->metric) : "";
	return m->external ? m->external->target : NULL;
}

static void hpa_targets(struct cell *c, const struct object *o)
{
	const struct hpa *hpa = o->body;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < hpa->spec.metrics.n; i++) {
		const char *name;
		const struct metric_target *t = metric_of(&hpa->spec.metrics.v[i], &name);

		buf_printf(&b, "%s%s: <unknown>/%s", i ? ", " : "", name ? name : "",
			   t ? target_text(c, t) : "<unset>");
	}
	json_str(c->j, b.len ? buf_str(&b) : "<none>");
}

const struct column hpa_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Reference", "string", 0, "What it scales", .print = hpa_reference },
	{ "Targets", "string", 0, "What is measured, and should be", .print = hpa_targets },
	{ "MinPods", "string", 0, "Fewest pods", .path = "spec.minReplicas", .absent = "<unset>" },
	{ "MaxPods", "integer", 0, "Most pods", .path = "spec.maxReplicas" },
	{ "Replicas", "integer", 0, "Pods", .path = "status.currentReplicas" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void pdb_min(struct cell *c, const struct object *o)
{
	const struct pdb *pdb = o->body;

	json_str(c->j, HAS(&pdb->spec, pdb_spec, min_available) ?
			       cell_text(c, o, "spec.minAvailable", "N/A") : "N/A");
}

static void pdb_max(struct cell *c, const struct object *o)
{
	const struct pdb *pdb = o->body;

	json_str(c->j, HAS(&pdb->spec, pdb_spec, max_unavailable) ?
			       cell_text(c, o, "spec.maxUnavailable", "N/A") : "N/A");
}

const struct column pdb_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Min Available", "string", 0, "Pods that must stay", .print = pdb_min },
	{ "Max Unavailable", "string", 0, "Pods that may go", .print = pdb_max },
	{ "Allowed Disruptions", "integer", 0, "Pods that may go now",
	  .path = "status.disruptionsAllowed" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};
