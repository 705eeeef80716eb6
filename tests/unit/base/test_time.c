/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/time.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(instant, reads_every_rfc_3339_form)
{
    static const struct {
        const char *text;
        int64_t s;
        int ns;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"1970-01-01t00:00:00z", 0, 0},
        {"2026-01-02T03:04:05.5Z", 1767323045, 500000000},
        {"2026-01-02T03:04:05.000000001+00:00", 1767323045, 1},
        {"2026-01-02T05:34:05+02:30", 1767323045, 0},
        {"1969-12-31T23:59:59.999999999Z", -1, 999999999},
        {"2000-02-29T00:00:00Z", 951782400, 0},
        {"0001-01-01T00:00:00Z", IV_INSTANT_MIN_S, 0},
        {"9999-12-31T23:59:59Z", IV_INSTANT_MAX_S, 0},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_instant t = {0};
        cr_expect(iv_instant_parse(&t, iv_str_of(rows[i].text)), "'%s' parses", rows[i].text);
        cr_expect(t.s == rows[i].s && t.ns == rows[i].ns, "'%s' is %lld.%09d", rows[i].text, (long long)t.s,
                  t.ns);
    }
}

Test(instant, refuses_what_is_not_rfc_3339)
{
    static const char *const rows[] = {
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zx",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "+026-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_instant t = {0};
        cr_expect(not(iv_instant_parse(&t, iv_str_of(rows[i]))), "'%s' must be refused", rows[i]);
    }
}

Test(instant, writes_what_it_reads)
{
    static const char *const rows[] = {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z",
                                       "2026-01-02T03:04:05.500Z", "2026-01-02T03:04:05.000001Z"};
    struct iv_buf out;
    iv_buf_init(&out, 64);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_instant t = {0};
        cr_assert(iv_instant_parse(&t, iv_str_of(rows[i])));
        iv_buf_clear(&out);
        iv_instant_format(&out, t);
        cr_expect(eq(str, out.p, (char *)rows[i]));
    }
    iv_buf_deinit(&out);
}

Test(instant, knows_what_fits_nanoseconds)
{
    iv_ns ns = 0;
    struct iv_instant far = {IV_INSTANT_MAX_S, 0};
    cr_expect(not(iv_instant_to_ns(&ns, far)));
    cr_expect(eq(i64, iv_instant_to_ns_saturated(far), IV_NS_MAX));
    cr_expect(eq(i64, iv_instant_to_ns_saturated((struct iv_instant){IV_INSTANT_MIN_S, 0}), IV_NS_MIN));
    cr_expect(eq(i64, iv_instant_of_ns(-1).s, -1));
    cr_expect(eq(i64, iv_instant_to_ns_saturated(iv_instant_of_ns(IV_NS_MIN)), IV_NS_MIN));
    cr_expect(iv_instant_to_ns(&ns, iv_instant_of_ns(IV_NS_MIN)) && ns == IV_NS_MIN);
    cr_expect(iv_instant_to_ns(&ns, iv_instant_of_ns(IV_NS_MAX)) && ns == IV_NS_MAX);
    cr_expect(iv_instant_to_ns(&ns, (struct iv_instant){-1, 999999999}) && ns == -1);
    cr_expect(iv_instant_to_ns(&ns, (struct iv_instant){-1, 0}) && ns == -IV_NS_PER_S);
    cr_expect(eq(i64, iv_instant_of_ns(IV_NS_MIN).ns, 145224192));
    cr_expect(eq(i64, iv_ns_add(IV_NS_MAX, 1), IV_NS_MAX));
    cr_expect(eq(i64, iv_ns_add(IV_NS_MIN, -1), IV_NS_MIN));
}

Test(duration, reads_every_documented_form)
{
    static const struct {
        const char *text;
        bool days;
        int64_t s;
        int ns;
    } rows[] = {
        {"0", false, 0, 0},
        {"0s", false, 0, 0},
        {"1500ms", false, 1, 500000000},
        {"1.5s", false, 1, 500000000},
        {"-1.5s", false, -2, 500000000},
        {"1h2m3s", false, 3723, 0},
        {"30d", true, 2592000, 0},
        {"250us", false, 0, 250000},
        {"7ns", false, 0, 7},
        {".5m", false, 30, 0},
        {"+1s", false, 1, 0},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_instant d = {0};
        cr_expect(iv_duration_parse(&d, iv_str_of(rows[i].text), rows[i].days), "'%s' parses", rows[i].text);
        cr_expect(d.s == rows[i].s && d.ns == rows[i].ns, "'%s' is %lld+%d", rows[i].text, (long long)d.s,
                  d.ns);
    }
}

Test(duration, refuses_what_is_not_one)
{
    static const char *const rows[] = {
        "", "-", "5", "s", "1x", "1s ", " 1s", "1d", ".s", "1.2.3s", "99999999999999999999h"};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_instant d = {0};
        cr_expect(not(iv_duration_parse(&d, iv_str_of(rows[i]), false)), "'%s' must be refused", rows[i]);
    }
}

Test(duration, is_written_in_seconds)
{
    static const struct {
        struct iv_instant d;
        const char *want;
    } rows[] = {{{1, 500000000}, "1.5s"},
                {{-2, 500000000}, "-1.5s"},
                {{0, 0}, "0s"},
                {{-1, 999999999}, "-0.000000001s"}};
    struct iv_buf out;
    iv_buf_init(&out, 64);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        iv_buf_clear(&out);
        iv_duration_format(&out, rows[i].d);
        cr_expect(eq(str, out.p, (char *)rows[i].want));
    }
    iv_buf_deinit(&out);
}
