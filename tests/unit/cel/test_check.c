/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cel/world.h"

static struct world w;

static void init(void)
{
    world_init(&w);
}

static void deinit(void)
{
    world_deinit(&w);
}

TestSuite(cel_check, .init = init, .fini = deinit);

Test(cel_check, says_where_and_what_is_wrong)
{
    static const struct {
        const char *source;
        enum iv_code code;
        size_t offset;
        size_t length;
        const char *text;
    } rows[] = {
        {"use.tokenid == 't'", IV_E_TYPE, 4, 7,
         "undeclared field 'tokenid' of token.used; did you mean 'token_id'?"},
        {"use.zzzzzz", IV_E_TYPE, 4, 6, "undeclared field 'zzzzzz' of token.used"},
        {"has(gone.scope)", IV_E_TYPE, 9, 5, "undeclared field 'scope' of token.revoked"},
        {"us.time", IV_E_TYPE, 0, 2, "undeclared reference to 'us'; did you mean 'use'?"},
        {"1 < baseline.token.skw", IV_E_TYPE, 4, 18,
         "undeclared reference to 'baseline.token.skw'; did you mean 'baseline.token.skew'?"},
        {"use.scope.startWith('r')", IV_E_TYPE, 10, 9,
         "there is no function 'startWith'; did you mean 'startsWith'?"},
        {"use.scope > 3", IV_E_TYPE, 10, 1, "'>' does not go with (string, int)"},
        {"1 ? 2 : 3", IV_E_TYPE, 2, 1, "'? :' does not go with (int, int, int)"},
        {"use.scope.foo", IV_E_TYPE, 10, 3, "a value of type string has no fields"},
        {"use.scope.all(c, c == 'a')", IV_E_TYPE, 10, 3,
         "the macro goes over a list or a map, not over string"},
        {"baseline.tools.filter(t, t)", IV_E_TYPE, 25, 1, "expected a condition, of type bool, not string"},
        {"baseline.tools.all(1, true)", IV_E_SYNTAX, 19, 1,
         "expected a simple name for the macro's variable"},
        {"has(use)", IV_E_SYNTAX, 4, 3, "has() asks for a field: has(a.b)"},
        {"[?1]", IV_E_TYPE, 2, 1, "behind '?' stands an optional, not int"},
        {"a.b{c: 1}", IV_E_TYPE, 2, 1, "there are no message types here; a map is {'field': value}"},
        {"use.scope.matches('(')", IV_E_TYPE, 18, 3,
         "the pattern '(' is wrong at its byte 1: a ')' is missing"},
        {"1 +", IV_E_SYNTAX, 3, 0, "the expression ends here, expected a value"},
        {"(1", IV_E_SYNTAX, 2, 0, "the expression ends here, expected ')'"},
        {"1 2", IV_E_SYNTAX, 2, 1, "unexpected '2', expected an operator or the end"},
        {"f(1,)", IV_E_SYNTAX, 4, 1, "unexpected ')', expected another argument"},
        {"a = b", IV_E_SYNTAX, 2, 1, "'=' is no operator; did you mean '=='?"},
        {"a & b", IV_E_SYNTAX, 2, 1, "'&' is no operator; did you mean '&&'?"},
        {"'abc", IV_E_SYNTAX, 0, 4, "the string has no closing '"},
        {"'a\\qb'", IV_E_SYNTAX, 2, 2, "there is no such escape; for a backslash write \\\\"},
        {"'\\ud800'", IV_E_SYNTAX, 1, 2, "the escape is no Unicode code point"},
        {"b'\\u00ff'", IV_E_SYNTAX, 2, 2, "bytes have no escapes by code point; write the octets with \\x"},
        {"9223372036854775808", IV_E_SYNTAX, 0, 19, "the number does not fit an int of 64 bits"},
        {"18446744073709551616u", IV_E_SYNTAX, 0, 21, "the number does not fit a uint of 64 bits"},
        {"12ab", IV_E_SYNTAX, 2, 1, "'a' cannot follow a number"},
        {"for", IV_E_SYNTAX, 0, 3, "'for' is a reserved word"},
        {"\"\xff\"", IV_E_SYNTAX, 0, 1, "the expression is not UTF-8"},
        {"", IV_E_SYNTAX, 0, 0, "the expression ends here, expected a value"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_rc_s rc = world_compile(&w, rows[i].source, NULL);
        cr_expect_eq(rc.code, rows[i].code, "'%s'", rows[i].source);
        cr_assert_geq(w.diags.count, 1u, "'%s'", rows[i].source);
        cr_expect_str_eq(w.diags.items[0].text, rows[i].text, "'%s': %s", rows[i].source,
                         w.diags.items[0].text);
        cr_expect_eq(w.diags.items[0].offset, rows[i].offset, "'%s': %zu", rows[i].source,
                     w.diags.items[0].offset);
        cr_expect_eq(w.diags.items[0].length, rows[i].length, "'%s': %zu", rows[i].source,
                     w.diags.items[0].length);
    }
}

Test(cel_check, says_what_would_have_been_right)
{
    static const struct {
        const char *source;
        const char *text;
    } rows[] = {
        {"use.scope.contains(1)",
         "'contains' of string does not go with (int); there is string.contains(string)"},
        {"contains(use.scope, 'a')",
         "'contains' does not go with (string, string); there is string.contains(string)"},
        {"use.time + 1",
         "'+' does not go with (timestamp, int); a length of time is duration(\"5m\"), a time is "
         "timestamp(\"2026-01-01T00:00:00Z\")"},
        {"use.time > 'now'",
         "'>' does not go with (timestamp, string); a length of time is duration(\"5m\"), a time is "
         "timestamp(\"2026-01-01T00:00:00Z\")"},
        {"use.scope + 1", "'+' does not go with (string, int)"},
        {"5s", "'s' cannot follow a number; a length of time is duration(\"5s\")"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_neq(world_compile(&w, rows[i].source, NULL).code, IV_CODE_OK, "'%s'", rows[i].source);
        cr_assert_geq(w.diags.count, 1u, "'%s'", rows[i].source);
        cr_expect_str_eq(w.diags.items[0].text, rows[i].text, "'%s': %s", rows[i].source,
                         w.diags.items[0].text);
    }
}

Test(cel_check, warns_of_a_part_that_always_fails)
{
    static const struct {
        const char *source;
        size_t offset;
        const char *text;
    } rows[] = {
        {"use.scope == 'a' && 1 / 0 == 1", 22, "this always fails: division by zero"},
        {"duration('soon') > baseline.token.skew", 0,
         "this always fails: the string is no duration within 10,000 years, as in \"1h30m\""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_ok(world_compile(&w, rows[i].source, NULL)), "'%s': %s", rows[i].source, w.err.text);
        cr_assert_eq(w.diags.count, 1u, "'%s'", rows[i].source);
        cr_expect(w.diags.items[0].warning);
        cr_expect_eq(w.diags.items[0].offset, rows[i].offset, "'%s': %zu", rows[i].source,
                     w.diags.items[0].offset);
        cr_expect_str_eq(w.diags.items[0].text, rows[i].text, "'%s': %s", rows[i].source,
                         w.diags.items[0].text);
    }
    cr_expect(iv_ok(world_compile(&w, "use.scope == 'a' || 1 / 1 == 1", NULL)));
    cr_expect_eq(w.diags.count, 0u);
}

Test(cel_check, reports_all_errors_in_one_run)
{
    struct iv_rc_s rc = world_compile(&w, "use.a == 1 && gone.b == 2 || nobody + 1 > 2", NULL);

    cr_assert_eq(rc.code, IV_E_TYPE);
    cr_assert_eq(w.diags.count, 3u);
    cr_expect_str_eq(w.err.text, w.diags.items[0].text);
}

Test(cel_check, deduces_types)
{
    static const struct {
        const char *source;
        const char *type;
    } rows[] = {
        {"use.time - gone.time", "duration"},
        {"use", "token.used"},
        {"baseline.tools", "list(string)"},
        {"baseline.limits['a'] + 1", "int"},
        {"use.meta.tier", "dyn"},
        {"[1, 'a']", "list(dyn)"},
        {"[1, 2].map(i, string(i))", "list(string)"},
        {"{'a': [1u]}", "map(string, list(uint))"},
        {"[use, use]", "list(token.used)"},
        {"[use].map(u, u.bytes)", "list(int)"},
        {"[use, gone]", "list(dyn)"},
        {"use.meta.?tier", "optional_type(dyn)"},
        {"type(1)", "type(int)"},
        {"null", "null"},
        {"x", "dyn"},
        {"true ? 1 : x", "dyn"},
        {"[]", "list(dyn)"},
        {"cel.bind(n, 1, n + n)", "int"},
        {"optional.of(1).optMap(v, 'a')", "optional_type(string)"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        iv_buf_clear(&w.text);
        cr_assert(iv_ok(world_compile(&w, rows[i].source, NULL)), "'%s': %s", rows[i].source, w.err.text);
        iv_cel_type_format(&w.text, iv_cel_prog_type(w.prog));
        cr_expect_str_eq(w.text.p, rows[i].type, "'%s'", rows[i].source);
    }
}

Test(cel_check, holds_the_whole_to_the_type_that_is_asked_for)
{
    const struct iv_cel_options condition = {.expect = &iv_cel_bool};

    cr_expect(iv_ok(world_compile(&w, "use.bytes > 3", &condition)));
    cr_expect(iv_ok(world_compile(&w, "use.meta.flag", &condition)), "dyn goes with everything");
    cr_expect_eq(world_compile(&w, "use.bytes", &condition).code, IV_E_TYPE);
    cr_expect_str_eq(w.diags.items[0].text, "expected a value of type bool, this is int");
}

Test(cel_check, leaves_all_to_the_run_where_it_is_switched_off)
{
    const struct iv_cel_options unchecked = {.no_check = true};
    static const char *const sources[] = {"nobody || true", "f(1)", "use.nothing", "1 + 'a'", "'a' ? 1 : 2"};
    for (size_t i = 0; i < IV_COUNT(sources); i++) {
        cr_expect(iv_ok(world_compile(&w, sources[i], &unchecked)), "'%s': %s", sources[i], w.err.text);
    }
    cr_expect_eq(world_compile(&w, "1 +", &unchecked).code, IV_E_SYNTAX, "syntax is no matter of types");
}

static iv_rc twice(struct iv_val *out, const struct iv_val *args, size_t count, struct iv_cel_frame *frame,
                   void *ctx, struct iv_err *err)
{
    (void)count, (void)frame, (void)err;
    *out = iv_val_int(args[0].i * *(const int64_t *)ctx);
    return IV_OK;
}

Test(cel_check, knows_the_functions_of_the_host_and_of_its_parents)
{
    int64_t factor = 2;
    struct iv_cel_env *child = NULL;
    const struct iv_cel_overload overload = {.function = IV_STR("times"),
                                             .result = &iv_cel_int,
                                             .args = {&iv_cel_int},
                                             .arg_count = 1,
                                             .cost = 1,
                                             .call = twice,
                                             .ctx = &factor};
    cr_assert(iv_ok(iv_cel_env_function(w.env, &overload, &w.err)));
    cr_assert(iv_ok(iv_cel_env_extend(&child, w.env, &w.err)));
    struct iv_cel_prog *prog = NULL;
    struct iv_val v;

    cr_assert(iv_ok(iv_cel_compile(&prog, child, IV_STR("times(21)"), NULL, &w.diags, &w.err)));
    cr_assert(iv_ok(iv_cel_run(prog, &w.frame, &v, &w.err)));

    cr_expect_eq(v.i, 42);
    iv_cel_prog_free(prog);
    iv_cel_env_free(child);
}

Test(cel_check, refuses_declarations_that_make_no_sense)
{
    static const struct iv_cel_type parameter = {.kind = IV_CEL_PARAM, .name = "T"};
    const struct iv_cel_var again = {IV_STR("use"), &iv_cel_int, 0, 0};
    const struct iv_cel_var far = {IV_STR("far"), &iv_cel_int, IV_CEL_BANKS, 0};
    const struct iv_cel_var open = {IV_STR("open"), &parameter, 0, 0};

    cr_expect_eq(iv_cel_env_var(w.env, &again, &w.err).code, IV_E_REFUSED);
    cr_expect_eq(iv_cel_env_var(w.env, &far, &w.err).code, IV_E_REFUSED);
    cr_expect_eq(iv_cel_env_var(w.env, &open, &w.err).code, IV_E_REFUSED);
}
