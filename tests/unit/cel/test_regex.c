/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "cel/regex.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct iv_arena arena;

static void init(void)
{
    iv_arena_init(&arena, (size_t)4 << 20);
}

static void deinit(void)
{
    iv_arena_deinit(&arena);
}

TestSuite(cel_regex, .init = init, .fini = deinit, .timeout = 60);

static const struct {
    const char *pattern;
    const char *text;
    bool matches;
} searches[] = {
    {"abc", "xxabcxx", true},
    {"abc", "xxabxcx", false},
    {"^abc$", "abc", true},
    {"^abc$", "abcd", false},
    {"a|b|", "zzz", true},
    {"^(a|bc)*$", "abcabc", true},
    {"^(a|bc)*$", "abcab", false},
    {"a.c", "a\nc", false},
    {"(?s)a.c", "a\nc", true},
    {"(?i)HeLLo", "say hEllO", true},
    {"(?i:A)b", "ab", true},
    {"(?i:A)b", "aB", false},
    {"(?m)^b$", "a\nb\nc", true},
    {"^b$", "a\nb\nc", false},
    {"^[a-c]{2,3}$", "abc", true},
    {"^[a-c]{2,3}$", "a", false},
    {"^[a-c]{2,3}$", "abca", false},
    {"^a{3}$", "aaa", true},
    {"^a{2,}$", "a", false},
    {"a{,2}", "a{,2}", true},
    {"^[^a-z]+$", "ABC1", true},
    {"^[^a-z]+$", "ABc1", false},
    {"[]a]", "]", true},
    {"[a\\]]", "]", true},
    {"[a-]", "-", true},
    {"^[[:alpha:]_]+$", "ab_C", true},
    {"^[[:^digit:]]+$", "abc", true},
    {"^[[:^digit:]]+$", "ab3", false},
    {"^\\d+\\.\\d+$", "12.5", true},
    {"^\\w+\\s\\S+$", "ab cd", true},
    {"\\bcat\\b", "a cat sat", true},
    {"\\bcat\\b", "concat", false},
    {"\\Bcat", "concat", true},
    {"\\Aab\\z", "ab", true},
    {"^\\x41\\x{1F600}$", "A\xf0\x9f\x98\x80", true},
    {"^.$", "\xc3\xb1", true},
    {"^[\xc3\xa0-\xc3\xbf]$", "\xc3\xb1", true},
    {"^\\Qa.b\\E$", "a.b", true},
    {"^\\Qa.b\\E$", "axb", false},
    {"(?P<year>\\d{4})-(?:\\d\\d)", "on 2026-01", true},
    {"a+?b", "aab", true},
    {"(a*)*b", "aaaaaaaaaac", false},
    {"", "", true},
    {"^$", "", true},
    {"x*", "", true},
    {"^(?:(?:a?){3}){3}$", "aaaaaaaaa", true},
    {"\\t\\n", "\t\n", true},
};

Test(cel_regex, finds_what_matches_anywhere)
{
    for (size_t i = 0; i < IV_COUNT(searches); i++) {
        struct iv_regex *regex = NULL;
        struct iv_err err = {.text = ""};
        bool matches = !searches[i].matches;
        cr_assert(iv_ok(iv_regex_compile(&regex, iv_str_of(searches[i].pattern), &arena, &err)), "'%s': %s",
                  searches[i].pattern, err.text);
        cr_assert(iv_ok(iv_regex_search(&matches, regex, iv_str_of(searches[i].text), &arena, &err)));
        cr_expect_eq(matches, searches[i].matches, "'%s' in '%s'", searches[i].pattern, searches[i].text);
    }
}

Test(cel_regex, refuses_what_is_wrong_or_no_automaton_can_do)
{
    static const char *const rows[] = {
        "(",           ")",     "[a",        "a)",     "*a",    "a**b(",  "[b-a]",
        "\\",          "\\1",   "(?=a)",     "(?<!a)", "(?P<n", "a{2,1}", "a{1001}",
        "\\x{110000}", "\\xg1", "[[:foo:]]", "\\pL",   "(?z)a", "(?i",    "((a{100}){100}){100}",
        "[\\",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_regex *regex = NULL;
        struct iv_err err = {.text = ""};
        cr_expect_eq(iv_regex_compile(&regex, iv_str_of(rows[i]), &arena, &err).code, IV_E_EVAL, "'%s'",
                     rows[i]);
        cr_expect_neq(err.text[0], '\0');
    }
}

/* Backtracking would take longer than the universe is old. */
Test(cel_regex, takes_time_in_line_with_the_text)
{
    static char text[20000];
    memset(text, 'a', sizeof text);
    struct iv_regex *regex = NULL;
    bool matches = true;
    cr_assert(iv_ok(iv_regex_compile(&regex, IV_STR("^(a+)+(a|aa)+(a*)*b$"), &arena, NULL)));

    cr_assert(iv_ok(iv_regex_search(&matches, regex, (struct iv_str){text, sizeof text}, &arena, NULL)));

    cr_expect_not(matches);
}
