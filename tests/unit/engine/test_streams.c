/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE(body)                                                                                           \
    "- id: STR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define AFTER RULE("  require: {with: {event: d.b, as: b, by: k, after: 5s}}")
#define BEFORE RULE("  require: {with: {event: l.a, as: b, by: k, before: 5s}}")

Test(streams, the_slowest_partition_holds_the_watermark)
{
    stage_script("", AFTER,
                 "open T0\nopen T1\nT0 10s d.a a1 k=x\nT0 99s d.c c1\nT1 15s d.c c2\nT1 16s d.c c3\n"
                 "= violated STR-1 a1 []\n");
}

Test(streams, a_partition_that_is_open_and_unread_holds_it)
{
    stage_script("", AFTER,
                 "open T0\nopen T1\nT0 10s d.a a1 k=x\nT0 99s d.c c1\nend\n= violated STR-1 a1 []\n");
}

Test(streams, lateness_holds_it_back)
{
    stage_script("streams: {telemetry: {lateness: 3s}}", AFTER,
                 "T0 10s d.a a1 k=x\nT0 18s d.c c1\nT0 18.1s d.c c2\n= violated STR-1 a1 []\n");
}

Test(streams, an_idle_partition_follows_the_wall_less_lateness)
{
    stage_script("streams: {telemetry: {lateness: 3s}}", AFTER,
                 "T0 10s d.a a1 k=x\nidle T0 18s\nidle T0 18.1s\n= violated STR-1 a1 []\n"
                 "T0 15s d.b b1 k=y\nlate 1\nT0 15.2s d.b b2 k=y\nlate 1\n");
}

static size_t lines_of(struct iv_str said)
{
    size_t count = 0;
    for (size_t i = 0; i < said.n; i++) {
        count += said.p[i] == '\n' ? 1 : 0;
    }
    return count;
}

Test(streams, what_falls_due_at_once_is_decided_over_several_calls_and_none_is_forgotten)
{
    enum { TRIGGERS = 600 }; /* more than one call decides */
    IV_AUTO(stage_freep) struct stage *s = stage_new("", AFTER);
    struct iv_engine_stats stats;
    struct iv_err err;
    for (int i = 0; i < TRIGGERS; i++) {
        char line[64];
        int n = snprintf(line, sizeof line, "T0 1s d.a a%d k=x%d", i, i);
        stage_line(s, (struct iv_str){line, (size_t)n});
    }
    iv_engine_stats(stage_engine(s), &stats);
    cr_expect_eq(stats.overdue, 0);

    stage_line(s, IV_STR("T0 99s d.c c1"));
    struct iv_engine *e = stage_engine(s);
    iv_engine_stats(e, &stats);
    iv_ns watermark = stats.watermark[IV_TELEMETRY];
    cr_expect_eq(stats.overdue, 1);
    for (int calls = 0; stats.overdue != 0; calls++) {
        cr_assert_lt(calls, TRIGGERS);
        cr_assert(iv_ok(iv_engine_idle(e, IV_TELEMETRY, 0, IV_NS_MIN, &err)));
        iv_engine_stats(e, &stats);
    }

    cr_expect_eq(lines_of(stage_said(s)), TRIGGERS);
    cr_expect_eq(stats.watermark[IV_TELEMETRY], watermark, "no time was moved");
    stage_forget(s);
}

Test(streams, without_partitions_a_stream_is_at_its_end)
{
    stage_script("", BEFORE, "open T0\nT0 10s d.a a1 k=x\n= violated STR-1 a1 []\n");
    stage_script("", RULE("  require: {with: {event: l.a, as: b, by: k, after: 5s}}"),
                 "open T0\nT0 10s d.a a1 k=x\nT0 14s d.c c1\nT0 15s d.c c2\n= violated STR-1 a1 []\n"
                 "T0 16s d.a a2 k=x\nend\n= open STR-1 a2 [] until 21s\n");
}

Test(streams, late_is_older_than_the_partitions_own_watermark)
{
    stage_script("streams: {telemetry: {lateness: 2s}}", AFTER,
                 "T0 10s d.c c1\nT0 8s d.c c2\nlate 0\nT0 7.9s d.c c3\nlate 1\nT1 1s d.c c4\nlate 1\n");
}

Test(streams, best_effort_makes_a_missing_partner_inconclusive)
{
    stage_script("streams: {telemetry: {lateness: 0s, grade: best_effort}}", AFTER,
                 "T0 10s d.a a1 k=x\nT0 16s d.c c1\n= inconclusive STR-1 a1 []\n"
                 "T0 20s d.a a2 k=x\nT0 21s d.b b1 k=x\nkept 1\nT0 30s d.c c2\n"
                 "T0 31s d.a a3 k=x\nend\n= open STR-1 a3 []\n");
}

