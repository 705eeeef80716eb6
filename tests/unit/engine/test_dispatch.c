/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/buf.h"
#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define HEAD(id) "- id: " id "\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n"

static struct iv_rule_stats figures(const struct stage *stage, uint16_t rule)
{
    struct iv_rule_stats stats;
    iv_engine_rule_stats(stage_engine(stage), rule, &stats);
    return stats;
}

static uint64_t evaluations(const struct stage *stage)
{
    struct iv_engine_stats stats;
    iv_engine_stats(stage_engine(stage), &stats);
    return stats.evaluations;
}

/* Rules that differ in a constant, of which each event concerns one. */
static void expect_one_in_many(const char *body, const char *script, uint64_t most)
{
    struct iv_buf rules;
    iv_buf_init(&rules, 1u << 20);
    for (int i = 0; i < 300; i++) {
        iv_buf_printf(&rules, HEAD("MANY-%d"), i);
        iv_buf_printf(&rules, body, i);
    }
    iv_buf_char(&rules, '\0');
    IV_AUTO(stage_freep) struct stage *stage = stage_new("", iv_buf_slice(&rules).p);
    stage_play(stage, script);
    cr_expect(le(u64, evaluations(stage), most), "%s", body);
    iv_buf_deinit(&rules);
}

Test(dispatch, evaluates_only_the_rules_whose_constant_the_event_has)
{
    expect_one_in_many("  where: a.k == \"k%d\"\n  forbid: {if: a.n > 3}\n",
                       "T0 1s d.a a1 k=k7 n=5\n= violated MANY-7 a1\nT0 2s d.a a2 k=none n=5\n", 2);
    expect_one_in_many("  forbid: {if: a.n > 3 && a.k == \"k%d\"}\n",
                       "T0 1s d.a a1 k=k7 n=5\n= violated MANY-7 a1\nT0 2s d.a a2 k=k7 n=2\n", 2);
    expect_one_in_many("  where: a.k in [\"none\", \"k%d\"]\n  limit: {by: v, window: 1h, count: {max: 1}}\n",
                       "T0 1s d.a a1 k=k7 v=x\nT0 2s d.a a2 k=k7 v=x\n= violated MANY-7 a2\n", 2);
    expect_one_in_many("  where: a.n == %d\n  require: {with: {event: d.b, by: k, before: 1h}}\n",
                       "T0 1s d.a a1 k=x n=7\nT0 2s d.a a2 k=x n=-1\n= violated MANY-7 a1\n", 1);
    expect_one_in_many("  forbid: {with: {event: d.b, as: b, by: k, before: 1h}, if: b.n == %d}\n",
                       "T0 1s d.b b1 k=x n=7\nT0 2s d.b b2 k=y n=-1\nT0 3s d.a a1 k=x n=0\n"
                       "= violated MANY-7 a1\nT0 4s d.a a2 k=y n=7\n",
                       302);
}

Test(dispatch, counts_triggers_and_failures_as_if_it_had_looked)
{
    IV_AUTO(stage_freep)
    struct stage *stage = stage_new("", HEAD("AA-1") "  forbid: {if: a.k == \"x\" && a.n > 3}\n" HEAD(
                                            "AA-2") "  where: a.k == \"x\"\n  forbid: {if: a.n > 3}\n");
    stage_play(stage, "T0 1s d.a a1 k=y n=5\nT0 2s d.a a2 k=y\nT0 3s d.a a3 k=x n=1\nT0 3s d.b b1 k=x\n");
    cr_expect(eq(u64, figures(stage, 0).triggers, 3));
    cr_expect(eq(u64, figures(stage, 0).failures, 0));
    cr_expect(eq(u64, figures(stage, 1).triggers, 1));

    stage_play(stage, "T0 4s d.a a4 n=5\nrestore\nT0 5s d.a a5 k=x\n");

    cr_expect(eq(u64, figures(stage, 0).triggers, 5));
    cr_expect(eq(u64, figures(stage, 0).failures, 2), "an absent field fails");
    cr_expect(eq(u64, figures(stage, 1).triggers, 2));
    cr_expect(eq(u64, figures(stage, 1).failures, 2));
}

Test(dispatch, takes_numbers_of_all_types_for_what_they_are_worth)
{
    stage_script(
        "", HEAD("AA-1") "  forbid: {if: 'a.u == 2.0'}\n" HEAD("AA-2") "  where: a.n == 2\n  forbid: {}\n",
        "T0 1s d.a a1 u=2 n=2\n= violated AA-1 a1\n= violated AA-2 a1\nT0 2s d.a a2 u=2.5 n=3\n");
}

Test(dispatch, keeps_nothing_of_what_concerns_no_rule)
{
    stage_script(
        "dedup: 1ms",
        HEAD("AA-1") "  where: a.k == \"x\"\n  require: {with: {event: d.b, as: b, by: v, after: "
                     "1h}, if: b.n == 1}\n",
        "T0 1s d.a a1 k=y v=q\nT0 1s d.b b1 n=2 v=q\nT0 1s d.a a2 k=x v=q\n"
        "T0 3s d.a a3 k=y v=q\nT0 5s d.a a4 k=y v=q\nT0 7s d.a a5 k=y v=q\n"
        "T0 8s d.a a6 k=y v=q\nT0 9s d.a a7 k=y v=q\nL0 9s l.a l1\nL0 9s l.a l2\nL0 9s l.a l3\nlive 5\n"
        "T0 10s d.b b2 n=1 v=q\nkept 1\n");
}

Test(dispatch, asks_what_an_override_changes_of_each_event)
{
    stage_script("parameters: {names: [x]}\noverrides:\n- match: {tenant: t}\n  parameters: {names: [z]}",
                 HEAD("AA-1") "  forbid: {if: a.k in baseline.names}\n",
                 "T0 1s d.a a1 k=x\n= violated AA-1 a1\nT0 2s d.a a2 k=z\n"
                 "T0 3s d.a a3 tenant=t k=z\n= violated AA-1 a3\nT0 4s d.a a4 tenant=t k=x\n");
}
