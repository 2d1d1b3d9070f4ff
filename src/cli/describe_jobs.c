/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe of Jobs and CronJobs, in kubectl's order. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/describe.h"

static void put_controller(struct describe *d, json_t *o)
{
	json_t *owner = json_array_get(json_path(o, "metadata.ownerReferences"), 0);

	if (owner)
		put_line(d, 0, "Controlled By:", "%s/%s", json_text(owner, "kind"),
			 json_text(owner, "name"));
}

static void put_when_set(struct describe *d, json_t *o, const char *label, const char *path,
			 const char *unit)
{
	const char *text = text_at(d, o, path);

	if (*text)
		put_line(d, 0, label, "%s%s", text, unit);
}

static void put_times(struct describe *d, json_t *o)
{
	const char *start = text_at(d, o, "status.startTime");
	const char *end = text_at(d, o, "status.completionTime");
	int64_t from, to;
	char text[16];

	if (*start)
		put_line(d, 0, "Start Time:", "%s", long_time(d, start));
	if (*end)
		put_line(d, 0, "Completed At:", "%s", long_time(d, end));
	if (time_parse(start, &from) < 0 || time_parse(end, &to) < 0)
		return;
	duration_human(to - from, text);
	put_line(d, 0, "Duration:", "%s", text);
}

void put_job(struct describe *d, json_t *o)
{
	json_t *status = json_object_get(o, "status");

	put_controller(d, o);
	put_line(d, 0, "Parallelism:", "%s", text_or(d, o, "spec.parallelism", "<unset>"));
	put_line(d, 0, "Completions:", "%s", text_or(d, o, "spec.completions", "<unset>"));
	put_line(d, 0, "Completion Mode:", "%s",
		 text_or(d, o, "spec.completionMode", "NonIndexed"));
	put_line(d, 0, "Suspend:", "%s", text_or(d, o, "spec.suspend", "false"));
	put_line(d, 0, "Backoff Limit:", "%s", text_or(d, o, "spec.backoffLimit", "<unset>"));
	put_when_set(d, o, "TTL Seconds After Finished:", "spec.ttlSecondsAfterFinished", "");
	put_times(d, o);
	put_when_set(d, o, "Active Deadline Seconds:", "spec.activeDeadlineSeconds", "s");
	put_line(d, 0, "Pods Statuses:", "%lld Active (%lld Ready) / %lld Succeeded / %lld Failed",
		 json_number(status, "active"), json_number(status, "ready"),
		 json_number(status, "succeeded"), json_number(status, "failed"));
	if (streq(text_at(d, o, "spec.completionMode"), "Indexed"))
		put_line(d, 0, "Completed Indexes:", "%s",
			 text_or(d, o, "status.completedIndexes", "<none>"));
	put_when_set(d, o, "Failed Indexes:", "status.failedIndexes", "");
	put_template(d, json_path(o, "spec.template"));
}

static const char *active_jobs(struct describe *d, json_t *list)
{
	BUF_AUTO b = { 0 };
	json_t *job;
	size_t i;

	json_array_foreach(list, i, job)
		buf_printf(&b, "%s%s", i ? ", " : "", json_text(job, "name"));
	return b.len ? arena_strdup(&d->c->arena, buf_str(&b)) : "<none>";
}

void put_cronjob(struct describe *d, json_t *o)
{
	json_t *job = json_path(o, "spec.jobTemplate");
	const char *last = text_at(d, o, "status.lastScheduleTime");
	bool rests = json_is_true(json_path(o, "spec.suspend"));

	put_line(d, 0, "Schedule:", "%s", text_at(d, o, "spec.schedule"));
	put_when_set(d, o, "Time Zone:", "spec.timeZone", "");
	put_line(d, 0, "Concurrency Policy:", "%s",
		 text_or(d, o, "spec.concurrencyPolicy", "Allow"));
	put_line(d, 0, "Suspend:", "%s", rests ? "True" : "False");
	put_line(d, 0, "Successful Job History Limit:", "%s",
		 text_or(d, o, "spec.successfulJobsHistoryLimit", "<unset>"));
	put_line(d, 0, "Failed Job History Limit:", "%s",
		 text_or(d, o, "spec.failedJobsHistoryLimit", "<unset>"));
	put_line(d, 0, "Starting Deadline Seconds:", "%s",
		 text_or(d, o, "spec.startingDeadlineSeconds", "<unset>"));
	put_line(d, 0, "Selector:", "<unset>");
	put_line(d, 0, "Parallelism:", "%s", text_or(d, job, "spec.parallelism", "<unset>"));
	put_line(d, 0, "Completions:", "%s", text_or(d, job, "spec.completions", "<unset>"));
	put_when_set(d, job, "Active Deadline Seconds:", "spec.activeDeadlineSeconds", "s");
	put_template(d, json_path(job, "spec.template"));
	put_line(d, 0, "Last Schedule Time:", "%s", *last ? long_time(d, last) : "<unset>");
	put_line(d, 0, "Active Jobs:", "%s", active_jobs(d, json_path(o, "status.active")));
}
