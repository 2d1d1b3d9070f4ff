/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure part of probes; see verdict.h. */
#include "shim/verdict.h"

#include "base/macro.h"

bool verdict_add(struct verdict *v, bool ok, uint32_t success_threshold, uint32_t failure_threshold)
{
	uint32_t threshold = MAX(ok ? success_threshold : failure_threshold, 1U);

	v->run = v->run && v->last == ok ? v->run + 1 : 1;
	v->last = ok;
	if (v->run < threshold || (v->decided && v->passed == ok))
		return false;
	v->decided = true;
	v->passed = ok;
	return true;
}
