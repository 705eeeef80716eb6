/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "baseline/baseline.h"
#include "detect/cell.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char event_text[] =
    "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/broker\",\"type\":\"agent.stopped\","
    "\"time\":\"2026-01-01T00:00:00Z\",\"subject\":\"a1\",\"tenantid\":\"t1\",\"data\":{\"reason\":\"done\"}"
    "}";

/* From then on a repetition has to be known as one. */
static void tell_event(struct iv_cell *cell)
{
    struct iv_event event;
    struct iv_arena arena;
    struct iv_err err;
    iv_arena_init(&arena, 0);
    const struct iv_record record = {.origin = {IV_TELEMETRY, 0, 0, IV_STR("telemetry")},
                                     .bytes = iv_arena_str(&arena, iv_str_of(event_text))};
    cr_assert(iv_ok(iv_decode(cell->decoder, &record, &arena, &event, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_judge_event(cell->judge, &event, &err)), "%s", err.text);
    iv_arena_deinit(&arena);
}

/* A cell under the rules that ship, with one event. */
static struct iv_cell *open_cell(struct iv_site *site)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_cell *cell = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_problems_new(&problems, &err)));
    cr_assert(iv_ok(iv_baseline_load(&site->baseline, IV_STR(IV_SOURCE_DIR "/rules"), problems, &err)));
    cr_assert(iv_ok(iv_cell_open(&cell, site, IV_CELL_WHOLE, 0, &err)));
    struct iv_judge_options judging = iv_cell_judging(cell, site->baseline);
    cr_assert(iv_ok(iv_cell_make_judge(cell, &judging, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_judge_open(cell->judge, IV_TELEMETRY, 0, &err)));
    tell_event(cell);
    return cell;
}

Test(cell, says_how_far_it_is_beyond_its_part_of_the_memory)
{
    struct iv_site site = {.verifiers = 0};
    struct iv_cell *cell = open_cell(&site);
    struct iv_engine_stats stats;
    iv_judge_stats(cell->judge, &stats);

    uint64_t within = iv_cell_limit(cell, stats.state_bytes);
    bool told_within = cell->over_limit;
    uint64_t beyond = iv_cell_limit(cell, stats.state_bytes - 1);
    bool told_beyond = cell->over_limit;
    uint64_t again = iv_cell_limit(cell, UINT64_C(1) << 40);

    cr_expect(within == 0 && !told_within);
    cr_expect(beyond == 1 && told_beyond);
    cr_expect(again == 0 && !cell->over_limit);
    iv_cell_free(cell);
    iv_baseline_unref(site.baseline);
}
