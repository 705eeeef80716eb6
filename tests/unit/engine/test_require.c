/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE(body)                                                                                           \
    "- id: REQ-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define AFTER RULE("  require: {with: {event: d.b, as: b, by: k, after: 5s}}")
#define LATE "streams: {telemetry: {lateness: 10m}, ledger: {lateness: 10m}}"

Test(require, is_violated_when_the_watermark_is_strictly_past_the_window)
{
    stage_script("", AFTER,
                 "T0 10s d.a a1 k=x\nT0 15s d.c c1\n"
                 "T0 15.000000001s d.c c2\n= violated REQ-1 a1 [] until 15s\n");
}

Test(require, is_kept_by_a_partner_at_either_end)
{
    stage_script("", AFTER, "T0 10s d.a a1 k=x\nT0 15s d.b b1 k=x\nkept 1\nT0 99s d.c c1\nend\n");
    stage_script("", AFTER, "T0 10s d.b b1 k=x\nT0 10s d.a a1 k=x\nkept 1\nT0 99s d.c c1\nend\n");
}

Test(require, another_key_does_not_keep_it)
{
    stage_script("", AFTER, "T0 10s d.a a1 k=x\nT0 11s d.b b1 k=y\nT0 16s d.c c1\n= violated REQ-1 a1 []\n");
}

Test(require, looks_back_too)
{
    static const char rule[] = RULE("  require: {with: {event: d.b, as: b, by: k, before: 5s}}");
    stage_script("", rule, "T0 5s d.b b1 k=x\nT0 10s d.a a1 k=x\nkept 1\nT0 11s d.c c1\n");
    stage_script("", rule,
                 "T0 4.9s d.b b1 k=x\nT0 10s d.a a1 k=x\nT0 11s d.c c1\n= violated REQ-1 a1 [] until 10s\n");
}

Test(require, waits_for_a_partner_that_is_late_within_lateness)
{
    stage_script("streams: {telemetry: {lateness: 3s}}",
                 RULE("  require: {with: {event: d.b, as: b, by: k, before: 5s}}"),
                 "T0 10s d.a a1 k=x\nT0 12s d.c c1\nT0 9s d.b b1 k=x\nkept 1\nlate 0\nT0 30s d.c c2\n");
}

Test(require, at_the_end_of_input_reaching_the_deadline_is_enough)
{
    stage_script(LATE, AFTER, "T0 10s d.a a1 k=x\nT0 15s d.c c1\nend\n= violated REQ-1 a1 []\n");
    stage_script(LATE, AFTER, "T0 10s d.a a1 k=x\nT0 14.999s d.c c1\nend\n= open REQ-1 a1 [] until 15s\n");
}

Test(require, decides_in_order_of_deadline_and_then_of_arrival)
{
    stage_script(
        "", RULE("  require: {with: {event: d.b, as: b, by: k, until: a.t}}"),
        "T0 1s d.a a1 k=x t=9s\nT0 2s d.a a2 k=x t=5s\nT0 3s d.a a3 k=x t=9s\nT0 4s d.a a4 k=x t=7s\n"
        "T0 20s d.c c1\n= violated REQ-1 a2\n= violated REQ-1 a4\n= violated REQ-1 a1\n= violated REQ-1 "
        "a3\n");
}

Test(require, counts_and_shows_those_it_found)
{
    stage_script("", RULE("  require: {with: {event: d.b, as: b, by: k, after: 5s}, at_least: 3}"),
                 "T0 10s d.a a1 k=x\nT0 11s d.b b1 k=x\nT0 12s d.b b2 k=x\nT0 16s d.c c1\n"
                 "= violated REQ-1 a1 [b1 b2]\n"
                 "T0 20s d.a a2 k=x\nT0 21s d.b b3 k=x\nT0 22s d.b b4 k=x\nT0 23s d.b b5 k=x\nkept 1\nT0 40s "
                 "d.c c2\n");
    stage_script("",
                 RULE("  require: {with: {event: d.b, as: b, by: k, before: 9s}, at_least: 2, distinct: v}"),
                 "T0 1s d.b b1 k=x v=p\nT0 2s d.b b2 k=x v=p\nT0 3s d.b b3 k=x\nT0 5s d.a a1 k=x\n"
                 "T0 6s d.b b4 k=x v=q\n= violated REQ-1 a1 [b1 b2]\nT0 7s d.a a2 k=x\nkept 1\n");
}

Test(require, of_none_is_kept_at_once)
{
    stage_script("", RULE("  require: {with: {event: d.b, as: b, by: k, after: 5s}, at_least: a.n}"),
                 "T0 1s d.a a1 k=x n=0\nkept 1\nT0 2s d.a a2 k=x n=-1\nkept 2\nT0 99s d.c c1\n");
}

