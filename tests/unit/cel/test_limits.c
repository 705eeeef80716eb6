/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile or careless author can write is refused or stopped; nothing hangs, nothing crashes. */
#include "unit/cel/world.h"

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

TestSuite(cel_limits, .init = init, .fini = deinit, .timeout = 60);

/* before, middle, after with the outer parts repeated. */
static const char *nest(const char *before, const char *middle, const char *after, size_t count)
{
    static struct iv_buf text;
    iv_buf_deinit(&text);
    iv_buf_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < count; i++) {
        iv_buf_text(&text, before);
    }
    iv_buf_text(&text, middle);
    for (size_t i = 0; i < count; i++) {
        iv_buf_text(&text, after);
    }
    cr_assert(not(iv_buf_failed(&text)));
    return text.p;
}

Test(cel_limits, allow_what_the_specification_asks_for)
{
    static const struct {
        const char *before;
        const char *middle;
        const char *after;
        size_t count;
    } rows[] = {
        {"(", "1", ")", 32},
        {"int(uint(", "1", "))", 16},
        {"[", "1", "]", 40},
        {"{1: ", "1", "}", 40},
        {"-", "1", "", 32},
        {"!", "true", "", 32},
        {"", "1", " + 1", 300},
        {"", "true", " || false", 300},
        {"", "true", " && true", 300},
        {"true ? 1 : ", "2", "", 40},
        {"", "x", ".a", 100},
        {"", "x", "[0]", 100},
        {"", "1", "", 1},
        {"[0].exists(a, ", "true", ")", 30},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const char *source = nest(rows[i].before, rows[i].middle, rows[i].after, rows[i].count);
        cr_expect(iv_ok(world_compile(&w, source, NULL)), "'%.20s…': %s", source, w.err.text);
    }
}

Test(cel_limits, refuse_what_is_nested_too_deep)
{
    static const struct {
        const char *before;
        const char *middle;
        const char *after;
        size_t count;
    } rows[] = {
        {"(", "1", ")", 100},           {"[", "1", "]", 20000},
        {"f(", "1", ")", 5000},         {"-", "x", "", 5000},
        {"!", "true", "", 5000},        {"true ? 1 : ", "2", "", 2000},
        {"", "x", ".a", 5000},          {"", "x", "[0]", 5000},
        {"", "1", " + 1", 3000},        {"", "true", " && x", 3000},
        {"[0].map(a, ", "a", ")", 100}, {"{1:", "1", "}", 1000},
        {"x.", "x", "", 5000},          {"[", "", "", 5000},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const char *source = nest(rows[i].before, rows[i].middle, rows[i].after, rows[i].count);
        cr_expect_eq(world_compile(&w, source, NULL).code, IV_E_SYNTAX, "'%.20s…'", source);
        cr_expect_geq(w.diags.count, 1u);
    }
}

Test(cel_limits, refuse_what_is_too_long)
{
    cr_expect_eq(world_compile(&w, nest(" ", "1", "", 65536), NULL).code, IV_E_SYNTAX);
    cr_expect_eq(world_compile(&w, nest("", "[1", ",1", 4096), NULL).code, IV_E_SYNTAX);
    cr_expect(iv_ok(world_compile(&w, nest("", "'", "'", 1), NULL)), "and this is neither");
}

Test(cel_limits, stop_a_run_that_costs_too_much)
{
    static const char *const sources[] = {
        "x.all(a, x.all(b, x.all(c, x.all(d, a + b + c + d >= 0))))",
        "x.exists(a, x.exists(b, x.exists(c, x.exists(d, a + b + c + d < 0)))) || true",
        "x.map(a, x.map(b, x.map(c, x.map(d, a)))).size() >= 0 || true",
        "x.transformMap(a, v, x.transformMap(b, u, x.transformMap(c, t, t))).size() > 0",
        "x.map(a, x).map(b, b == x && b == x && b == x && b == x).size() > 0 && x.all(a, x.all(b, x.all(c, x "
        "== x)))",
    };
    static struct iv_val items[200];
    for (size_t i = 0; i < IV_COUNT(items); i++) {
        items[i] = iv_val_int((int64_t)i);
    }
    w.events[WORLD_X] = (struct iv_val){.kind = IV_KIND_LIST, .n = IV_COUNT(items), .items = items};
    for (size_t i = 0; i < IV_COUNT(sources); i++) {
        const char *got = world_eval(&w, sources[i]);
        bool stopped =
            strstr(got, "costs more than 1000000 steps") != NULL || strstr(got, "needs more memory") != NULL;
        cr_expect(stopped, "'%s': %.100s", sources[i], got);
    }
}

