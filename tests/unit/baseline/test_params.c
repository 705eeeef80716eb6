/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

/* Whether the rule's condition holds for a trigger under its parameters. */
static bool holds(const struct folder *f, struct iv_params *params, const struct iv_object *trigger)
{
    struct iv_cel_frame frame;
    struct iv_val slots[IV_EVENT_SLOTS] = {{.kind = IV_KIND_OBJECT, .object = trigger}};
    struct iv_err err = {0};
    bool result;
    bool failed;
    iv_cel_frame_init(&frame, 1u << 20);
    frame.bank[IV_BANK_EVENTS] = slots;
    frame.bank[IV_BANK_PARAMETERS] = iv_params_bank(params, iv_params_resolve(params, trigger));
    iv_cel_test(rule_of(f, "AA-1")->condition, &frame, &result, &failed, &err);
    cr_expect(not(failed), "%s", err.text);
    iv_cel_frame_deinit(&frame);
    return result;
}

static void expect_under(const char *settings, const char *condition, const char *tenant, const char *agent,
                         const char *profile, bool want)
{
    char rules[512];
    (void)snprintf(
        rules, sizeof rules,
        "- {id: AA-1, title: t, severity: low, criteria: [CC6.1], on: {event: agent.started, as: a}, forbid: "
        "{if: '%s'}}\n",
        condition);
    struct folder f = folder_with(settings, rules);
    cr_assert(f.baseline != NULL, "%s", f.said);
    struct iv_params *params = NULL;
    cr_assert(iv_ok(iv_params_new(&params, f.baseline, NULL)));
    const struct iv_object *trigger = started_agent(&f, tenant, agent, profile);

    cr_expect(eq(int, holds(&f, params, trigger), want), "%s under %s", condition, settings);
    cr_expect(eq(u32, iv_params_resolve(params, trigger), iv_params_resolve(params, trigger)));

    iv_params_free(params);
    folder_done(&f);
}

Test(params, plain_and_quoted_scalars_have_their_types)
{
    static const char *const settings = "parameters: {d: 30d, t: 2026-01-01T00:00:00Z, q: '30d', i: 5, f: "
                                        "5.0, e: 1e1, b: true, s: x, l: [1, 2], "
                                        "m: {k: [a], 'w.x': [b]}}\n";
    static const char *const conditions[] = {
        "baseline.d == duration(\"720h\")",
        "baseline.t == timestamp(\"2026-01-01T00:00:00Z\")",
        "baseline.q == \"30d\"",
        "type(baseline.i) == int",
        "type(baseline.f) == double",
        "baseline.e == 10.0",
        "baseline.b",
        "baseline.s == \"x\"",
        "2 in baseline.l",
        "\"a\" in baseline.m[\"k\"]",
        "\"b\" in baseline.m[\"w.x\"]",
        "baseline.m.k == [\"a\"]",
        "\"k\" in baseline.m",
        "!(\"z\" in baseline.m)",
    };
    for (size_t i = 0; i < IV_COUNT(conditions); i++) {
        expect_under(settings, conditions[i], NULL, NULL, NULL, true);
    }
}

Test(params, the_first_override_that_matches_wins_key_by_key)
{
    static const char *const settings = "parameters: {x: {a: 1, b: 1, c: 1}}\n"
                                        "overrides:\n"
                                        "- {match: {tenant: acme, agent: 'web-*'}, parameters: {x: {a: 2}}}\n"
                                        "- {match: {tenant: acme}, parameters: {x: {a: 3, b: 3}}}\n"
                                        "- {match: {profile: edge}, parameters: {x: {a: 4, b: 4, c: 4}}}\n";
    static const struct {
        const char *tenant, *agent, *profile, *condition;
    } rows[] = {
        {NULL, NULL, NULL, "baseline.x.a == 1 && baseline.x.b == 1 && baseline.x.c == 1"},
        {"acme", "web-1", NULL, "baseline.x.a == 2 && baseline.x.b == 3 && baseline.x.c == 1"},
        {"acme", "db", NULL, "baseline.x.a == 3 && baseline.x.b == 3 && baseline.x.c == 1"},
        {"acme", "web-1", "edge", "baseline.x.a == 2 && baseline.x.b == 3 && baseline.x.c == 4"},
        {"globex", "web-1", "edge", "baseline.x.a == 4 && baseline.x.b == 4 && baseline.x.c == 4"},
        {NULL, "web-1", NULL, "baseline.x.a == 1"},
        {"acme", "web-1", "edge", "baseline.x == {\"a\": 2, \"b\": 3, \"c\": 4}"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_under(settings, rows[i].condition, rows[i].tenant, rows[i].agent, rows[i].profile, true);
    }
}

Test(params, a_list_is_overridden_as_a_whole)
{
    expect_under("parameters: {l: [a, b]}\noverrides: [{match: {tenant: x}, parameters: {l: []}}]\n",
                 "size(baseline.l) == 0", "x", NULL, NULL, true);
}
