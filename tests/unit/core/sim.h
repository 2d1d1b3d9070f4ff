/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated machine (tests/sim/machine.h) in a cmocka test: a violation fails the test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "../../sim/machine.h"
#include "base/file.h"

static inline struct set *sim_set_text(struct sim *s, const char *text)
{
	struct sim_files f = { 0 };

	sim_files_add(&f, "web.yaml", text);
	if (f.v[0]->broken)
		fail_msg("%s: %s", f.v[0]->msgs.v[0].path, f.v[0]->msgs.v[0].text);
	return sim_set(s, &f, NULL);
}
