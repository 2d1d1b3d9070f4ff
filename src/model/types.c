/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The .def files as tables: word lists, and the rows of every type (schema/rows.h). */
#include "model/types.h"

#include "model/checks.h"

#define V(constant, word) word,
#define ENUM(name, list)                                                                       \
	static const char *const name##_words[] = { "", list NULL };                           \
	const struct enum_type name##_values = { #name, name##_words };
#include "model/enums.def"
#undef ENUM
#undef V

#define ROWS_TABLE
#include "schema/rows.h"
#include "model/meta.def"
#include "model/volume.def"
#include "model/container.def"
#include "model/scheduling.def"
#include "model/pod.def"
#include "model/workload.def"
#include "model/batch.def"
#include "model/autoscale.def"
#include "model/network.def"
#include "model/storage.def"
#include "model/policy.def"
#include "model/node.def"
#include "model/core.def"
#include "model/settings.def"
#include "model/seccomp.def"
