/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include "base/alloc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define RULE(id, body)                                                                                       \
    "- id: " id "\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"

static const char rules[] =
    RULE("MEM-1", "  forbid: {with: {event: d.b, as: b, by: k, before: 5s}, if: b.n > 99}")
        RULE("MEM-2", "  require: {with: {event: d.b, as: b, by: [k, s], until: a.t}, if: b.n >= 0}")
            RULE("MEM-3", "  limit: {by: k, window: 5s, sum: {of: n, max: 1000000}}")
                RULE("MEM-4", "  same: {by: k, value: v, within: 5s}")
                    RULE("MEM-5", "  forbid: {with: {event: d.b, as: b, by: n, until: a.t}, if: b.n > 99}");

/* A second of traffic: a trigger and the partner that it asks for. */
static void traffic(struct stage *s, int second)
{
    char line[128];
    int key = second % 50;
    (void)snprintf(line, sizeof line, "T0 %ds d.a a%d k=k%d s=s n=%d v=v t=%ds", second, second, key, key,
                   second + 3);
    stage_line(s, iv_str_of(line));
    (void)snprintf(line, sizeof line, "T0 %ds d.b b%d k=k%d s=s n=%d", second, second, key, key);
    stage_line(s, iv_str_of(line));
}

static struct iv_engine_stats stats_of(const struct stage *s)
{
    struct iv_engine_stats stats;
    iv_engine_stats(stage_engine(s), &stats);
    return stats;
}

Test(memory, does_not_grow_with_the_length_of_a_stream)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new("dedup: 5s", rules);
    for (int second = 0; second < 2000; second++) {
        traffic(s, second);
    }
    struct iv_engine_stats before = stats_of(s);

    for (int second = 2000; second < 6000; second++) {
        traffic(s, second);
    }

    struct iv_engine_stats after = stats_of(s);
    cr_expect_eq(stage_said(s).n, 0);
    cr_expect_eq(after.state_bytes, before.state_bytes);
    cr_expect_lt(after.live_events, 100);
    cr_expect_lt(after.armed, 100);
    cr_expect_eq(after.kept, 6000);
}

Test(memory, is_all_given_back_when_the_watermark_has_passed)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new("dedup: 5s", rules);
    for (int second = 0; second < 500; second++) {
        traffic(s, second);
    }

    for (int second = 100000; second < 102000; second++) {
        char line[64];
        (void)snprintf(line, sizeof line, "T0 %ds d.c c%d", second, second);
        stage_line(s, iv_str_of(line));
    }

    struct iv_engine_stats stats = stats_of(s);
    cr_expect_leq(stats.live_events, 8, "%llu events are left", (unsigned long long)stats.live_events);
    cr_expect_eq(stats.armed, 0);
}

Test(memory, an_event_allocates_nothing_once_the_engine_has_settled)
{
    static const char line[] =
        "{\"specversion\":\"1.0\",\"id\":\"%08d\",\"source\":\"s\",\"type\":\"d.%c\",\"time\":"
        "\"2026-01-01T%02d:%02d:%02dZ\",\"data\":{\"k\":\"k%d\",\"s\":\"s\",\"n\":%d,\"v\":\"v\"}}";
    IV_AUTO(stage_freep) struct stage *s = stage_new("dedup: 5s", rules);
    uint64_t calls = 0;
    for (int i = 0; i < 40000; i++) {
        char json[512];
        int second = i / 2;
        (void)snprintf(json, sizeof json, line, i, i % 2 == 0 ? 'a' : 'b', second / 3600, second / 60 % 60,
                       second % 60, second % 50, second % 50);
        calls += stage_allocations(s, json) * (i > 20000 ? 1 : 0);
    }

    cr_expect_eq(calls, 0, "%llu allocations", (unsigned long long)calls);
}

#define LIMIT ((uint64_t)16 << 20)

/* Each is remembered for an hour, so 100,000 of them are several times the limit. */
Test(memory, stays_within_a_limit_by_forgetting_what_is_oldest)
{
    static const char waits[] =
        RULE("MEM-1", "  require: {with: {event: d.b, as: b, by: k, after: 1h}, if: b.n > 0}")
            RULE("MEM-2", "  forbid: {with: {event: d.b, as: b, by: k, before: 1h}, if: b.n > 0}");
    IV_AUTO(stage_freep) struct stage *s = stage_new("dedup: 1ms", waits);
    iv_engine_limit(stage_engine(s), LIMIT);
    uint64_t most = 0;
    for (int i = 0; i < 100000; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "T0 %dms d.%c e%d k=k%d n=1", i, i % 2 == 0 ? 'a' : 'b', i, i);
        stage_line(s, iv_str_of(line));
        most = stats_of(s).state_bytes > most ? stats_of(s).state_bytes : most;
        stage_forget(s);
    }

    struct iv_engine_stats stats = stats_of(s);
    cr_expect_leq(most, LIMIT, "%llu bytes", (unsigned long long)most);
    cr_expect_gt(stats.evictions, 0);
    cr_expect_lt(stats.evictions, 100, "each makes room for long");
    cr_expect_gt(stats.verdicts[IV_INCONCLUSIVE], 0);
    cr_expect_eq(stats.verdicts[IV_VIOLATED], 0);
}

Test(memory, what_was_forgotten_is_doubted_and_what_comes_later_is_not)
{
    IV_AUTO(stage_freep)
    struct stage *s = stage_new(
        "dedup: 1ms", RULE("MEM-1", "  require: {with: {event: d.b, as: b, by: k, after: 5s}, if: b.n > 0}"));
    bool any = false;
    struct iv_err err;
    stage_play(s, "T0 1s d.a old k=x\nT0 2s d.b other k=y n=1\nT0 3s d.a newer k=y\n");
    while (iv_ok(iv_engine_evict(stage_engine(s), &any, &err)) && any) {
    }
    cr_expect(strstr(stage_said(s).p, "inconclusive MEM-1 old") != NULL, "%s", stage_said(s).p);
    stage_forget(s);

    stage_play(s, "T0 10s d.a later k=x\n"
                  "T0 16s d.c end\n"
                  "= violated MEM-1 later\n");
}
