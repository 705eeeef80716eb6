/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of timestamps, in UTC or a time zone, and of durations.
 * Source: CEL language definition, "Timestamps and Durations". */
#include "cel/lib.h"
#include "cel/zone.h"

#define DAY_S INT64_C(86400)

/* A timestamp on the calendar of a zone. */
struct local {
    int64_t days;   /* since 1970-01-01 */
    int64_t of_day; /* seconds */
    int64_t year;
    int month; /* from 1 */
    int day;   /* from 1 */
};

static iv_rc local_time(struct local *out, const struct iv_val *args, size_t count, struct iv_err *err)
{
    int64_t offset = 0;
    if (count > 1) {
        ENSURE(iv_zone_offset(&offset, iv_val_slice(args[1]), args[0].i), err, IV_E_EVAL,
               "there is no time zone '" IV_STR_FMT "'", IV_STR_ARG(iv_cel_brief(iv_val_slice(args[1]))));
    }
    int64_t s = args[0].i + offset;
    out->days = s / DAY_S - (s % DAY_S < 0);
    out->of_day = s - out->days * DAY_S;
    iv_civil_of_days(&out->year, &out->month, &out->day, out->days);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_full_year)
{
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.year);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_month)
{
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.month - 1);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_date)
{
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.day);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_day_of_month)
{
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.day - 1);
    return IV_OK;
}

/* Sunday is 0; 1970-01-01 was a Thursday. */
IV_CEL_FN(iv_cel_get_day_of_week)
{
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(((t.days + 4) % 7 + 7) % 7);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_day_of_year)
{
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.days - iv_days_of_civil(t.year, 1, 1));
    return IV_OK;
}

/* A duration's seconds, towards zero. */
static int64_t whole_seconds(const struct iv_val *duration)
{
    return duration->i + (duration->i < 0 && duration->n > 0);
}

IV_CEL_FN(iv_cel_get_hours)
{
    if (args[0].kind == IV_KIND_DURATION) {
        *out = iv_val_int(whole_seconds(&args[0]) / 3600);
        return IV_OK;
    }
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.of_day / 3600);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_minutes)
{
    if (args[0].kind == IV_KIND_DURATION) {
        *out = iv_val_int(whole_seconds(&args[0]) / 60);
        return IV_OK;
    }
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.of_day / 60 % 60);
    return IV_OK;
}

IV_CEL_FN(iv_cel_get_seconds)
{
    if (args[0].kind == IV_KIND_DURATION) {
        *out = iv_val_int(whole_seconds(&args[0]));
        return IV_OK;
    }
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(t.of_day % 60);
    return IV_OK;
}

/* Of a duration too: the milliseconds beyond its seconds, not the whole in milliseconds. */
IV_CEL_FN(iv_cel_get_milliseconds)
{
    int64_t ms = args[0].n / 1000000;
    if (args[0].kind == IV_KIND_DURATION) {
        bool negative = args[0].i < 0 && args[0].n > 0;
        *out = iv_val_int(negative ? -((IV_NS_PER_S - (int64_t)args[0].n) / 1000000) : ms);
        return IV_OK;
    }
    struct local t;
    TRY(local_time(&t, args, count, err));
    *out = iv_val_int(ms);
    return IV_OK;
}
