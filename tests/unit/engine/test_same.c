/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <criterion/criterion.h>

#define RULE(body)                                                                                           \
    "- id: SAM-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define PLAIN RULE("  same: {by: k, value: v, within: 10s}")
#define LATE "streams: {telemetry: {lateness: 10m}, ledger: {lateness: 10m}}"

Test(same, convicts_the_later_of_two_values)
{
    stage_script("", PLAIN,
                 "T0 1s d.a a1 k=x v=p\nT0 2s d.a a2 k=x v=p\nT0 3s d.a a3 k=y v=q\nT0 3s d.a a4 k=x\n"
                 "T0 4s d.a a5 k=x v=q\n= violated SAM-1 a5 [a1 a2]\n"
                 "T0 5s d.a a6 k=x v=p\n= violated SAM-1 a6 [a5]\n");
}

Test(same, looks_back_as_far_as_it_is_told)
{
    stage_script("", PLAIN,
                 "T0 1s d.a a1 k=x v=p\nT0 11s d.a a2 k=x v=q\n= violated SAM-1 a2 [a1]\n"
                 "T0 21.1s d.a a3 k=x v=p\n");
}

Test(same, an_earlier_one_that_comes_later_convicts)
{
    stage_script(LATE, PLAIN,
                 "T0 10s d.a a1 k=x v=p\nT0 12s d.a a2 k=x v=p\nT0 30s d.a a3 k=x v=p\n"
                 "T0 9s d.a a4 k=x v=q\n= violated SAM-1 a1 [a4]\n= violated SAM-1 a2 [a4]\n");
}

Test(same, ties_are_broken_by_source_and_then_by_id)
{
    stage_script(LATE, PLAIN,
                 "T0 1s d.a a2 k=x v=p\nT0 1s d.a a1 k=x v=q\n= violated SAM-1 a2 [a1]\n"
                 "T0 1s d.a a0 k=x v=p source=t\n= violated SAM-1 a0 [a1]\n");
}

Test(same, of_two_that_agree_in_time_source_and_id_neither_is_earlier)
{
    stage_script("dedup: 1ms", PLAIN,
                 "T0 1s d.a a1 k=x v=p\nT0 1s d.a a1 k=x v=q\n= violated EVT-001 a1 [a1 a1]\n");
}

Test(same, value_may_be_a_list)
{
    stage_script("", RULE("  same: {by: k, value: [v, n], within: 10s}"),
                 "T0 1s d.a a1 k=x v=p n=1\nT0 2s d.a a2 k=x v=p n=1\nT0 3s d.a a3 k=x v=p\n"
                 "T0 4s d.a a4 k=x v=p n=2\n= violated SAM-1 a4 [a1 a2]\n");
}

Test(same, a_key_is_at_ease_again_when_the_other_value_is_out_of_reach)
{
    stage_script(
        "dedup: 1s", PLAIN,
        "T0 1s d.a a1 k=x v=p\nT0 2s d.a a2 k=x v=q\n= violated SAM-1 a2 [a1]\n"
        "T0 30s d.a a3 k=x v=q\nT0 31s d.a a4 k=x v=q\nT0 32s d.a a5 k=x v=p\n= violated SAM-1 a5 [a3 a4]\n");
}
