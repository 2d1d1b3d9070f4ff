/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A HorizontalPodAutoscaler in a pass. hpa.c decides and records, hpa_metric.c works out what each
 * metric asks for, hpa_rate.c how fast that may come.
 */
#pragma once

#include "control/pass.h"

/* What one metric asks for. */
struct hpa_proposal {
	int32_t replicas;
	bool valid;
	const char *name;		/* "cpu resource utilization (percentage of request)" */
	const char *reason, *message;	/* not valid: why */
};

/* What is remembered: of recommendations each change, of scaling each step. */
struct hpa_note { int64_t at; int32_t n; };
struct hpa_notes { struct hpa_note *v; uint32_t n; };

struct autoscaler {
	struct pass *p;
	const struct object *object;
	const struct hpa_spec *spec;
	const struct object *target;
	struct member_list pods;	/* of the target */
	struct hpa_notes recommended, steps;
	int64_t last_scaled;
	int32_t min, max, current;
	struct hpa_status *status;
};

/* Adds the metric's state to the status. */
struct hpa_proposal hpa_metric(struct autoscaler *h, const struct metric_spec *m);

struct hpa_limited { bool limited; const char *reason, *message; };
/* The recommendation that the stabilization windows let pass; notes the new one. */
int32_t hpa_stabilize(struct autoscaler *h, int32_t wanted, const char **ret_reason,
		      const char **ret_message);
/* Within the bounds and the policies. */
int32_t hpa_limit(struct autoscaler *h, int32_t wanted, struct hpa_limited *ret);
