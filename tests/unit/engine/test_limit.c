/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE(body)                                                                                           \
    "- id: LIM-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define LATE "streams: {telemetry: {lateness: 10m}, ledger: {lateness: 10m}}"

Test(limit, counts_within_a_window_open_at_its_beginning)
{
    stage_script("", RULE("  limit: {by: k, window: 10s, count: {max: 2}}"),
                 "T0 0s d.a a1 k=x\nT0 5s d.a a2 k=x\n"
                 "T0 10s d.a a3 k=x\n"
                 "T0 10.1s d.a a4 k=x\n= violated LIM-1 a4 [a2 a3]\n"
                 "T0 10.1s d.a a5 k=y\n");
}

Test(limit, triggers_of_one_time_are_in_each_others_window)
{
    stage_script("", RULE("  limit: {by: k, window: 10s, count: {max: 2}}"),
                 "T0 1s d.a a1 k=x\nT0 1s d.a a2 k=x\n"
                 "T0 1s d.a a3 k=x\n= violated LIM-1 a1 [a2 a3]\n= violated LIM-1 a2 [a1 a3]\n"
                 "= violated LIM-1 a3 [a1 a2]\n");
}

Test(limit, an_event_out_of_order_convicts_later_ones)
{
    stage_script(LATE, RULE("  limit: {by: k, window: 10s, count: {max: 2}}"),
                 "T0 10s d.a a1 k=x\nT0 14s d.a a2 k=x\nT0 30s d.a a3 k=x\n"
                 "T0 5s d.a a4 k=x\n= violated LIM-1 a2 [a4 a1]\n"
                 "T0 25s d.a a5 k=x\nT0 21s d.a a6 k=x\n= violated LIM-1 a3 [a6 a5]\n");
}

Test(limit, of_zero_convicts_every_trigger)
{
    stage_script("", RULE("  limit: {by: k, window: 10s, count: {max: 0}}"),
                 "T0 1s d.a a1 k=x\n= violated LIM-1 a1 []\nT0 99s d.a a2 k=x\n= violated LIM-1 a2 []\n");
}

Test(limit, of_a_length_below_all_bounds_holds_no_trigger)
{
    stage_script("parameters: {win: -3000000h}",
                 RULE("  limit: {by: k, window: baseline.win, count: {max: 0}}"),
                 "T0 1s d.a a1 k=x\nT0 2s d.a a2 k=x\n");
}

Test(limit, sums_up)
{
    stage_script("", RULE("  limit: {by: k, window: 10s, sum: {of: n, max: 10}}"),
                 "T0 1s d.a a1 k=x n=6\nT0 2s d.a a2 k=x n=4\nT0 3s d.a a3 k=x\nT0 3s d.a a4 k=x n=-1\n"
                 "failures 1\nT0 4s d.a a5 k=x n=1\n= violated LIM-1 a5 [a1 a2]\n"
                 "T0 11s d.a a6 k=x n=5\nT0 12s d.a a7 k=x n=5\n= violated LIM-1 a7 [a5 a6]\n");
    stage_script("", RULE("  limit: {by: k, window: 10s, sum: {of: u, max: 0.6}}"),
                 "T0 1s d.a a1 k=x u=0.1\nT0 2s d.a a2 k=x u=0.2\nT0 3s d.a a3 k=x u=0.3\n"
                 "T0 4s d.a a4 k=x u=0.0000000000000002\n= violated LIM-1 a4\n");
}

Test(limit, counts_different_values)
{
    stage_script("", RULE("  limit: {by: k, window: 10s, distinct: {of: v, max: 2}}"),
                 "T0 1s d.a a1 k=x v=p\nT0 2s d.a a2 k=x v=p\nT0 3s d.a a3 k=x v=q\nT0 4s d.a a4 k=x\n"
                 "T0 5s d.a a5 k=x v=r\n= violated LIM-1 a5 [a1 a2 a3]\n"
                 "T0 12s d.a a6 k=x v=p\n= violated LIM-1 a6 [a3 a5]\n"
                 "T0 30s d.a a7 k=x v=p\n");
}

Test(limit, only_counts_triggers)
{
    stage_script("", RULE("  where: a.n > 0\n  limit: {by: k, window: 10s, count: {max: 1}}"),
                 "T0 1s d.a a1 k=x n=1\nT0 2s d.a a2 k=x n=0\nT0 2s d.a a3 n=1\nT0 2s d.b b1 k=x n=1\n"
                 "T0 3s d.a a4 k=x n=1\n= violated LIM-1 a4 [a1]\n");
}

Test(limit, maxima_and_windows_may_depend_on_the_baseline_and_its_overrides)
{
    stage_script("parameters: {most: 3, win: 10s}\n"
                 "overrides:\n- match: {tenant: acme}\n  parameters: {most: 1}\n"
                 "- match: {agent: 'slow-*'}\n  parameters: {win: 60s}\n",
                 RULE("  limit: {by: k, window: baseline.win, count: {max: baseline.most}}"),
                 "T0 1s d.a a1 k=x\nT0 2s d.a a2 k=x tenant=acme\n= violated LIM-1 a2 [a1]\n"
                 "T0 3s d.a a3 k=x\nT0 4s d.a a4 k=x\n= violated LIM-1 a4 [a1 a2 a3]\n"
                 "T0 30s d.a a5 k=x\n"
                 "T0 31s d.a a6 k=x agent=slow-1\n= violated LIM-1 a6 [a1 a2 a3 a4 a5]\n"
                 "T0 32s d.a a7 k=x agent=fast\n");
}

Test(limit, a_maximum_that_fails_takes_the_trigger_out)
{
    stage_script("", RULE("  limit: {by: k, window: 10s, count: {max: 'a.n * 1'}}"),
                 "T0 1s d.a a1 k=x n=1\nT0 2s d.a a2 k=x\nfailures 1\nT0 3s d.a a3 k=x n=1\n"
                 "= violated LIM-1 a3 [a1]\n");
}

Test(limit, of_many_is_counted_over_blocks)
{
    IV_AUTO(stage_freep)
    struct stage *s = stage_new("", RULE("  limit: {by: k, window: 1h, count: {max: 1000}}"));
    char line[64];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(line, sizeof line, "T0 %dms d.a a%d k=x", i, i);
        stage_line(s, iv_str_of(line));
    }
    cr_expect_eq(stage_said(s).n, 0);

    stage_line(s, IV_STR("T0 1000ms d.a last k=x"));

    cr_expect(strncmp(stage_said(s).p, "violated LIM-1 last [a0 a1 a2 ", 30) == 0, "%s", stage_said(s).p);
}
