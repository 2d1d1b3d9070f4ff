/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orchd --check: the manifests of a directory, validated together, without touching the machine. */
#pragma once

#include "schema/msgs.h"

bool check_directory(const char *dir, struct msgs *m);	/* true: no errors */