/* A step is some 20 ns, so what walks over a long string must take many. */
Test(cel_limits, charge_for_the_length_of_strings)
{
    static const char *const calls[] = {
        "size(s) > 0",
        "s == t",
        "s != t",
        "s <= t",
        "s.startsWith(t)",
        "s.endsWith(t)",
        "s in [t]",
        "s in {t: 1}",
        "s.contains('b')",
        "s.indexOf('b') < 0",
        "s.charAt(0) == 'a'",
        "s.trim() == t",
        "glob('*b', s)",
        "s.matches('a*b')",
        "s.lastIndexOf('b') < 0",
        "s.split('b') == [t]",
        "bytes(s) < bytes(t)",
        "[s] == [t]",
        "{1: s} == {1: t}",
        "s.substring(1) != t",
        "string(bytes(s)) == t",
        "s.replace('b', '') == t",
    };
    static char bytes[2][1 << 18];
    static struct iv_val items[30];
    static struct iv_val strings[2];
    for (size_t i = 0; i < 2; i++) {
        memset(bytes[i], 'a', sizeof bytes[i]);
        strings[i] = iv_val_str((struct iv_str){bytes[i], sizeof bytes[i]});
    }
    for (size_t i = 0; i < IV_COUNT(items); i++) {
        items[i] = (struct iv_val){.kind = IV_KIND_LIST, .n = 2, .items = strings};
    }
    w.events[WORLD_X] = (struct iv_val){.kind = IV_KIND_LIST, .n = IV_COUNT(items), .items = items};
    w.frame.cost_limit = 50000;
    for (size_t i = 0; i < IV_COUNT(calls); i++) {
        char source[256];
        (void)snprintf(source, sizeof source,
                       "x.all(p, x.all(q, cel.bind(s, p[0], cel.bind(t, q[1], (%s) || true))))", calls[i]);
        const char *got = world_eval(&w, source);
        bool stopped = strstr(got, "costs more than") != NULL || strstr(got, "needs more memory") != NULL;
        cr_expect(stopped, "'%s': %.100s", calls[i], got);
    }
}

Test(cel_limits, quote_the_beginning_of_what_is_wrong)
{
    static char bytes[100000];
    memset(bytes, 'a', sizeof bytes);
    w.events[WORLD_X] = iv_val_str((struct iv_str){bytes, sizeof bytes});

    cr_expect_eq(strlen(world_eval(&w, "cidr_contains('10.0.0.0/8', x)")),
                 strlen("error at 0: '' is no IP address") + 128);
    cr_expect_eq(strlen(world_eval(&w, "ip(x)")), strlen("error at 0: '' is no IP address") + 128);
}

