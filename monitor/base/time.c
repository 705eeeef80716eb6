/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#define DAY_S INT64_C(86400)

/* Both from Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that the
 * leap day is the last of its year; an era is 400 years. */
int64_t iv_days_of_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void iv_civil_of_days(int64_t *year, int *month, int *day, int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

/* Reads exactly count digits at *at. */
static bool digits(int *out, struct iv_str s, size_t *at, size_t count)
{
    if (s.n - *at < count) {
        return false;
    }
    int v = 0;
    for (size_t i = 0; i < count; i++) {
        char c = s.p[*at + i];
        if (c < '0' || c > '9') {
            return false;
        }
        v = v * 10 + (c - '0');
    }
    *at += count;
    *out = v;
    return true;
}

static bool literal(struct iv_str s, size_t *at, char c)
{
    if (*at >= s.n || s.p[*at] != c) {
        return false;
    }
    (*at)++;
    return true;
}

static bool leap_year(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool parse_date(int64_t *days, struct iv_str s, size_t *at)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = 0;
    int m = 0;
    int d = 0;
    if (!digits(&y, s, at, 4) || !literal(s, at, '-') || !digits(&m, s, at, 2) || !literal(s, at, '-') ||
        !digits(&d, s, at, 2) || y < 1 || m < 1 || m > 12 || d < 1) {
        return false;
    }
    if (d > month_days[m - 1] + (m == 2 && leap_year(y))) {
        return false;
    }
    *days = iv_days_of_civil(y, m, d);
    return true;
}

static bool parse_fraction(int32_t *ns, struct iv_str s, size_t *at)
{
    *ns = 0;
    if (*at >= s.n || s.p[*at] != '.') {
        return true;
    }
    (*at)++;
    size_t start = *at;
    int32_t scale = 100000000;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++) {
        if (*at - start == 9) {
            return false;
        }
        *ns += scale * (s.p[*at] - '0');
        scale /= 10;
    }
    return *at > start;
}

static bool parse_offset(int64_t *seconds, struct iv_str s, size_t *at)
{
    *seconds = 0;
    if (*at >= s.n) {
        return false;
    }
    char c = s.p[(*at)++];
    if (c == 'Z' || c == 'z') {
        return true;
    }
    int h = 0;
    int m = 0;
    if ((c != '+' && c != '-') || !digits(&h, s, at, 2) || !literal(s, at, ':') || !digits(&m, s, at, 2) ||
        h > 23 || m > 59) {
        return false;
    }
    *seconds = (c == '-' ? -1 : 1) * (h * INT64_C(3600) + m * INT64_C(60));
    return true;
}

/*= RFC 3339 5.6 "date-time = full-date T full-time" */
bool iv_instant_parse(struct iv_instant *out, struct iv_str text)
{
    size_t at = 0;
    int64_t days = 0;
    int64_t offset = 0;
    int32_t ns = 0;
    int h = 0;
    int m = 0;
    int sec = 0;
    if (!parse_date(&days, text, &at) || (!literal(text, &at, 'T') && !literal(text, &at, 't'))) {
        return false;
    }
    if (!digits(&h, text, &at, 2) || !literal(text, &at, ':') || !digits(&m, text, &at, 2) ||
        !literal(text, &at, ':') || !digits(&sec, text, &at, 2) || h > 23 || m > 59 || sec > 59) {
        return false;
    }
    if (!parse_fraction(&ns, text, &at) || !parse_offset(&offset, text, &at) || at != text.n) {
        return false;
    }
    int64_t s = days * DAY_S + h * INT64_C(3600) + m * INT64_C(60) + sec - offset;
    if (s < IV_INSTANT_MIN_S || s > IV_INSTANT_MAX_S) {
        return false;
    }
    *out = (struct iv_instant){s, ns};
    return true;
}

