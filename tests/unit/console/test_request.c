/* SPDX-License-Identifier: Apache-2.0 */
/* The console's small parsers; what they make of a whole request is tested over HTTP (tests/browser). */
#include "base/guard.h"
#include "console/listen.h"
#include "console/place.h"
#include "console/query.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <unistd.h>

Test(request, percent_decoding_spares_no_character_but_the_one_that_would_cut_a_text_short)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"plain", "plain"},
        {"a%20b", "a b"},
        {"%C3%A9", "\xc3\xa9"},
        {"%c3%a9", "\xc3\xa9"},
        {"a%00b", "a\xff"
                  "b"},
        {"a%0ab", "a\nb"},
        {"%7f", "\x7f"},
        {"%2", "%2"},
        {"%", "%"},
        {"%zz", "%zz"},
        {"%2541", "%41"},
        {"%2e%2e%2f", "../"},
        {"100%25%00", "100%\xff"},
        {"", ""},
        {"a%250Ab", "a%0Ab"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        size_t n = iv_query_unescape(NULL, NULL, text);
        cr_expect(eq(str, text, (char *)(uintptr_t)rows[i].want), "'%s'", rows[i].text);
        cr_expect(eq(sz, n, strlen(rows[i].want)), "'%s'", rows[i].text);
    }
}

Test(request, a_place_reads_back_as_it_was_written)
{
    static const struct iv_place rows[] = {{0, 0}, {17, 42}, {999999999999999999, 1}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char text[IV_PLACE_BYTES];
        struct iv_place back;
        iv_place_format(text, rows[i]);
        cr_assert(iv_place_parse(&back, iv_str_of(text)), "'%s'", text);
        cr_expect(eq(i64, back.findings, rows[i].findings));
        cr_expect(eq(i64, back.actions, rows[i].actions));
    }
}

Test(request, what_is_no_place_is_refused)
{
    static const char *const rows[] = {
        "",
        "-",
        "1",
        "1-",
        "-1",
        "1-2-3",
        "a-b",
        "+1-2",
        " 1-2",
        "1-2 ",
        "1--2",
        "1.0-2",
        "1000000000000000000-1",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_place place;
        cr_expect(not(iv_place_parse(&place, iv_str_of(rows[i]))), "'%s'", rows[i]);
    }
}

Test(request, an_address_tells_whether_other_machines_reach_it)
{
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {
        {"127.0.0.1:8088", true}, {"127.9.9.9:1", true},
        {"localhost:0", true},    {"[::1]:8088", true},
        {"0.0.0.0:8088", false},  {"192.0.2.7:65535", false},
        {"[::]:8088", false},     {"[2001:db8::1]:8088", false},
        {"128.0.0.1:1", false},   {"[::ffff:127.0.0.1]:1", false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        bool loopback = !rows[i].loopback;
        struct iv_err err;
        cr_assert(iv_ok(iv_listen_is_loopback(&loopback, iv_str_of(rows[i].text), &err)), "%s", err.text);
        cr_expect(eq(int, loopback, rows[i].loopback), "%s", rows[i].text);
    }
}

Test(request, what_is_no_address_with_a_port_is_refused)
{
    static const char *const rows[] = {
        "",
        ":",
        "8088",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "::1:",
        "[127.0.0.1]",
        "[::1]8088",
        "a.b:80",
        "127.0.0.1:80x",
        "127.0.0.1: 80",
        "256.0.0.1:80",
        "[]:1",
        "[::1:1",
        "[fe80::1%eth0]:1",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        bool loopback;
        struct iv_err err;
        struct iv_rc_s rc = iv_listen_is_loopback(&loopback, iv_str_of(rows[i]), &err);
        cr_expect(eq(int, rc.code, IV_E_REFUSED), "'%s'", rows[i]);
    }
}

Test(request, a_port_that_is_taken_is_named)
{
    struct iv_listen first;
    struct iv_listen second;
    struct iv_err err;
    char text[32];
    cr_assert(iv_ok(iv_listen_open(&first, IV_STR("127.0.0.1:0"), &err)), "%s", err.text);
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", first.port);

    struct iv_rc_s rc = iv_listen_open(&second, iv_str_of(text), &err);

    cr_expect(eq(int, rc.code, IV_E_IO));
    cr_expect(strstr(err.text, text) != NULL && strstr(err.text, "in use") != NULL, "%s", err.text);
    (void)close(first.fd);
}
