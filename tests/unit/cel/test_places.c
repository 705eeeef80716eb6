/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones and networks: the places that rules speak of. */
#include "base/guard.h"
#include "cel/net.h"
#include "cel/zone.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define H INT64_C(3600)

Test(zone, knows_offsets_and_names)
{
    static const struct {
        const char *zone;
        int64_t at;
        int64_t offset;
    } rows[] = {
        {"UTC", 0, 0},
        {"+02:00", 0, 2 * H},
        {"02:00", 0, 2 * H},
        {"-02:30", 0, -9000},
        {"-00:00", 0, 0},
        {"Asia/Kathmandu", 0, 20700},
        {"Europe/Berlin", 1767225600, H},     /* 2026-01-01 */
        {"Europe/Berlin", 1782864000, 2 * H}, /* 2026-07-01 */
        {"Europe/Berlin", 1774745999, H},     /* a second before 2026-03-29T01:00Z */
        {"Europe/Berlin", 1774746000, 2 * H},
        {"Europe/Berlin", 1792889999, 2 * H}, /* a second before 2026-10-25T01:00Z */
        {"Europe/Berlin", 1792890000, H},
        {"America/New_York", 1772953199, -5 * H}, /* a second before 2026-03-08T07:00Z */
        {"America/New_York", 1772953200, -4 * H},
        {"Australia/Sydney", 1767225600, 11 * H}, /* summer in January */
        {"Australia/Sydney", 1782864000, 10 * H},
        {"Europe/Dublin", 1782864000, H}, /* whose winter is the exception */
        {"Europe/Dublin", 1767225600, 0},
        {"America/Nuuk", 1767225600, -2 * H},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        int64_t offset = -1;
        cr_expect(iv_zone_offset(&offset, iv_str_of(rows[i].zone), rows[i].at), "'%s'", rows[i].zone);
        cr_expect_eq(offset, rows[i].offset, "'%s' at %lld: %lld", rows[i].zone, (long long)rows[i].at,
                     (long long)offset);
    }
}

Test(zone, refuses_what_is_none)
{
    static const char *const rows[] = {"",       "Mars/Olympus", "europe/berlin", "+2:00",
                                       "+02:60", "24:00",        "+02:0a",        "Z"};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        int64_t offset = 0;
        cr_expect_not(iv_zone_offset(&offset, iv_str_of(rows[i]), 0), "'%s'", rows[i]);
    }
}

Test(zone, can_read_every_rule_of_its_table)
{
    static const char *const names[] = {
#define ZONE(name, rule) name,
#include "cel/zones.def"
#undef ZONE
    };
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        int64_t offset = 0;
        cr_expect(iv_zone_offset(&offset, iv_str_of(names[i]), 1767225600), "'%s'", names[i]);
        cr_expect(offset >= -12 * H && offset <= 14 * H, "'%s': %lld", names[i], (long long)offset);
        cr_expect(i == 0 || strcmp(names[i - 1], names[i]) < 0, "'%s' is out of order", names[i]);
    }
}

Test(net, reads_and_writes_addresses)
{
    static const struct {
        const char *text;
        const char *canonical;
    } rows[] = {
        {"10.0.0.1", "10.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"::ffff:c0a8:1", "192.168.0.1"},
    };
    struct iv_buf text;
    iv_buf_init(&text, 100);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_net net;
        iv_buf_clear(&text);
        cr_assert(iv_net_parse_ip(&net, iv_str_of(rows[i].text)), "'%s'", rows[i].text);
        iv_net_format(&text, &net, false);
        cr_expect_str_eq(text.p, rows[i].canonical, "'%s'", rows[i].text);
    }
    iv_buf_deinit(&text);
}

Test(net, refuses_what_is_no_address)
{
    static const char *const rows[] = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "256.0.0.1",
        "01.2.3.4",
        "1.2.3.4 ",
        "1..2.3",
        ":",
        ":::",
        "1::2::3",
        "1:2:3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "fe80::1%eth0",
        "::1.2.3.4",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_net net;
        cr_expect_not(iv_net_parse_ip(&net, iv_str_of(rows[i])), "'%s'", rows[i]);
    }
}

Test(net, compares_networks_bit_by_bit)
{
    static const struct {
        const char *net;
        const char *inner;
        bool contains;
    } rows[] = {
        {"10.0.0.0/8", "10.1.0.0/16", true},
        {"10.0.0.0/8", "10.0.0.0/7", false},
        {"10.1.2.3/8", "10.9.9.9/32", true},
        {"10.0.0.0/31", "10.0.0.1/32", true},
        {"10.0.0.0/31", "10.0.0.2/32", false},
        {"0.0.0.0/0", "1.2.3.4/32", true},
        {"::/0", "1.2.3.4/32", false},
        {"2001:db8::/33", "2001:db8:8000::/34", false},
        {"2001:db8::/33", "2001:db8:7fff::/34", true},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_net net;
        struct iv_net inner;
        cr_assert(iv_net_parse_cidr(&net, iv_str_of(rows[i].net)));
        cr_assert(iv_net_parse_cidr(&inner, iv_str_of(rows[i].inner)));
        cr_expect_eq(iv_net_contains(&net, &inner), rows[i].contains, "'%s' '%s'", rows[i].net,
                     rows[i].inner);
    }
}

Test(net, refuses_what_is_no_network)
{
    static const char *const rows[] = {
        "",   "10.0.0.0",         "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/8 ",
        "/8", "::ffff:c0a8:0/112"};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_net net;
        cr_expect_not(iv_net_parse_cidr(&net, iv_str_of(rows[i])), "'%s'", rows[i]);
    }
}
