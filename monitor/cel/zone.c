/* SPDX-License-Identifier: Apache-2.0 */
/* Source: POSIX.1-2017 8.3, environment variable TZ, with RFC 8536 3.3.1's hours from -167 to 167. */
#include "cel/zone.h"
#include "base/guard.h"
#include "base/time.h"

#define DAY_S INT64_C(86400)
#define HOUR_S INT64_C(3600)

static const struct {
    const char *name;
    const char *rule;
} zones[] = {
#define ZONE(name, rule) {name, rule},
#include "cel/zones.def"
#undef ZONE
};

/* "M3.2.0/2": the second Sunday of March at 2 o'clock. */
struct change {
    int month;
    int week; /* 5: the last */
    int weekday;
    int64_t of_day;
};

struct rule {
    int64_t standard; /* seconds to add to UTC */
    int64_t summer;
    bool has_summer;
    struct change start;
    struct change end;
};

/* Reading rules. The table is ours, but is read as if it were not. */

static const char *skip_name(const char *p)
{
    if (*p == '<') {
        p = strchr(p, '>');
        return p == NULL ? "" : p + 1;
    }
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) {
        p++;
    }
    return p;
}

static int64_t number(const char **p)
{
    int64_t v = 0;
    for (; **p >= '0' && **p <= '9' && v < 1000; (*p)++) {
        v = v * 10 + (**p - '0');
    }
    return v;
}

/* "[+-]h[:mm[:ss]]" in seconds. */
static int64_t clock_time(const char **p)
{
    int64_t sign = **p == '-' ? -1 : 1;
    *p += **p == '-' || **p == '+';
    int64_t s = number(p) * HOUR_S;
    if (**p == ':') {
        (*p)++;
        s += number(p) * 60;
    }
    if (**p == ':') {
        (*p)++;
        s += number(p);
    }
    return sign * s;
}

static bool parse_change(struct change *out, const char **p)
{
    if ((*p)[0] != ',' || (*p)[1] != 'M') {
        return false;
    }
    *p += 2;
    out->month = (int)number(p);
    *p += **p == '.';
    out->week = (int)number(p);
    *p += **p == '.';
    out->weekday = (int)number(p);
    out->of_day = 2 * HOUR_S;
    if (**p == '/') {
        (*p)++;
        out->of_day = clock_time(p);
    }
    return out->month >= 1 && out->month <= 12 && out->week >= 1 && out->week <= 5 && out->weekday <= 6;
}

static bool parse_rule(struct rule *out, const char *p)
{
    p = skip_name(p);
    out->standard = -clock_time(&p);
    out->has_summer = *p != '\0';
    if (!out->has_summer) {
        return true;
    }
    p = skip_name(p);
    out->summer = out->standard + HOUR_S;
    if (*p != ',') {
        out->summer = -clock_time(&p);
    }
    return parse_change(&out->start, &p) && parse_change(&out->end, &p) && *p == '\0';
}

/* Seconds since the epoch, on the zone's own clock, at which the year's change happens. */
static int64_t change_in(int64_t year, const struct change *c)
{
    int64_t first = iv_days_of_civil(year, c->month, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (c->weekday - weekday + 7) % 7 + 7 * (c->week - 1);
    int64_t next_month =
        c->month == 12 ? iv_days_of_civil(year + 1, 1, 1) : iv_days_of_civil(year, c->month + 1, 1);
    day -= day >= next_month ? 7 : 0;
    return day * DAY_S + c->of_day;
}

static int64_t offset_at(const struct rule *r, int64_t utc)
{
    if (!r->has_summer) {
        return r->standard;
    }
    int64_t year = 0;
    int month = 0;
    int day = 0;
    int64_t local = utc + r->standard;
    iv_civil_of_days(&year, &month, &day, local / DAY_S - (local % DAY_S < 0));
    int64_t start = change_in(year, &r->start) - r->standard;
    int64_t end = change_in(year, &r->end) - r->summer;
    /* South of the equator summer lies across the turn of the year. */
    bool summer = start < end ? utc >= start && utc < end : utc >= start || utc < end;
    return summer ? r->summer : r->standard;
}

/* "+hh:mm", "-hh:mm" or "hh:mm". */
static bool fixed_offset(int64_t *out, struct iv_str zone)
{
    bool negative = zone.n > 0 && zone.p[0] == '-';
    if (zone.n > 0 && (zone.p[0] == '-' || zone.p[0] == '+')) {
        zone = (struct iv_str){zone.p + 1, zone.n - 1};
    }
    if (zone.n != 5 || zone.p[2] != ':') {
        return false;
    }
    int digits[4];
    static const size_t at[] = {0, 1, 3, 4};
    for (size_t i = 0; i < 4; i++) {
        digits[i] = zone.p[at[i]] - '0';
        if (digits[i] < 0 || digits[i] > 9) {
            return false;
        }
    }
    int64_t s = (digits[0] * 10 + digits[1]) * HOUR_S + (digits[2] * 10 + digits[3]) * 60;
    *out = negative ? -s : s;
    return digits[2] < 6 && s < DAY_S;
}

bool iv_zone_offset(int64_t *out, struct iv_str zone, int64_t utc_seconds)
{
    if (fixed_offset(out, zone)) {
        return true;
    }
    size_t low = 0;
    size_t high = IV_COUNT(zones);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = iv_str_cmp(zone, iv_str_of(zones[middle].name));
        if (order == 0) {
            struct rule r;
            if (!parse_rule(&r, zones[middle].rule)) {
                return false;
            }
            *out = offset_at(&r, utc_seconds);
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}
