/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE                                                                                                 \
    "- id: IDE-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n  forbid: "   \
    "{if: a.n > 3}\n"
#define LATE "streams: {telemetry: {lateness: 10m}, ledger: {lateness: 10m}}\n"

Test(identity, a_repeated_record_is_counted_and_changes_nothing)
{
    stage_script(
        "", RULE,
        "T0 1s d.a a1 n=9\n= violated IDE-1 a1 []\nT0 1s d.a a1 n=9\nT1 1s d.a a1 n=9\nduplicates 2\n");
}

Test(identity, the_same_id_of_another_source_is_another_event)
{
    stage_script("", RULE, "T0 1s d.a a1 n=1\nT0 1s d.a a1 n=2 source=z\nduplicates 0\n");
}

Test(identity, two_contents_are_an_equivocation_at_the_least_of_their_times)
{
    stage_script("", RULE, "T0 2s d.a a1 n=1\nT0 2s d.a a1 n=2\n= violated EVT-001 a1 [a1 a1] until 2s\n");
    stage_script(LATE, RULE, "T0 5s d.a a1 n=1\nT0 2s d.b a1 n=2\n= violated EVT-001 a1 [a1 a1] until 2s\n");
}

Test(identity, a_further_content_updates_it_under_the_same_uid)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new(LATE, RULE);
    unsigned char uid[IV_UID_BYTES];

    stage_play(s, "T0 5s d.a a1 n=1\nT0 6s d.a a1 n=2\n= violated EVT-001 a1 [a1 a1] until 5s\n");
    memcpy(uid, stage_uid(s), sizeof uid);
    stage_play(s, "T0 5s d.a a1 n=1\nT0 4s d.a a1 n=3\n= updated EVT-001 a1 [a1 a1 a1] until 4s\n");

    cr_expect_arr_eq(uid, stage_uid(s), sizeof uid);
}

Test(identity, contents_further_apart_than_dedup_are_none)
{
    stage_script(LATE "dedup: 10s", RULE,
                 "T0 1s d.a a1 n=1\nT0 11.1s d.a a1 n=2\n"
                 "T0 11s d.a a2 n=1\nT0 1s d.a a2 n=2\n= violated EVT-001 a2 [a2 a2] until 1s\n");
}

Test(identity, both_contents_are_events_for_the_other_rules)
{
    stage_script("", RULE,
                 "T0 2s d.a a1 n=8\n= violated IDE-1 a1 []\n"
                 "T0 2s d.a a1 n=9\n= violated EVT-001 a1 [a1 a1]\n= violated IDE-1 a1 []\n");
}

Test(identity, contents_meet_across_streams)
{
    stage_script("", RULE, "T0 2s d.a a1 n=1\nL0 2s l.a a1 n=1\n= violated EVT-001 a1 [a1 a1]\n");
}

Test(identity, is_remembered_for_dedup_behind_the_least_watermark)
{
    stage_script(LATE "dedup: 10s", RULE,
                 "open T0\nopen T1\nT0 1s d.a a1 n=1\nT0 9h d.c c1\nT1 1s d.a a1 n=1\nduplicates 1\n");
}

Test(identity, what_is_older_is_an_event_of_its_own_but_convicts_only_once)
{
    stage_script("dedup: 10s", RULE,
                 "T0 1s d.a a1 n=9\n= violated IDE-1 a1 []\nT0 60s d.c c1\n"
                 "T0 1s d.a a1 n=9\nduplicates 0\nlate 1\n"
                 "T0 1s d.a a1 n=8\n= violated IDE-1 a1 []\nlate 2\n");
}

Test(identity, the_boundary_of_memory_still_remembers)
{
    stage_script("dedup: 10s", RULE,
                 "T0 1s d.a a1 n=9\n= violated IDE-1 a1 []\nT0 11s d.c c1\nT0 1s d.a a1 n=9\nduplicates 1\n");
}

Test(identity, an_equivocation_is_remembered_longer_than_an_identity)
{
    stage_script(
        "dedup: 10s", RULE,
        "T0 1s d.a a1 n=1\nT0 1s d.a a1 n=2\n= violated EVT-001 a1 [a1 a1]\n"
        "T0 60s d.c c1\nT0 61s d.c c2\nT0 62s d.a a1 n=3\nT0 63s d.a a1 n=2\n= updated EVT-001 a1\n");
}

Test(identity, thousands_of_contents_of_one_identity_are_borne)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new("", RULE);
    char line[64];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(line, sizeof line, "T0 1s d.b a1 n=%d", i);
        stage_line(s, iv_str_of(line));
        stage_forget(s);
    }

    stage_line(s, IV_STR("T0 1s d.b a1 n=77"));

    stage_play(s, "duplicates 1\n");
}
