/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status line of HTTP/1; see http.h. */
#include "base/http.h"

/* '#' stands for a digit. */
static const char status_line[] = "HTTP/#.# ###";

int http_status(const char *answer, unsigned long n)
{
	for (unsigned long i = 0; i < sizeof(status_line) - 1; i++) {
		if (i == n)
			return 0;
		char c = answer[i];
		if (status_line[i] == '#' ? c < '0' || c > '9' : c != status_line[i])
			return -1;
	}
	return (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0');
}