Test(streams, one_best_effort_stream_among_those_that_can_carry_it_is_enough)
{
    stage_script("streams: {telemetry: {lateness: 0s}, ledger: {grade: best_effort}}",
                 RULE("  require: {with: {event: [d.b, l.a], as: b, by: k, before: 5s}}"),
                 "open T0\nT0 10s d.a a1 k=x\nT0 11s d.c c1\n= inconclusive STR-1 a1 []\n");
}

Test(streams, partial_history_makes_what_reaches_behind_it_inconclusive)
{
    stage_script("streams: {telemetry: {lateness: 0s}, ledger: {history: partial}}", BEFORE,
                 "open T0\nopen L0\nL0 6s l.b l1\nT0 10s d.a a1 k=x\nT0 11s d.a a2 k=x\nL0 12s l.b l2\n"
                 "= inconclusive STR-1 a1 []\n= violated STR-1 a2 []\n");
    stage_script("streams: {telemetry: {lateness: 0s}, ledger: {history: partial}}", BEFORE,
                 "open T0\nT0 10s d.a a1 k=x\n= inconclusive STR-1 a1 []\n");
}

Test(streams, partial_history_of_another_stream_does_not_matter)
{
    stage_script("streams: {telemetry: {lateness: 0s, history: partial}}", BEFORE,
                 "open T0\nT0 10s d.a a1 k=x\n= violated STR-1 a1 []\n");
}

Test(streams, a_beginning_that_retention_removed_counts_as_partial_history)
{
    stage_script(
        "streams: {telemetry: {lateness: 0s}}", BEFORE,
        "open T0\nopen L0\nmidway L0\nL0 6s l.b l1\nT0 10s d.a a1 k=x\nT0 11s d.a a2 k=x\nL0 12s l.b l2\n"
        "= inconclusive STR-1 a1 []\n= violated STR-1 a2 []\n");
}

Test(streams, unknown_types_are_events_of_the_ledger_and_none_of_telemetry)
{
    stage_script(
        "",
        "- id: STR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {stream: ledger, as: a}\n"
        "  forbid: {if: a.id.startsWith('u')}\n"
        "- id: STR-2\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: '*', as: a}\n"
        "  forbid: {if: a.id.startsWith('u')}\n",
        "L0 1s no.such u1\n= violated STR-1 u1 []\n= violated STR-2 u1 []\nunknown 1\n"
        "T0 2s no.such u2\nunknown 2\n"
        "T0 3s d.a u3\n= violated STR-2 u3 []\n");
}

Test(streams, an_unknown_type_of_telemetry_moves_no_watermark)
{
    stage_script("", AFTER, "T0 10s d.a a1 k=x\nT0 99s no.such u1\nlive 1\nend\n= open STR-1 a1 []\n");
}

Test(streams, an_unknown_type_of_the_ledger_is_a_partner_by_its_chain)
{
    stage_script(
        "streams: {ledger: {lateness: 10m}}",
        "- id: STR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {stream: ledger, as: a}\n"
        "  forbid: {with: {stream: ledger, as: b, by: ledger_id, within: 1m}, if: b.ledger_seq < "
        "a.ledger_seq}\n",
        "L0 1s no.such u1\nL0 2s l.a l1\n= violated STR-1 l1 [u1]\n");
}

Test(streams, the_chain_hash_is_known_to_every_rule_and_of_events_that_were_remembered)
{
    stage_script(
        "streams: {ledger: {lateness: 10m}}",
        "- id: STR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {stream: ledger, as: a}\n"
        "  forbid: {if: '!hash_valid(a)'}\n"
        "- id: STR-2\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: l.a, as: a}\n"
        "  forbid: {with: {event: l.b, as: b, by: k, within: 1m}, if: hash_valid(a) && hash_valid(b)}\n",
        "L0 1s l.a l1 k=x\n= violated STR-1 l1 []\n"
        "L0 2s l.a l2 k=x chained=yes\n"
        "L0 3s l.b l3 k=x\n= violated STR-1 l3 []\n"
        "L0 4s l.b l4 k=x chained=yes\n= violated STR-2 l2 [l4]\n"
        "L0 5s no.such l5\n= violated STR-1 l5 []\n"
        "L0 6s no.such l6 chained=yes\n");
}