Test(require, a_partner_whose_condition_fails_is_not_counted)
{
    stage_script("", RULE("  require: {with: {event: d.b, as: b, by: k, after: 5s}, if: 6 / b.n == 2}"),
                 "T0 1s d.a a1 k=x\nT0 2s d.b b1 k=x n=0\nT0 2s d.b b2 k=x\nfailures 2\nT0 9s d.c c1\n"
                 "= violated REQ-1 a1 []\n");
}

Test(require, what_fails_besides_conditions_takes_the_trigger_out)
{
    static const char *const bodies[] = {
        "  require: {with: {event: d.b, as: b, by: k, until: a.t}}",
        "  require: {with: {event: d.b, as: b, by: k, after: a.d}}",
        "  require: {with: {event: d.b, as: b, by: k, after: 5s}, at_least: 'a.n / 0'}",
        "  require: {with: {event: d.b, as: b, by: {on: a.v + a.v, with: b.v}, after: 5s}}",
    };
    for (size_t i = 0; i < IV_COUNT(bodies); i++) {
        char rule[8192];
        (void)snprintf(rule, sizeof rule, RULE("%s"), bodies[i]);
        stage_script("", rule, "T0 1s d.a a1 k=x n=1\nfailures 1\nT0 99s d.c c1\nend\n");
    }
}

Test(require, an_empty_window_is_violated)
{
    stage_script("", RULE("  require: {with: {event: d.b, as: b, by: k, until: a.t}}"),
                 "T0 9s d.b b1 k=x\nT0 10s d.a a1 k=x t=9s\n= violated REQ-1 a1 [] until 9s\n");
}

Test(require, waits_for_all_streams_that_can_carry_its_partner)
{
    stage_script("", RULE("  require: {with: {event: [d.b, l.a], as: b, by: k, after: 5s}}"),
                 "open T0\nopen L0\nT0 10s d.a a1 k=x\nT0 99s d.c c1\nL0 15s l.b l1\n"
                 "L0 16s l.b l2\n= violated REQ-1 a1 []\n");
    stage_script("", RULE("  require: {with: {event: [d.b, l.a], as: b, by: k, after: 5s}}"),
                 "open T0\nopen L0\nT0 10s d.a a1 k=x\nT0 99s d.c c1\nL0 15s l.a l1 k=x\nkept 1\n");
}

Test(require, the_triggers_own_stream_does_not_decide)
{
    stage_script(
        "", RULE("  require: {with: {event: l.a, as: b, by: k, after: 5s}}"),
        "open T0\nopen L0\nT0 10s d.a a1 k=x\nT0 99s d.c c1\nL0 16s l.b l1\n= violated REQ-1 a1 []\n");
}

Test(require, a_late_partner_contradicts_what_was_emitted_once)
{
    stage_script("", AFTER,
                 "T0 10s d.a a1 k=x\nT0 3600s d.c c1\n= violated REQ-1 a1 []\n"
                 "T0 12s d.b b1 k=x\n= contradicted REQ-1 a1 [b1] until 15s\nlate 1\n"
                 "T0 13s d.b b2 k=x\nT0 99h d.c c2\nend\n");
}

Test(require, a_contradiction_bears_the_violations_uid)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new("", AFTER);
    unsigned char uid[IV_UID_BYTES];

    stage_play(s, "T0 10s d.a a1 k=x\nT0 3600s d.c c1\n= violated\n");
    memcpy(uid, stage_uid(s), sizeof uid);
    stage_play(s, "T0 12s d.b b1 k=x\n= contradicted\n");

    cr_expect_arr_eq(uid, stage_uid(s), sizeof uid);
}

Test(require, a_violation_waits_a_day_for_contradiction_and_no_longer)
{
    stage_script("", AFTER,
                 "T0 10s d.a a1 k=x\nT0 16s d.c c1\n= violated REQ-1 a1 []\nT0 25h d.c c2\nT0 26h d.c c3\n"
                 "T0 12s d.b b1 k=x\narmed 0\n");
}

Test(require, a_trigger_later_than_memory_proves_nothing)
{
    stage_script("dedup: 10s", RULE("  require: {with: {event: d.b, as: b, by: k, before: 5s}}"),
                 "T0 1s d.b b1 k=x\nT0 100s d.c c1\nT0 101s d.c c2\nT0 102s d.c c3\n"
                 "T0 2s d.a a1 k=x\n= inconclusive REQ-1 a1 []\n");
}

Test(require, a_late_trigger_within_memory_is_judged_as_any)
{
    stage_script("", RULE("  require: {with: {event: d.b, as: b, by: k, before: 5s}}"),
                 "T0 1s d.b b1 k=x\nT0 40s d.c c1\nT0 2s d.a a1 k=x\nkept 1\nlate 1\n"
                 "T0 2s d.a a2 k=y\n= violated REQ-1 a2 []\n");
}
