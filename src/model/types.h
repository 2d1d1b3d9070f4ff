/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API as C: every struct below is generated from the rows of a .def file (schema/rows.h),
 * where each field is documented. For a row FIELD(container, STR, _, image, "image", ...):
 * struct container has `const char *image`, container_image_row is its index for HAS(), and
 * container_type describes it.
 */
#pragma once

#include "schema/type.h"

#define V(constant, word) constant,
#define ENUM(name, values) enum name { name##_unset, values }; extern const struct enum_type name##_values;
#include "model/enums.def"
#undef ENUM
#undef V

#define ROWS_STRUCT
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
#undef ROWS_STRUCT

#define ROWS_INDEX
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
#undef ROWS_INDEX
#undef TYPE
#undef FIELD
#undef END
