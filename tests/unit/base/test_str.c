/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(glob, matches_the_whole_text)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool want;
    } rows[] = {
        {"*", "", true},
        {"*", "a.b/c", true},
        {"tool.*", "tool.executed", true},
        {"tool.*", "tool", false},
        {"a?c", "abc", true},
        {"a?c",
         "a\xc3\xa9"
         "c",
         true},
        {"a?c", "ac", false},
        {"*a*b", "xxaxxb", true},
        {"*a*b", "xxaxxbx", false},
        {"", "", true},
        {"", "a", false},
        {"abc", "abc", true},
        {"a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_glob(iv_str_of(rows[i].pattern), iv_str_of(rows[i].text)) == rows[i].want,
                  "'%s' on '%s'", rows[i].pattern, rows[i].text);
    }
}

Test(nearest, finds_the_slip_and_nothing_far)
{
    static const struct iv_str names[] = {IV_STR_INIT("expires_at"), IV_STR_INIT("token_id"),
                                          IV_STR_INIT("scopes")};
    static const struct {
        const char *name;
        const char *want;
    } rows[] = {{"expires", "expires_at"}, {"exp", NULL},       {"expires_ta", "expires_at"},
                {"tokenid", "token_id"},   {"scope", "scopes"}, {"zzz", NULL}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_str near = iv_str_nearest(iv_str_of(rows[i].name), names, IV_COUNT(names));
        cr_expect(iv_str_eq(near, iv_str_of(rows[i].want)), "'%s' is near '" IV_STR_FMT "'", rows[i].name,
                  IV_STR_ARG(near));
    }
}

Test(utf8, accepts_only_what_is_well_formed)
{
    static const struct {
        const char *bytes;
        bool want;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xc0\x80", false},
        {"\xed\xa0\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xe2\x82", false},
        {"\x80", false},
        {"\xff", false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_utf8_valid(iv_str_of(rows[i].bytes)) == rows[i].want, "row %zu", i);
    }
}

Test(str, orders_by_bytes)
{
    cr_expect(lt(int, iv_str_cmp(IV_STR("a"), IV_STR("b")), 0));
    cr_expect(lt(int, iv_str_cmp(IV_STR("a"), IV_STR("aa")), 0));
    cr_expect(eq(int, iv_str_cmp(IV_STR("a"), IV_STR("a")), 0));
}
