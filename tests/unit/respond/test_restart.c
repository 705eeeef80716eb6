/* SPDX-License-Identifier: Apache-2.0 */
/* A responder that is dropped with a call in flight leaves the store as a killed process does. The kill
 * itself, from outside, is tests/crash. */
#include "base/guard.h"
#include "respond/moves.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEP                                                                                                 \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: /x}\n"                                                                   \
    "  timeout: 1m\n"                                                                                        \
    "  retry: {attempts: 1, backoff: 1s}\n"

static void turn_until_called(struct stage *s, struct hook_server *hook)
{
    while (hook_count(hook) == 0) {
        cr_assert(iv_ok(iv_responder_turn(s->responder, 10 * IV_NS_PER_MS, NULL)));
    }
}

Test(restart, calls_again_with_the_same_key_though_no_attempt_was_left)
{
    static const struct hook_answer answers[] = {{HOOK_HANG, NULL}, HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    turn_until_called(&s, hook);
    cr_expect(stage_step(&s, 0).state == IV_STEP_CALLING, "the intent is on disk before the call");

    stage_respond(&s, hook_url(hook));
    cr_expect(stage_step(&s, 0).state == IV_STEP_DUE);
    cr_expect(strstr(stage_step(&s, 0).cause.p, "outcome is not known") != NULL);
    stage_run(&s, false);

    char first[128];
    char second[128];
    cr_assert(hook_count(hook) == 2);
    hook_header(first, sizeof first, hook, 0, "Idempotency-Key");
    hook_header(second, sizeof second, hook, 1, "Idempotency-Key");
    cr_expect_str_eq(first, second);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE && stage_step(&s, 0).attempt == 2);
}

Test(restart, keeps_the_time_of_a_retry)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("500 Oops"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: /x}\n  retry: {attempts: 2, backoff: 10s}\n");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    iv_ns due = stage_step(&s, 0).due;

    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 1, "not before its time");
    cr_expect(stage_step(&s, 0).due == due);
    s.now = due;
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 2);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
}

Test(backoff, doubles_up_to_its_maximum_and_stays_within_the_upper_half)
{
    struct iv_step step = {.key = IV_STR("k"), .backoff = IV_NS_PER_S, .backoff_max = 5 * IV_NS_PER_S};
    static const iv_ns whole[] = {1, 2, 4, 5, 5};
    for (size_t i = 0; i < IV_COUNT(whole); i++) {
        step.attempt = (int64_t)i + 1;
        iv_ns delay = iv_backoff(&step);
        cr_expect(delay >= whole[i] * IV_NS_PER_S / 2 && delay <= whole[i] * IV_NS_PER_S, "attempt %zu",
                  i + 1);
        cr_expect(delay == iv_backoff(&step), "the same each time");
    }
}

static bool collect(void *ctx, const struct iv_action *action)
{
    char *states = ctx;
    (void)snprintf(states + strlen(states), 256 - strlen(states), "%s%.*s ", action->step < 0 ? "run:" : "",
                   (int)action->state.n, action->state.p);
    return true;
}

Test(log, holds_every_state_in_order_and_a_message_for_each)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("500 Oops"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: /x}\n");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, true);
    char states[256] = "";
    struct iv_store_totals totals;

    cr_assert(iv_ok(iv_reader_actions(s.reader, (struct iv_str){NULL, 0}, 0, 100, collect, states, NULL)));
    cr_assert(iv_ok(iv_reader_totals(s.reader, &totals, NULL)));

    cr_expect_str_eq(states, "run:planned run:running calling due calling done run:done ");
    cr_expect(totals.outbox == 7);
}

static void plan_unknown_kind(struct iv_store *store)
{
    struct iv_execution e = {
        .key = IV_STR("e"), .tactic = IV_TACTIC_EVICT, .severity = IV_SEV_HIGH, .state = IV_RUN_PLANNED};
    struct iv_step step = {.execution = e.key,
                           .key = IV_STR("k"),
                           .name = IV_STR("one"),
                           .kind = IV_STR("teleport"),
                           .request = IV_STR("{}"),
                           .attempts = 1,
                           .state = IV_STEP_DUE};
    bool fresh = false;
    cr_assert(iv_ok(iv_store_begin(store, NULL)));
    cr_assert(iv_ok(iv_store_plan(store, &fresh, &e, &step, 1, NULL)));
    cr_assert(iv_ok(iv_store_commit(store, NULL)));
}

Test(restart, ends_a_step_of_a_kind_that_another_version_planned_as_unsupported)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    plan_unknown_kind(s.store);
    stage_respond(&s, NULL);

    stage_run(&s, false);

    cr_expect(stage_step(&s, 0).state == IV_STEP_UNSUPPORTED);
    cr_expect(strstr(stage_step(&s, 0).cause.p, "'teleport'") != NULL);
    cr_expect(stage_execution(&s).state == IV_RUN_FAILED);
}
