/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests as one JSON Schema (draft 7), for editors. */
#pragma once

#include "model/object.h"

/* only: one kind; NULL: all that may stand in a manifest, and a List of them. */
void kinds_json_schema(struct json *j, const struct kind *only);
/* orchd.yaml. */
void settings_json_schema(struct json *j);
