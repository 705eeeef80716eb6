/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "unit/cel/world.h"

#include <math.h>
#include <stdio.h>

static struct world w;

static void init(void)
{
    world_init(&w);
}

static void deinit(void)
{
    world_deinit(&w);
}

TestSuite(cel_run, .init = init, .fini = deinit);

struct row {
    const char *source;
    const char *want;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = world_eval(&w, rows[i].source);
        cr_expect_str_eq(got, rows[i].want, "'%s': %s", rows[i].source, got);
    }
}

Test(cel_run, reads_fields_by_slot)
{
    static const struct row rows[] = {
        {"use.token_id", "\"t1\""},
        {"gone.token_id", "\"t1\""},
        {"use.token_id == gone.token_id", "true"},
        {"use.time > gone.time + baseline.token.skew", "true"},
        {"use.time > gone.time + baseline.token.skew + duration('2s')", "false"},
        {"gone.reason", "\"leaked\""},
        {"[use, use].map(u, u.scope)", "[\"read:all\",\"read:all\"]"},
        {"[use].exists(u, has(u.bytes))", "false"},
        {"[use].exists(u, has(u.scope))", "true"},
        {"use == use && use != dyn(gone)", "true"},
        {"use.meta.tier", "2"},
        {"use.meta['tier'] == 2", "true"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, fails_where_an_absent_field_is_read)
{
    static const struct row rows[] = {
        {"use.bytes", "error at 4: no such field 'bytes'"},
        {"1 + use.bytes", "error at 8: no such field 'bytes'"},
        {"has(use.bytes)", "false"},
        {"has(use.bytes) && use.bytes > 3", "false"},
        {"use.?bytes.orValue(7)", "7"},
        {"use.?scope.hasValue()", "true"},
        {"[use].map(u, u.bytes)", "error at 15: no such field 'bytes'"},
        {"use.meta.nothing", "error at 9: no such key: 'nothing'"},
        {"has(use.meta.nothing)", "false"},
        {"x == 1", "error at 0: no such field 'x'"},
        {"size(use.token_id + use.scope) > use.bytes", "error at 37: no such field 'bytes'"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, absorbs_failures_as_the_language_says)
{
    static const struct row rows[] = {
        {"use.bytes > 3 || true", "true"},
        {"true || use.bytes > 3", "true"},
        {"use.bytes > 3 && false", "false"},
        {"use.bytes > 3 && true", "error at 4: no such field 'bytes'"},
        {"use.bytes > 3 || use.meta.a == 1", "error at 26: no such key: 'a'"},
        {"(use.bytes > 3 || true) && (1 / (size(use.scope) - 8) > 0 || true)", "true"},
        {"(use.bytes > 3 || ((1 / (size(use.scope) - 8) > 0) || true) && false)",
         "error at 5: no such field 'bytes'"},
        {"has(use.bytes) ? use.bytes > 3 : true", "true"},
        {"use.bytes > 3 ? true : true", "error at 4: no such field 'bytes'"},
        {"[0, 1].exists(i, 1 / i == 1)", "true"},
        {"[0, 1].all(i, 1 / i == 2)", "false"},
        {"[0, 1].all(i, 1 / i == 1)", "error at 16: division by zero"},
        {"[0, 1].exists_one(i, 1 / i == 1)", "error at 23: division by zero"},
        {"[0, 1].map(i, 1 / i).size() > 0 || true", "true"},
        {"!(use.bytes > 3) || true", "true"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, resolves_dotted_variables_by_the_longest_name)
{
    static const struct row rows[] = {
        {"baseline.token.skew", "\"1s\""},
        {"baseline.tools[0]", "\"search\""},
        {"'mail' in baseline.tools", "true"},
        {"baseline.limits.search", "10"},
        {"baseline.limits['mail']", "error at 15: no such key in the map"},
        {"has(baseline.limits.mail)", "false"},
        {"has(baseline.token.skew)", "true"},
        {"['a'].map(baseline, baseline + 'b')", "[\"ab\"]"},
        {"[{'token': 1}].map(baseline, baseline.token)", "[1]"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, keeps_to_the_kinds_of_dynamic_values)
{
    static const struct row rows[] = {
        {"x + 1", "error at 2: no such overload: '+' does not go with (string, int)"},
        {"x.startsWith('a')", "true"},
        {"size(x)", "3"},
        {"-x", "error at 0: no such overload: '-' does not go with (string)"},
        {"x ? 1 : 2", "error at 0: no such overload: expected a bool, got string"},
        {"x && true", "error at 0: no such overload: expected a bool, got string"},
        {"x.y", "error at 2: no such key: a value of type string has no field 'y'"},
        {"x[0]", "error at 1: no such overload: '[]' does not go with (string, int)"},
        {"x.all(y, true)", "error at 2: no such overload: a macro goes over a list or a map, not string"},
        {"x.getFullYear()", "error at 2: no such overload: 'getFullYear' does not go with (string)"},
        {"x == 1", "false"},
        {"x < 1", "error at 2: no such overload: '<' does not go with (string, int)"},
        {"x in [1, 'abc']", "true"},
    };
    w.events[WORLD_X] = iv_val_str(IV_STR("abc"));
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, has_the_functions_of_rules)
{
    static const struct row rows[] = {
        {"glob('tool.*', 'tool.executed')", "true"},
        {"glob('t?ol', 'toll')", "false"},
        {"cidr_contains('10.0.0.0/8', '10.200.0.1')", "true"},
        {"cidr_contains('2001:db8::/32', '2001:db9::1')", "false"},
        {"cidr_contains('10.0.0.0/8', '::1')", "error at 0: an IPv4 network cannot hold an IPv6 address"},
        {"cidr_contains('10.0.0.0', '10.0.0.1')", "error at 0: '10.0.0.0' is no network in CIDR form"},
        {"cidr_contains('10.0.0.0/8', 'host')", "error at 0: 'host' is no IP address"},
        {"cosine([1.0, 0.0], [2, 0])", "1"},
        {"cosine([1, 1], [-1, -1])", "-1"},
        {"cosine([1e300, 0.0], [1e300, 1e300]) > 0.7", "true"},
        {"cosine([0, 0], [1, 1])", "error at 0: cosine of a zero vector"},
        {"cosine([1], [1, 1])", "error at 0: cosine of lists of different lengths, 1 and 2"},
        {"cosine([], [])", "error at 0: cosine of a zero vector"},
        {"use.scope.matches('^read:(all|some)$')", "true"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, matches_globs_by_character_over_dots_and_slashes)
{
    static const struct row rows[] = {
        {"glob('*.internal', 'a.b/c.internal')", "true"},
        {"glob('*', '')", "true"},
        {"glob('', '')", "true"},
        {"glob('', 'a')", "false"},
        {"glob('?', '')", "false"},
        {"glob('*?*', '')", "false"},
        {"glob('**a**', 'ba')", "true"},
        {"glob('a?c', 'a\\u00e9c')", "true"},
        {"glob('a??c', 'a\\u00e9c')", "false"},
        {"glob('?', '\\U0001f600')", "true"},
        {"glob('[a]', 'a')", "false"},
        {"glob('[a]', '[a]')", "true"},
        {"glob('a\\\\*', 'a\\\\bc')", "true"},
        {"glob('tool.*', 'Tool.x')", "false"},
        {"glob('a', x)", "error at 10: no such field 'x'"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, knows_networks_by_family)
{
    static const struct row rows[] = {
        {"cidr_contains('0.0.0.0/0', '255.255.255.255')", "true"},
        {"cidr_contains('::/0', '::')", "true"},
        {"cidr_contains('10.1.2.3/8', '10.200.0.1')", "true"},
        {"cidr_contains('10.1.2.3/32', '10.1.2.4')", "false"},
        {"cidr_contains('10.128.0.0/9', '10.127.255.255')", "false"},
        {"cidr_contains('2001:db8::/33', '2001:db8:8000::1')", "false"},
        {"cidr_contains('10.0.0.0/33', '10.0.0.1')", "error at 0: '10.0.0.0/33' is no network in CIDR form"},
        {"cidr_contains('10.0.0.0/08', '10.0.0.1')", "error at 0: '10.0.0.0/08' is no network in CIDR form"},
        {"cidr_contains('10.0.0.0/8', '010.0.0.1')", "error at 0: '010.0.0.1' is no IP address"},
        {"cidr_contains('10.0.0.0/8', '')", "error at 0: '' is no IP address"},
        {"cidr_contains('fe80::/10', 'fe80::1%eth0')", "error at 0: 'fe80::1%eth0' is no IP address"},
        /* an IPv4 address in IPv6's clothes is neither, as in CEL's network extension */
        {"cidr_contains('10.0.0.0/8', '::ffff:10.0.0.1')", "error at 0: '::ffff:10.0.0.1' is no IP address"},
        {"cidr_contains('::/0', '::ffff:10.0.0.1')", "error at 0: '::ffff:10.0.0.1' is no IP address"},
        {"cidr_contains('::/0', '10.0.0.1')", "error at 0: an IPv6 network cannot hold an IPv4 address"},
        {"cidr_contains(x, '10.0.0.1')", "error at 14: no such field 'x'"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, takes_the_cosine_of_finite_numbers)
{
    static const struct row rows[] = {
        {"cosine([1, 2u, 3.0], [2, 4, 6])", "1"},
        {"cosine([1, 0], [0, 1])", "0"},
        {"cosine([1e-320], [1e-320])", "1"},
        {"cosine([1.7e308, 1.7e308], [1.7e308, 1.7e308])", "1"},
        {"cosine([-0.0], [1])", "error at 0: cosine of a zero vector"},
        {"cosine([1], [0.0])", "error at 0: cosine of a zero vector"},
        {"cosine([0.0 / 0.0, 1.0], [1, 1])", "error at 0: cosine needs finite numbers"},
        {"cosine([1.0 / 0.0], [1])", "error at 0: cosine needs finite numbers"},
        {"cosine([1, 'a'], [1, 1])", "error at 0: no such overload: cosine needs lists of numbers"},
        {"cosine(x, [1])", "error at 7: no such field 'x'"},
    };
    expect_rows(rows, IV_COUNT(rows));
}

Test(cel_run, tells_a_condition_that_fails_from_one_that_does_not_hold)
{
    static const struct {
        const char *source;
        bool holds;
        bool failed;
    } rows[] = {
        {"use.token_id == 't1'", true, false},
        {"use.token_id == 't2'", false, false},
        {"use.bytes > 3", false, true},
        {"use.meta.tier", false, true},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        bool holds = true;
        bool failed = true;
        cr_assert(iv_ok(world_compile(&w, rows[i].source, NULL)));

        iv_cel_test(w.prog, &w.frame, &holds, &failed, NULL);

        cr_expect_eq(holds, rows[i].holds, "'%s'", rows[i].source);
        cr_expect_eq(failed, rows[i].failed, "'%s'", rows[i].source);
    }
}

/* iv_cel_test has a way of its own for them. */
Test(cel_run, answers_comparisons_as_the_machine_does)
{
    static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const operands[] = {"use.time", "gone.time",          "use.token_id", "gone.token_id",
                                           "x",        "use.bytes",          "use.scope",    "'t1'",
                                           "7",        "baseline.token.skew"};
    const struct iv_val values[] = {
        {0},
        iv_val_int(7),
        iv_val_int(-8),
        iv_val_uint(7),
        iv_val_double(7),
        iv_val_double((double)NAN),
        iv_val_str(IV_STR("t1")),
        iv_val_str(IV_STR("")),
        iv_val_bytes(IV_STR("t1")),
        iv_val_bool(true),
        {.kind = IV_KIND_NULL},
        iv_val_timestamp((struct iv_instant){998, 0}),
        iv_val_timestamp((struct iv_instant){998, 1}),
        iv_val_duration((struct iv_instant){1, 0}),
        {.kind = IV_KIND_LIST},
    };
    struct iv_cel_options options = {.no_check = true};
    for (size_t i = 0; i < IV_COUNT(operands) * IV_COUNT(operands) * IV_COUNT(operators); i++) {
        char source[64];
        (void)snprintf(source, sizeof source, "%s %s %s", operands[i % IV_COUNT(operands)],
                       operators[i / IV_COUNT(operands) % IV_COUNT(operators)],
                       operands[i / IV_COUNT(operands) / IV_COUNT(operators)]);
        cr_assert(iv_ok(world_compile(&w, source, &options)), "%s: %s", source, w.err.text);
        for (size_t v = 0; v < IV_COUNT(values); v++) {
            struct iv_val got = {0};
            bool holds = false;
            bool failed = false;
            w.events[WORLD_X] = values[v];
            w.use_slots[N_BYTES] = v % 2 == 0 ? values[v] : (struct iv_val){0};
            bool ran = iv_ok(iv_cel_run(w.prog, &w.frame, &got, NULL));
            iv_cel_test(w.prog, &w.frame, &holds, &failed, NULL);
            cr_assert(failed == !ran && holds == (ran && got.b), "'%s' where x is the value %zu", source, v);
        }
    }
}

Test(cel_run, allocates_nothing_once_its_arena_is_warm)
{
    static const char *const sources[] = {
        "use.token_id == gone.token_id && use.time > gone.time + baseline.token.skew",
        "use.bytes > 3 || baseline.tools.exists(t, use.scope.startsWith(t))",
        "use.scope.matches('^read:[a-z]+$') && (use.scope + use.token_id).size() > 3",
        "baseline.tools.map(t, t + '!').join(',').contains('mail')",
    };
    for (size_t i = 0; i < IV_COUNT(sources); i++) {
        bool holds = false;
        bool failed = false;
        cr_assert(iv_ok(world_compile(&w, sources[i], NULL)));
        iv_cel_test(w.prog, &w.frame, &holds, &failed, NULL);
        iv_arena_reset(&w.frame.arena);
        uint64_t before = iv_alloc_calls();

        iv_cel_test(w.prog, &w.frame, &holds, &failed, NULL);

        cr_expect_eq(iv_alloc_calls(), before, "'%s'", sources[i]);
    }
}