/* Shared parts make values whose size as a tree is exponential: none of them may be walked to its end. */
Test(cel_limits, stop_at_values_that_grow_by_sharing)
{
    static const struct {
        const char *step;
        const char *body;
        const char *stopped_by;
    } rows[] = {
        {"cel.bind(s, s + s, ", "size(s)", "needs more memory"},
        {"cel.bind(s, [s, s], ", "s == [s]", "false"},
        {"cel.bind(s, [s, s], ", "s == dyn(s)", "costs more than"},
        {"cel.bind(s, [s, s], ", "'%s'.format([s]).size()", "needs more memory|costs more than"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_buf source;
        iv_buf_init(&source, 10000);
        iv_buf_text(&source, i == 0 ? "cel.bind(s, x, " : "cel.bind(s, [x], ");
        iv_buf_text(&source, nest(rows[i].step, rows[i].body, ")", 40));
        iv_buf_text(&source, ")");
        w.events[WORLD_X] = iv_val_str(IV_STR("0123456789"));
        const char *got = world_eval(&w, source.p);
        const char *bar = strchr(rows[i].stopped_by, '|');
        size_t n = bar == NULL ? strlen(rows[i].stopped_by) : (size_t)(bar - rows[i].stopped_by);
        bool first = memmem(got, strlen(got), rows[i].stopped_by, n) != NULL;
        cr_expect(first || (bar != NULL && strstr(got, bar + 1) != NULL), "'%s': %.100s", rows[i].body, got);
        iv_buf_deinit(&source);
    }
}

Test(cel_limits, hold_for_constants_too)
{
    const char *ten = "[0,1,2,3,4,5,6,7,8,9]";
    struct iv_buf source;
    iv_buf_init(&source, 10000);
    for (char v = 'a'; v < 'k'; v++) {
        iv_buf_printf(&source, "%s.all(%c, ", ten, v);
    }
    iv_buf_text(&source, "a + b + c + d + e + f + g + h + i + j >= 0");
    for (char v = 'a'; v < 'k'; v++) {
        iv_buf_text(&source, ")");
    }

    const char *got = world_eval(&w, source.p);

    cr_expect(strstr(got, "costs more than") != NULL, "%.100s", got);
    iv_buf_deinit(&source);
}

/* Of so many that each cost nearly as much as a constant may, most are left to the run. */
Test(cel_limits, hold_for_all_constants_together)
{
    static const char large[] = "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('(([ab]{1,9}){1,9}){1,9}c')";
    struct iv_buf source;
    iv_buf_init(&source, (size_t)1 << 16);
    iv_buf_text(&source, "[");
    for (int i = 0; i < 500; i++) {
        iv_buf_printf(&source, "%s%s", i == 0 ? "" : ", ", large);
    }
    iv_buf_text(&source, "].size() == 500");
    cr_assert(iv_ok(world_compile(&w, source.p, NULL)));

    struct iv_buf dump;
    iv_buf_init(&dump, (size_t)1 << 24);
    iv_cel_prog_dump(&dump, w.prog);

    size_t calls = 0;
    for (const char *at = dump.p; (at = strstr(at, "matches")) != NULL; at++) {
        calls++;
    }
    cr_expect_gt(calls, 400u, "%zu of 500 are left", calls);
    cr_expect_not_null(strstr(world_eval(&w, source.p), "costs more than 1000000 steps"));
    iv_buf_deinit(&source);
    iv_buf_deinit(&dump);
}

Test(cel_limits, are_set_by_the_frame)
{
    bool holds = false;
    bool failed = false;
    cr_assert(iv_ok(world_compile(&w, "baseline.tools.all(t, t != use.scope)", NULL)));
    w.frame.cost_limit = 10;

    iv_cel_test(w.prog, &w.frame, &holds, &failed, &w.err);
    cr_expect(failed);
    cr_expect_str_eq(w.err.text, "the expression costs more than 10 steps");

    w.frame.cost_limit = 100;
    iv_cel_test(w.prog, &w.frame, &holds, &failed, &w.err);
    cr_expect(holds && !failed);
    cr_expect_leq(w.frame.cost, 100u);
}

/* Nonsense made of the language's own words, from a fixed seed: it is refused, fails or has a value. */
Test(cel_limits, survive_nonsense)
{
    static const char *const words[] = {
        "use",         ".",
        "time",        "(",
        ")",           "[",
        "]",           "{",
        "}",           ":",
        ",",           "?",
        "&&",          "||",
        "==",          "<",
        "+",           "-",
        "!",           "in",
        "1",           "'a'",
        "b'\\xff'",    "2.5",
        "7u",          "null",
        "true",        "x",
        "y",           "has(",
        ".map(y,",     ".all(y,",
        ".exists(y,",  "size(",
        "string(",     "baseline",
        ".token",      ".skew",
        "%",           "*",
        "/",           "`a-b`",
        ".?",          "[?",
        "cel.bind(y,", "optional.of(",
        ".matches(",   "'[a-z]+('",
        "timestamp(",  "duration('1s')",
        ".format(",    "dyn(",
        "type(",       ".filter(y,",
    };
    const struct iv_cel_options unchecked = {.no_check = true};
    uint64_t state = 42;
    size_t compiled = 0;
    w.frame.cost_limit = 10000;
    for (int round = 0; round < 20000; round++) {
        char source[512] = "";
        size_t n = 0;
        size_t count = 1 + (size_t)(state >> 33) % 12;
        for (size_t i = 0; i < count; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const char *word = words[(state >> 33) % IV_COUNT(words)];
            n += (size_t)snprintf(source + n, sizeof source - n, "%s ", word);
        }
        struct iv_val v;
        if (iv_ok(world_compile(&w, source, round % 2 == 0 ? NULL : &unchecked))) {
            compiled++;
            iv_arena_reset(&w.frame.arena);
            if (iv_ok(iv_cel_run(w.prog, &w.frame, &v, &w.err))) {
                iv_buf_clear(&w.text);
                iv_val_json(&w.text, &v);
            }
        } else {
            cr_assert(w.diags.count > 0, "'%s'", source);
        }
    }
    cr_expect_gt(compiled, 100u);
}
