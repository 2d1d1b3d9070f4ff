/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This node in a pass: its labels and taints, as its Node manifest and the machine have them. */
#pragma once

#include "control/pass.h"

#define UNSCHEDULABLE_TAINT "node.kubernetes.io/unschedulable"
#define MEMORY_PRESSURE_TAINT "node.kubernetes.io/memory-pressure"

/* Taints and since when they are there; first of all. */
void node_begin(struct pass *p);
void node_show(struct pass *p);
struct object node_reference(struct pass *p);		/* for events about it */

/* node_pressure.c: what it is short of */
void node_pressure_taints(struct pass *p);
void node_pressure_conditions(struct pass *p, struct node_status *s);

const char *node_label(struct pass *p, const char *key);	/* NULL: it has none */
bool node_selected(struct pass *p, const struct node_selector *s);	/* NULL selects every node */
/* Does a pod's nodeSelector and required affinity allow this node? */
bool node_suits(struct pass *p, const struct pod_spec *s);
/* The first taint with such an effect that the pod does not tolerate; NULL: there is none. */
const struct taint *node_repels(struct pass *p, const struct pod_spec *s, bool no_schedule);
/* When a pod that runs since then has to go for a NoExecute taint; 0: never. */
int64_t node_evicts_at(struct pass *p, const struct pod_spec *s, int64_t since);
