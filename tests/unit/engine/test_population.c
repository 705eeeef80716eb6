/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/buf.h"
#include "base/guard.h"
#include "engine/population.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define RULE(id, text) "- {id: " id ", title: t, severity: low, criteria: [CC7.2], " text "}\n"
#define PLAIN(id) RULE(id, "on: {event: d.a, as: a}, where: a.n > 1, forbid: {if: a.n > 100}")
#define GATED(id) RULE(id, "on: {event: d.a, as: a}, forbid: {if: a.k == 'x'}")
#define PAIRED(id) RULE(id, "on: {event: d.a, as: a}, require: {with: {event: d.b, by: k, before: 9h}}")
#define LATE "streams: {telemetry: {lateness: 9000h}, ledger: {lateness: 9000h}}\ndedup: 1h\n"

struct told {
    struct iv_buf text;
    iv_ns epoch;
};

/* Hours since the stage's epoch. */
static void tell(void *ctx, const struct iv_populated *p)
{
    struct told *t = ctx;
    if (iv_str_eq(p->rule->id, IV_STR("EVT-001"))) {
        return;
    }
    if (p->count == 0 && p->since == IV_NS_MIN) {
        iv_buf_printf(&t->text, IV_STR_FMT " from the beginning\n", IV_STR_ARG(p->rule->id));
    } else if (p->count == 0) {
        iv_buf_printf(&t->text, IV_STR_FMT " since %lld s\n", IV_STR_ARG(p->rule->id),
                      (long long)((p->since - t->epoch) / IV_NS_PER_S));
    } else {
        iv_buf_printf(&t->text, IV_STR_FMT " hour %lld: %llu\n", IV_STR_ARG(p->rule->id),
                      (long long)((p->hour - t->epoch) / IV_POPULATION_HOUR), (unsigned long long)p->count);
    }
}

static void expect(struct stage *stage, const char *expected)
{
    struct told told;
    iv_buf_init(&told.text, 1u << 16);
    struct iv_instant instant;
    cr_assert(iv_instant_parse(&instant, IV_STR("2026-01-01T00:00:00Z")));
    told.epoch = iv_instant_to_ns_saturated(instant);
    iv_engine_populations(stage_engine(stage), tell, &told);
    iv_buf_char(&told.text, '\0');
    cr_expect_str_eq(iv_buf_slice(&told.text).p, expected);
    iv_buf_deinit(&told.text);
}

Test(population, counts_what_each_rule_had_to_judge_by_hour_of_event_time)
{
    IV_AUTO(stage_freep) struct stage *stage = stage_new(LATE, PLAIN("PP-1") GATED("GG-1") PAIRED("RR-1"));
    stage_play(stage, "T0 10s d.a a1 k=x n=5\n= violated GG-1 a1\n"
                      "T0 3599s d.a a2 k=y n=0\nT0 3600s d.a a3 k=y n=7\nT0 20s d.a a4 k=z n=9\n"
                      "T0 20s d.a a4 k=z n=9\nT0 30s d.b b1 k=x\n");
    expect(stage, "PP-1 from the beginning\nGG-1 from the beginning\nRR-1 from the beginning\n"
                  "PP-1 hour 0: 2\nGG-1 hour 0: 3\nRR-1 hour 0: 3\n"
                  "PP-1 hour 1: 1\nGG-1 hour 1: 1\nRR-1 hour 1: 1\n");
    expect(stage, "");
    stage_play(stage, "T0 40s d.a a5 k=z n=9\n");
    expect(stage, "PP-1 hour 0: 3\nGG-1 hour 0: 4\nRR-1 hour 0: 4\n");
}

Test(population, goes_on_from_a_snapshot)
{
    IV_AUTO(stage_freep) struct stage *stage = stage_new(LATE, PLAIN("PP-1") GATED("GG-1"));
    stage_play(stage, "T0 10s d.a a1 k=z n=5\nT0 3600s d.a a2 k=y n=7\nrestore\nT0 11s d.a a3 k=y n=7\n");
    expect(stage, "PP-1 from the beginning\nGG-1 from the beginning\nPP-1 hour 0: 2\nGG-1 hour 0: 2\n"
                  "PP-1 hour 1: 1\nGG-1 hour 1: 1\n");
}

Test(population, of_a_rule_that_is_new_begins_behind_all_that_has_arrived)
{
    IV_AUTO(stage_freep) struct stage *stage = stage_new(LATE, PLAIN("PP-1"));
    stage_play(stage, "T0 10s d.a a1 k=z n=5\nT0 7s d.a a2 k=z n=5\n");
    stage_reload(stage, LATE, PAIRED("PP-1") GATED("GG-1"));
    stage_line(stage, IV_STR("T0 30s d.a a3 k=z n=5"));
    expect(stage, "PP-1 from the beginning\nGG-1 since 10 s\nPP-1 hour 0: 3\nGG-1 hour 0: 1\n");
}

Test(population, of_hours_that_left_the_memory_is_told_by_then)
{
    IV_AUTO(stage_freep) struct stage *stage = stage_new(LATE, GATED("GG-1"));
    struct iv_buf line;
    iv_buf_init(&line, 256);
    for (int hour = 0; hour < IV_POPULATION_HOURS + 2; hour++) {
        iv_buf_clear(&line);
        iv_buf_printf(&line, "T0 %ds d.a a%d k=z", hour * 3600 + 5, hour);
        stage_line(stage, iv_buf_slice(&line));
    }
    stage_line(stage, IV_STR("T0 9s d.a late k=z"));
    iv_buf_deinit(&line);
    cr_expect(eq(str, (char *)stage_left(stage), "GG-1 1\nGG-1 1\nGG-1 1\n"),
              "one hour for each that is too many");
}
