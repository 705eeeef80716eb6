/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/outline.h"
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

TestSuite(cel_outline, .init = init, .fini = deinit);

static const struct iv_cel_place scope = {0, WORLD_USE, N_SCOPE};

/* How a run can end where scope is "a", "b", none of the pivots, absent. */
static void expect_ends(const char *source, const char *want)
{
    const struct iv_val values[] = {iv_val_str(IV_STR("a")), iv_val_str(IV_STR("b")), {0}};
    const struct iv_val *const banks[IV_CEL_BANKS] = {NULL, w.parameters};
    char got[64] = "";
    size_t n = 0;
    cr_assert(iv_ok(world_compile(&w, source, NULL)), "%s: %s", source, w.err.text);
    for (int i = 0; i < 4; i++) {
        unsigned ends = iv_cel_prog_ends(w.prog, &scope, i == 2 ? NULL : &values[i == 3 ? 2 : i], banks);
        n += i == 0 ? 0 : 1;
        for (int bit = 0; bit < 4; bit++) {
            if ((ends >> bit & 1) != 0) {
                got[n++] = "tfe!"[bit];
            }
        }
        got[n] = i < 3 ? ' ' : '\0';
    }
    cr_expect(strcmp(got, want) == 0, "%s: got %s, not %s", source, got, want);
}

Test(cel_outline, says_how_a_condition_can_end_that_tests_a_field_against_constants)
{
    static const struct {
        const char *source;
        const char *ends; /* scope is "a", "b", another, absent; t f e, ! is out of cost */
    } rows[] = {
        {"use.scope == 'a'", "t f f e"},
        {"'a' == use.scope", "t f f e"},
        {"use.scope != 'a'", "f t t e"},
        {"use.scope in ['a', 'b']", "t t f e"},
        {"use.scope in {'b': 1}", "tfe! tfe! tfe! tfe!"},
        {"has(use.scope)", "t t t f"},
        {"!has(use.scope)", "f f f t"},
        {"has(use.scope) && use.scope == 'a'", "t f f f"},
        {"!has(use.scope) || use.scope != 'a'", "f t t t"},
        {"!(has(use.scope) && use.scope == 'a')", "f t t t"},
        {"use.scope == 'a' || use.scope == 'b'", "t t f e"},
        {"use.scope in baseline.tools", "f f f e"},
        {"use.scope in baseline.limits", "f f f e"},
    };
    w.parameters[WORLD_TOOLS] = (struct iv_val){.kind = IV_KIND_LIST};
    w.parameters[WORLD_LIMITS] = (struct iv_val){.kind = IV_KIND_MAP};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_ends(rows[i].source, rows[i].ends);
    }
}

Test(cel_outline, knows_what_and_and_or_absorb)
{
    static const struct {
        const char *source;
        const char *ends;
    } rows[] = {
        {"use.scope == 'a' && use.bytes > 3", "tfe f f fe"},
        {"use.bytes > 3 && use.scope == 'a'", "tfe f f fe"},
        {"use.scope == 'a' || use.bytes > 3", "t tfe tfe te"},
        {"has(use.scope) && (use.scope == 'a' || use.bytes > 3)", "t tfe tfe f"},
        {"has(use.bytes)", "tfe tfe tfe tfe"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_ends(rows[i].source, rows[i].ends);
    }
}

Test(cel_outline, does_not_promise_an_end_where_something_costly_comes_first)
{
    expect_ends("use.scope == 'a' && use.meta.all(k, k != '')", "tfe! f f fe!");
    expect_ends("use.meta.all(k, k != '') && use.scope == 'a'", "tfe! f! f! fe!");
    expect_ends("use.token_id.matches('x+') && use.scope == 'a'", "tfe! f! f! fe!");
}

Test(cel_outline, leaves_open_what_the_host_does_not_know)
{
    w.parameters[WORLD_TOOLS] = (struct iv_val){0};
    expect_ends("use.scope in baseline.tools", "tfe! tfe! tfe! tfe!");
}

static void note(void *ctx, const struct iv_cel_place *place, const struct iv_val *pivot)
{
    struct iv_buf *out = ctx;
    iv_buf_printf(out, " %u", place->name_id);
    if (pivot != NULL) {
        iv_buf_char(out, '=');
        iv_val_json(out, pivot);
    }
}

Test(cel_outline, names_the_constants_that_fields_are_compared_with)
{
    const struct iv_val *const banks[IV_CEL_BANKS] = {NULL};
    cr_assert(
        iv_ok(world_compile(&w, "use.scope in ['a', 'b'] && (use.bytes == 7 || has(use.token_id))", NULL)));
    iv_buf_clear(&w.text);
    iv_cel_prog_pivots(w.prog, banks, note, &w.text);
    struct iv_str text = iv_buf_slice(&w.text);
    cr_expect(iv_str_eq(text, IV_STR(" 2 2=\"a\" 2=\"b\" 3 3=7 1")), IV_STR_FMT, IV_STR_ARG(text));
}

Test(cel_outline, of_a_long_chain_ends_in_a_leaf)
{
    iv_buf_clear(&w.text);
    for (int i = 0; i < 400; i++) {
        iv_buf_text(&w.text, i == 0 ? "use.scope == 'a'" : " && use.scope == 'a'");
    }
    iv_buf_char(&w.text, '\0');
    const struct iv_val *const banks[IV_CEL_BANKS] = {NULL};
    cr_assert(iv_ok(world_compile(&w, iv_buf_slice(&w.text).p, NULL)), "%s", w.err.text);
    unsigned ends = iv_cel_prog_ends(w.prog, &scope, NULL, banks);
    cr_expect(ends != 0 && ends != IV_CEL_TRUE);
}