/* So many digits, without printf: each document has several instants. */
static void put_digits(struct iv_buf *out, char before, int value, int width)
{
    char text[10] = {before};
    for (int i = width; i > 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
    iv_buf_add(out, text, (size_t)width + 1);
}

static void format_fraction(struct iv_buf *out, int32_t ns)
{
    if (ns == 0) {
        return;
    }
    if (ns % 1000000 == 0) {
        put_digits(out, '.', ns / 1000000, 3);
    } else if (ns % 1000 == 0) {
        put_digits(out, '.', ns / 1000, 6);
    } else {
        put_digits(out, '.', ns, 9);
    }
}

void iv_instant_format(struct iv_buf *out, struct iv_instant t)
{
    int64_t days = t.s / DAY_S - (t.s % DAY_S < 0);
    int64_t of_day = t.s - days * DAY_S;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    iv_civil_of_days(&year, &month, &day, days);
    iv_buf_printf(out, "%04d", (int)year);
    put_digits(out, '-', month, 2);
    put_digits(out, '-', day, 2);
    put_digits(out, 'T', (int)(of_day / 3600), 2);
    put_digits(out, ':', (int)(of_day / 60 % 60), 2);
    put_digits(out, ':', (int)(of_day % 60), 2);
    format_fraction(out, t.ns);
    iv_buf_char(out, 'Z');
}

void iv_ns_format(struct iv_buf *out, iv_ns t)
{
    iv_instant_format(out, iv_instant_of_ns(t));
}

bool iv_instant_to_ns(iv_ns *out, struct iv_instant t)
{
    int64_t scaled = 0;
    bool below =
        t.s < 0; /* from the second above: the one below may be out of reach where the instant is not */
    int64_t ns = below ? t.ns - IV_NS_PER_S : t.ns;
    return !__builtin_mul_overflow(t.s + below, IV_NS_PER_S, &scaled) &&
           !__builtin_add_overflow(scaled, ns, out);
}

iv_ns iv_instant_to_ns_saturated(struct iv_instant t)
{
    iv_ns ns = 0;
    if (iv_instant_to_ns(&ns, t)) {
        return ns;
    }
    return t.s < 0 ? IV_NS_MIN : IV_NS_MAX;
}

struct iv_instant iv_instant_of_ns(iv_ns t)
{
    int64_t rest = t % IV_NS_PER_S;
    return rest < 0 ? (struct iv_instant){t / IV_NS_PER_S - 1, (int32_t)(rest + IV_NS_PER_S)}
                    : (struct iv_instant){t / IV_NS_PER_S, (int32_t)rest};
}

int iv_instant_cmp(struct iv_instant a, struct iv_instant b)
{
    if (a.s != b.s) {
        return a.s < b.s ? -1 : 1;
    }
    return a.ns < b.ns ? -1 : a.ns > b.ns;
}

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", IV_NS_PER_S},
    {"m", 60 * IV_NS_PER_S},
    {"h", 3600 * IV_NS_PER_S},
    {"d", DAY_S *IV_NS_PER_S}, /* last: only where days are allowed */
};

/* The unit at *at, in nanoseconds; 0 if there is none. The longest name wins: "ms" before "m". */
static int64_t parse_unit(struct iv_str s, size_t *at, bool days)
{
    size_t count = sizeof units / sizeof units[0] - (days ? 0 : 1);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(units[i].name);
        if (s.n - *at >= n && memcmp(s.p + *at, units[i].name, n) == 0) {
            *at += n;
            return units[i].ns;
        }
    }
    return 0;
}

__extension__ typedef __int128 wide; /* holds ten thousand years of nanoseconds */

/* One "12.5ms": adds it to *total in nanoseconds. */
static bool parse_part(wide *total, struct iv_str s, size_t *at, bool days)
{
    wide whole = 0;
    wide fraction = 0;
    wide scale = 1;
    size_t start = *at;
    size_t count = 0;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++, count++) {
        whole = whole * 10 + (s.p[*at] - '0');
        if (whole > IV_DURATION_MAX_S * (wide)IV_NS_PER_S) {
            return false;
        }
    }
    if (*at < s.n && s.p[*at] == '.') {
        for ((*at)++; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++, count++) {
            if (scale < IV_NS_PER_S * (wide)1000000) {
                fraction = fraction * 10 + (s.p[*at] - '0');
                scale *= 10;
            }
        }
    }
    if (count == 0 || *at == start) {
        return false;
    }
    int64_t unit = parse_unit(s, at, days);
    *total += whole * unit + fraction * unit / scale;
    return unit != 0 && *total <= IV_DURATION_MAX_S * (wide)IV_NS_PER_S;
}

bool iv_duration_parse(struct iv_instant *out, struct iv_str text, bool days)
{
    size_t at = 0;
    bool negative = text.n > 0 && text.p[0] == '-';
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+')) {
        at++;
    }
    wide total = 0;
    if (text.n - at == 1 && text.p[at] == '0') {
        *out = (struct iv_instant){0, 0};
        return true;
    }
    if (at == text.n) {
        return false;
    }
    while (at < text.n) {
        if (!parse_part(&total, text, &at, days)) {
            return false;
        }
    }
    total = negative ? -total : total;
    int64_t s = (int64_t)(total / IV_NS_PER_S) - (total % IV_NS_PER_S < 0);
    *out = (struct iv_instant){s, (int32_t)(total - (wide)s * IV_NS_PER_S)};
    return true;
}

void iv_duration_format(struct iv_buf *out, struct iv_instant d)
{
    bool negative = d.s < 0;
    int64_t s = negative && d.ns > 0 ? d.s + 1 : d.s;
    int32_t ns = negative && d.ns > 0 ? (int32_t)(IV_NS_PER_S - d.ns) : d.ns;
    iv_buf_printf(out, "%s%lld", negative ? "-" : "", (long long)(s < 0 ? -s : s));
    if (ns != 0) {
        int digits = 9; /* as many as are needed */
        for (; ns % 10 == 0; ns /= 10) {
            digits--;
        }
        iv_buf_printf(out, ".%0*d", digits, ns);
    }
    iv_buf_char(out, 's');
}

iv_ns iv_ns_add(iv_ns a, iv_ns b)
{
    iv_ns sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) {
        return sum;
    }
    return b < 0 ? IV_NS_MIN : IV_NS_MAX;
}
