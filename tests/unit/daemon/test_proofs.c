/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven of many steps is written down in few transactions. */
#include "base/guard.h"
#include "console/metrics.h"
#include "daemon/proofs.h"
#include "event/decode.h"
#include "evidence/awaited.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <string.h>

#define MANY 40 /* more than one transaction takes */
#define CALL(more)                                                                                           \
    "- name: a\n  http: {endpoint: hook, path: /a}\n"                                                        \
    "  expect: {seen: {event: token.revoked, where: 'e.token_id == target'}, within: 5s}\n" more
#define UNDO "  undo: {after: 1h, http: {endpoint: hook, path: /undo}}\n"

struct world {
    struct stage stage;
    struct hook_server *hook;
    struct iv_decoder *decoder;
    struct iv_metrics *metrics;
    struct iv_inquiry_set *set;
    struct iv_clock clock;
};

static iv_ns tell_time(void *ctx)
{
    return ((struct world *)ctx)->stage.now;
}

/* So many executions of the playbook were done, and wait for their proof. */
static void world_init(struct world *w, const char *steps, unsigned count)
{
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct hook_answer answers[MANY];
    for (size_t i = 0; i < IV_COUNT(answers); i++) {
        answers[i] = (struct hook_answer)HOOK_OK;
    }
    memset(w, 0, sizeof *w);
    w->clock = (struct iv_clock){tell_time, tell_time, w};
    w->hook = hook_start(answers, count);
    stage_init_playbook(
        &w->stage,
        "dedup: 0s\nguards: {executions: {minute: 1000}, agents: {minute: 1000}, ramp: {start: 1000}}\n",
        steps);
    cr_assert(iv_ok(
        iv_decoder_new(&w->decoder, w->stage.sample.catalogue, &limits, (struct iv_hash_key){0, 0}, NULL)));
    cr_assert(iv_ok(iv_metrics_new(&w->metrics, NULL)));
    cr_assert(iv_ok(iv_inquiry_set_new(&w->set, NULL)));
    stage_respond(&w->stage, hook_url(w->hook));
    for (unsigned i = 0; i < count; i++) {
        sample_number(&w->stage.sample, i);
        stage_find(&w->stage);
        stage_run(&w->stage, false);
        w->stage.now += IV_NS_PER_S; /* else the next one joins it */
    }
}

static void world_deinit(struct world *w)
{
    iv_inquiry_set_free(w->set);
    iv_metrics_free(w->metrics);
    iv_decoder_free(w->decoder);
    stage_deinit(&w->stage);
    hook_stop(w->hook);
}

/* What waits is looked for; how many that is. */
static size_t look(struct world *w, enum iv_lane lane)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_step *steps = NULL;
    size_t count = 0;
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_reader_awaited(w->stage.reader, &steps, &count, IV_INQUIRIES_MAX, &arena, NULL)));
    for (size_t i = 0; i < count; i++) {
        struct iv_task task;
        struct iv_inquiry *inquiry = NULL;
        bool found = false;
        size_t all = 0;
        cr_assert(iv_ok(iv_reader_awaited_task(w->stage.reader, &task, &found, &steps[i], &arena, NULL)));
        cr_assert(found);
        cr_assert(iv_ok(
            iv_inquiry_new(&inquiry, &task, w->decoder, w->stage.sample.catalogue, w->stage.now, NULL)));
        iv_inquiry_set_add(w->set, inquiry);
        iv_inquiry_set_items(w->set, &all)[i].lane = lane;
    }
    return count;
}

/* Everything was read by now, a minute later, and there was nothing. */
static size_t write(struct world *w)
{
    size_t moved = 0;
    struct iv_inquiry_state states[IV_STREAMS];
    iv_ns later = w->stage.now + 3600 * IV_NS_PER_S;
    for (int i = 0; i < IV_STREAMS; i++) {
        states[i] = (struct iv_inquiry_state){.reached = later, .heard = later, .now = w->stage.now};
    }
    const struct iv_proofs_options options = {
        .store = w->stage.store, .metrics = w->metrics, .clock = &w->clock};
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_proofs_write(&options, w->set, states, &moved, &err)), "%s", err.text);
    return moved;
}

static size_t left(struct world *w)
{
    size_t count = 0;
    (void)iv_inquiry_set_items(w->set, &count);
    return count;
}

Test(proofs, of_many_steps_are_written_in_groups_until_all_are)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w, CALL(""), MANY);
    cr_assert(look(&w, IV_LANE_WHOLE) == MANY);

    size_t first = write(&w);
    size_t second = write(&w);

    cr_expect(first > 1 && first < MANY && first + second == MANY, "%zu and %zu", first, second);
    cr_expect(left(&w) == 0 && look(&w, IV_LANE_WHOLE) == 0, "and none waits any more");
    cr_expect(iv_metrics_sum(w.metrics, IV_METRIC_ACTIONS) == MANY);
}

Test(proofs, by_absence_wait_until_all_was_read_on_their_behalf)
{
    static const enum iv_lane lanes[] = {IV_LANE_NEW, IV_LANE_WAITING, IV_LANE_BACK};
    IV_AUTO(world_deinit) struct world w;
    world_init(&w, CALL(""), 1);
    cr_assert(look(&w, IV_LANE_NEW) == 1);
    for (size_t i = 0; i < IV_COUNT(lanes); i++) {
        size_t count = 0;
        iv_inquiry_set_items(w.set, &count)->lane = lanes[i];
        cr_expect(write(&w) == 0 && left(&w) == 1, "row %zu", i);
    }
}

Test(proofs, of_a_step_that_somebody_took_back_change_nothing)
{
    IV_AUTO(world_deinit) struct world w;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    size_t moved = 0;
    iv_arena_init(&arena, 0);
    world_init(&w, CALL(UNDO), 1);
    cr_assert(look(&w, IV_LANE_WHOLE) == 1);
    struct iv_execution e = stage_execution(&w.stage);
    const struct iv_undo_order order = {e.key, IV_STR("sec-1"), IV_STR("")};
    cr_assert(iv_ok(iv_store_begin(w.stage.store, NULL)));
    cr_assert(iv_ok(iv_move_undo(w.stage.store, &moved, &order, w.stage.now, &arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(w.stage.store, NULL)));
    cr_assert(moved == 1 && stage_step(&w.stage, 0).state == IV_STEP_AMBIGUOUS);

    cr_expect(write(&w) == 0 && left(&w) == 0);

    cr_expect(stage_step(&w.stage, 0).state == IV_STEP_AMBIGUOUS);
    cr_expect(iv_metrics_sum(w.metrics, IV_METRIC_ACTIONS) == 0);
}
