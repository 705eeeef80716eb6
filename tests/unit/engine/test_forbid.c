/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE(body)                                                                                           \
    "- id: FOR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define LATE "streams: {telemetry: {lateness: 10m}, ledger: {lateness: 10m}}"

Test(forbid, alone_convicts_what_has_the_condition)
{
    stage_script("", RULE("  forbid: {if: a.n > 3}"),
                 "T0 1s d.a a1 n=4\n= violated FOR-1 a1 []\n"
                 "T0 2s d.a a2 n=3\n"
                 "T0 3s d.b b1 n=9\n"
                 "T0 4s d.a a3\n"
                 "failures 1\n");
}

Test(forbid, alone_without_a_condition_always_convicts)
{
    stage_script("", RULE("  where: a.k == 'x'\n  forbid: {}"),
                 "T0 1s d.a a1 k=x\n= violated FOR-1 a1 []\n"
                 "T0 1s d.a a2 k=y\n");
}

Test(forbid, convicts_at_the_last_of_the_pair_whichever_it_is)
{
    static const char rule[] = RULE(
        "  forbid: {with: {event: d.b, as: b, by: k, before: 30d}, if: a.time > b.time + duration('1s')}");
    stage_script("", rule, "T0 0s d.b b1 k=x\nT0 2s d.a a1 k=x\n= violated FOR-1 a1 [b1]\n");
    stage_script(LATE, rule, "T0 2s d.a a1 k=x\nT0 0s d.b b1 k=x\n= violated FOR-1 a1 [b1]\n");
}

Test(forbid, convicts_a_trigger_once)
{
    stage_script(LATE, RULE("  forbid: {with: {event: d.b, as: b, by: k, within: 10s}}"),
                 "T0 5s d.a a1 k=x\n"
                 "T0 6s d.b b1 k=x\n= violated FOR-1 a1 [b1]\n"
                 "T0 4s d.b b2 k=x\n"
                 "T0 7s d.b b3 k=x\n"
                 "end\n");
}

Test(forbid, windows_include_both_ends)
{
    static const struct {
        const char *window;
        const char *in[2];
        const char *out[2];
    } rows[] = {
        {"before: 5s", {"5s", "10s"}, {"4.999999999s", "10.000000001s"}},
        {"after: 5s", {"10s", "15s"}, {"9.999999999s", "15.000000001s"}},
        {"within: 5s", {"5s", "15s"}, {"4.999999999s", "15.000000001s"}},
        {"until: a.t", {"10s", "12s"}, {"9.999999999s", "12.000000001s"}},
        {"before: 0s", {"10s", "10s"}, {"9.999999999s", "10.000000001s"}},
        {"after: a.d", {"10s", "13s"}, {"9.999999999s", "13.000000001s"}},
        {"before: baseline.w", {"3s", "10s"}, {"2.999999999s", "10.000000001s"}},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        for (int trigger_first = 0; trigger_first < 2; trigger_first++) {
            for (int end = 0; end < 4; end++) {
                const char *time = end < 2 ? rows[i].in[end] : rows[i].out[end - 2];
                char rule[8192];
                char script[4096];
                static const char on[] = "T0 10s d.a a1 k=x t=12s d=3s\n";
                (void)snprintf(rule, sizeof rule, RULE("  forbid: {with: {event: d.b, as: b, by: k, %s}}"),
                               rows[i].window);
                (void)snprintf(script, sizeof script, "%sT0 %s d.b b1 k=x\n%s%s", trigger_first ? on : "",
                               time, trigger_first ? "" : on, end < 2 ? "= violated FOR-1 a1 [b1]\n" : "");
                stage_script(LATE "\nparameters: {w: 7s}", rule, script);
            }
        }
    }
}

Test(forbid, an_empty_window_holds_nobody)
{
    stage_script(LATE, RULE("  forbid: {with: {event: d.b, as: b, by: k, until: a.t}}"),
                 "T0 10s d.a a1 k=x t=9s\nT0 9s d.b b1 k=x\nT0 10s d.b b2 k=x\nT0 9.5s d.b b3 k=x\nend\n");
}

Test(forbid, a_trigger_is_never_its_own_partner)
{
    stage_script(LATE, RULE("  forbid: {with: {event: d.a, as: b, by: k, within: 1m}}"),
                 "T0 1s d.a a1 k=x\n"
                 "T0 2s d.a a2 k=x\n= violated FOR-1 a2 [a1]\n= violated FOR-1 a1 [a2]\n");
}

Test(forbid, who_has_no_key_takes_no_part)
{
    stage_script(LATE, RULE("  forbid: {with: {event: d.b, as: b, by: k, within: 1m}}"),
                 "T0 1s d.a a1\nT0 1s d.b b1\nT0 1s d.a a2 k=x\nT0 1s d.b b2 k=y\n");
}

Test(forbid, without_by_concerns_every_partner)
{
    stage_script(LATE, RULE("  forbid: {with: {event: [d.b, l.a], as: b, within: 1m}, if: b.n == 1}"),
                 "T0 1s d.a a1\nT0 2s d.b b1 n=2\nL0 3s l.a l1 n=1\n= violated FOR-1 a1 [l1]\n");
}

