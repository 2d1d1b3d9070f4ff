/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values with units: Kubernetes quantities, durations, RFC 3339 times, IPv4 addresses and
 * prefixes. IP addresses are host byte order in uint32_t unless a name says otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 * text is canonical (1024Mi is "1Gi", 0.5 is "500m"); milli is the value times 1000, rounded
 * away from zero and saturating at INT64_MAX.
 */
struct quantity {
	const char *text;
	int64_t milli;
};
/* 0, or -EINVAL; the canonical text is allocated from a. */
int quantity_parse(struct arena *a, const char *s, struct quantity *ret);
int64_t quantity_value(const struct quantity *q);	/* whole units, rounded away from zero */
struct quantity quantity_from_milli(struct arena *a, int64_t milli);
struct quantity quantity_add(struct arena *a, const struct quantity *x, const struct quantity *y);

#define NSEC 1000000000LL
#define MSEC 1000000LL

/* Times are nanoseconds since the epoch (CLOCK_REALTIME), 0 is unset. */
int64_t time_now(void);
int64_t time_mono(void);				/* CLOCK_MONOTONIC, ns */
void time_format(int64_t ns, char ret[32]);		/* 2026-11-21T10:00:00Z */
void time_format_nano(int64_t ns, char ret[40]);	/* ...00.123456789Z */
int time_parse(const char *s, int64_t *ret);		/* RFC 3339, fraction and zone allowed */
void duration_human(int64_t ns, char ret[16]);	/* as kubectl: 5s, 3m20s, 4h, 12d */
int duration_parse(const char *s, int64_t *ret);	/* Go syntax: 300ms, 1h30m, 10s */

/* Rounded down, also below zero; b is positive. */
static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* The Gregorian calendar, for days since 1970-01-01 of the years 0 to 9999. */
struct date {
	unsigned year, month, day;	/* month and day from 1 */
};
int64_t date_days(struct date d);
struct date date_of(int64_t days);
unsigned date_month_days(unsigned year, unsigned month);
unsigned date_weekday(int64_t days);	/* 0 is Sunday */

int ip4_parse(const char *s, uint32_t *ret);
void ip4_format(uint32_t ip, char ret[16]);

struct cidr4 {
	uint32_t base;		/* network address */
	unsigned bits;
};
int cidr4_parse(const char *s, struct cidr4 *ret);	/* host bits set: -EINVAL */
bool cidr4_contains(struct cidr4 c, uint32_t ip);
uint32_t cidr4_size(struct cidr4 c);

int base64_decode(struct arena *a, const char *s, size_t n, void **ret, size_t *ret_n);
char *base64_encode(struct arena *a, const void *data, size_t n);
