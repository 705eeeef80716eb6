/* SPDX-License-Identifier: Apache-2.0 */
/* Time: RFC 3339 instants, CEL durations.
 * iv_ns is nanoseconds: since 1970-01-01T00:00:00Z where it is an instant, a length where it is a duration.
 * It spans the years 1678 to 2261, which is what event times and watermarks may be. struct iv_instant spans
 * the years 0001 to 9999 with nanoseconds (google.protobuf.Timestamp, which CEL adopts); field values and CEL
 * use it. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef int64_t iv_ns;

#define IV_NS_MIN INT64_MIN
#define IV_NS_MAX INT64_MAX
#define IV_NS_PER_S INT64_C(1000000000)
#define IV_NS_PER_MS INT64_C(1000000)

struct iv_instant {
    int64_t s;  /* since the epoch; or the whole seconds of a duration */
    int32_t ns; /* 0 to 999,999,999, added to s, also where s is negative */
};

#define IV_INSTANT_MIN_S INT64_C(-62135596800)  /* 0001-01-01T00:00:00Z */
#define IV_INSTANT_MAX_S INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */
#define IV_DURATION_MAX_S INT64_C(315576000000) /* about 10,000 years, either way */

/* RFC 3339 date-time with at most 9 fractional digits, no second 60, 't' and
 * 'z' accepted; false otherwise. */
bool iv_instant_parse(struct iv_instant *out, struct iv_str text);

/* "2026-01-02T03:04:05.5Z": UTC, as many fractional digits as are needed, in threes: 0, 3, 6 or 9. */
void iv_instant_format(struct iv_buf *out, struct iv_instant t);
void iv_ns_format(struct iv_buf *out, iv_ns t);

/* False where the instant lies outside of iv_ns. Saturate: the nearest iv_ns. */
bool iv_instant_to_ns(iv_ns *out, struct iv_instant t);
iv_ns iv_instant_to_ns_saturated(struct iv_instant t);
struct iv_instant iv_instant_of_ns(iv_ns t);
int iv_instant_cmp(struct iv_instant a, struct iv_instant b);

/* CEL's text form of a duration: [-+]? (digits ('.' digits)? unit)+ with h, m, s, ms, us, ns; with days also
 * 'd'. "0" alone is zero. False where it does not parse or is beyond IV_DURATION_MAX_S. */
bool iv_duration_parse(struct iv_instant *out, struct iv_str text, bool days);
/* "1.5s", "-0.000000001s": CEL's and protobuf's JSON form. */
void iv_duration_format(struct iv_buf *out, struct iv_instant d);

/* a + b, held at the ends of iv_ns. */
iv_ns iv_ns_add(iv_ns a, iv_ns b);

/* -t, held likewise. */
static inline iv_ns iv_ns_negate(iv_ns t)
{
    return t == IV_NS_MIN ? IV_NS_MAX : -t;
}

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t iv_days_of_civil(int64_t year, int month, int day);
void iv_civil_of_days(int64_t *year, int *month, int *day, int64_t days);