Test(forbid, keys_may_be_fields_expressions_and_lists)
{
    static const char *const keys[] = {
        "k",
        "[k, n]",
        "{on: a.k + 'z', with: b.k + 'z'}",
        "{on: k, with: b.k + ''}",
        "{on: [a.k, a.n], with: [b.k, b.n]}",
        "{on: [a.n, a.agent], with: [b.n, b.agent]}",
        "agent",
    };
    for (size_t i = 0; i < IV_COUNT(keys); i++) {
        char rule[8192];
        (void)snprintf(rule, sizeof rule, RULE("  forbid: {with: {event: d.b, as: b, by: %s, within: 1m}}"),
                       keys[i]);
        stage_script(LATE, rule,
                     "T0 1s d.a a1 k=x n=1 agent=p\nT0 2s d.b b1 k=y n=2 agent=q\n"
                     "T0 3s d.b b2 k=x n=1 agent=p\n= violated FOR-1 a1 [b2]\n");
    }
}

Test(forbid, a_key_that_differs_by_side_joins_the_right_sides)
{
    stage_script(LATE, RULE("  forbid: {with: {event: d.a, as: b, by: {on: a.k, with: b.v}, within: 1m}}"),
                 "T0 1s d.a a1 k=x v=y\n"
                 "T0 2s d.a a2 k=y v=z\n= violated FOR-1 a2 [a1]\n"
                 "T0 3s d.a a3 k=q v=q\n"
                 "T0 4s d.a a4 k=r v=x\n= violated FOR-1 a1 [a4]\n");
}

Test(forbid, counts_as_many_as_it_asks_for)
{
    static const char rule[] = RULE("  forbid: {with: {event: d.b, as: b, by: k, within: 10s}, at_least: 3}");
    stage_script(LATE, rule,
                 "T0 10s d.a a1 k=x\nT0 3s d.b b1 k=x\nT0 20s d.b b2 k=x\nT0 21s d.b b3 k=x\n"
                 "T0 12s d.b b4 k=x\n= violated FOR-1 a1 [b1 b4 b2]\n");
    stage_script("", RULE("  forbid: {with: {event: d.b, as: b, by: k, before: 10s}, at_least: 'a.n + 1'}"),
                 "T0 1s d.b b1 k=x\nT0 2s d.b b2 k=x\n"
                 "T0 3s d.a a1 k=x n=2\nT0 3s d.a a2 k=x n=1\n= violated FOR-1 a2 [b1 b2]\n"
                 "T0 3s d.a a3 k=x\nfailures 1\n");
}

Test(forbid, counts_different_values_where_it_is_told_to)
{
    stage_script(LATE,
                 RULE("  forbid: {with: {event: d.b, as: b, by: k, within: 10s}, at_least: 2, distinct: v}"),
                 "T0 10s d.a a1 k=x\nT0 11s d.b b1 k=x v=p\nT0 12s d.b b2 k=x v=p\nT0 12s d.b b3 k=x\n"
                 "T0 9s d.b b4 k=x v=q\n= violated FOR-1 a1 [b4 b1 b2]\n");
}

Test(forbid, a_condition_that_fails_counts_as_false)
{
    stage_script(LATE, RULE("  forbid: {with: {event: d.b, as: b, by: k, within: 10s}, if: 10 / b.n > 1}"),
                 "T0 10s d.a a1 k=x\nT0 11s d.b b1 k=x n=0\nT0 11s d.b b2 k=x\nfailures 2\n"
                 "T0 12s d.b b3 k=x n=2\n= violated FOR-1 a1 [b3]\n");
}

Test(forbid, counts_partners_that_are_older_than_any_trigger_to_come)
{
    /* With a short memory the first partner would be dropped before the second comes. */
    stage_script("dedup: 1ms", RULE("  forbid: {with: {event: d.b, as: b, by: k, after: a.d}, at_least: 2}"),
                 "T0 0s d.a a1 k=x d=10s\nT0 1s d.b b1 k=x\nT0 5s d.b b2 k=y\nT0 6s d.b b3 k=y\n"
                 "T0 9s d.b b4 k=x\n= violated FOR-1 a1 [b1 b4]\n");
}

Test(forbid, a_field_that_a_type_does_not_have_is_absent)
{
    stage_script(LATE,
                 "- id: FOR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n"
                 "  on: {event: [d.a, agent.heartbeat], as: a}\n"
                 "  forbid: {with: {event: [d.b, agent.stopped], as: b, by: k, within: 1m}}\n",
                 "T0 1s agent.heartbeat h1 agent=x\nT0 1s agent.stopped s1 agent=x\nT0 1s d.a a1 k=x\n"
                 "T0 1s d.b b1 k=x\n= violated FOR-1 a1 [b1]\nfailures 0\n");
}

Test(forbid, a_window_that_ends_before_all_time_is_empty)
{
    stage_script(
        "",
        RULE("  forbid: {with: {event: d.b, as: b, by: k, until: \"timestamp('0001-01-01T00:00:00Z')\"}}"),
        "T0 10s d.a a1 k=x\nT0 10s d.b b1 k=x\nT0 11s d.c c1\n");
}

Test(forbid, more_rules_than_a_lane_can_hold_are_all_judged)
{
    static char rules[70 * 256];
    static char expected[256];
    size_t n = 0;
    size_t m = 0;
    for (int i = 1; i <= 70; i++) {
        n += (size_t)snprintf(
            rules + n, sizeof rules - n,
            "- id: MANY-%d\n  title: t\n  severity: low\n  criteria: [CC7.2]\n"
            "  on: {event: d.a, as: a}\n  forbid: {with: {event: d.b, as: b, by: k, within: 1m}, "
            "if: b.n == %d}\n",
            i, i % 35);
        if (i % 35 == 7) {
            m += (size_t)snprintf(expected + m, sizeof expected - m, "= violated MANY-%d a1 [b1]\n", i);
        }
    }
    char script[4096];
    (void)snprintf(script, sizeof script, "T0 1s d.a a1 k=x\nT0 2s d.b b1 k=x n=7\n%s", expected);
    stage_script(LATE, rules, script);
}
