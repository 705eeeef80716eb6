/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody sets the clock. */
#include "base/guard.h"
#include "respond/clock_jump.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEP "- name: one\n  http: {endpoint: hook, path: /x}\n"
#define UNDO "  undo: {after: 1h, http: {endpoint: hook, path: /undo}}\n"
#define MINUTE (60 * IV_NS_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static void set_clock(struct stage *s, iv_ns by)
{
    s->now += by;
    s->set_by += by;
}

static void find(struct stage *s, unsigned number)
{
    char token[16];
    (void)snprintf(token, sizeof token, "tok-%u", number);
    sample_number(&s->sample, number);
    sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
    stage_find(s);
}

Test(jump, is_told_from_a_clock_that_runs_a_little_off_and_is_believed_in_the_end)
{
    static const struct {
        iv_ns wall;
        iv_ns monotonic;
        bool back;
        iv_ns ahead;
    } rows[] = {
        {1000, 0, false, 0},
        {1010, 10, false, 0},
        {1021, 20, false, 0}, /* a second: none */
        {4621, 20, false, 3600},
        {4721, 120, false, 3600},
        {8321, 120, false, 7200},
        {6321, 120, true, 5200},
        {6321 + 3599, 120 + 3599, false, 5200},
        {6321 + 3600, 120 + 3600, false, 0},
        {921, 3720, true, 0},
    };
    struct iv_jump jump = {.begun = false};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        bool back = iv_jump_look(&jump, rows[i].wall * IV_NS_PER_S, rows[i].monotonic * IV_NS_PER_S);
        cr_expect(back == rows[i].back, "row %zu", i);
        cr_expect(jump.ahead / IV_NS_PER_S == rows[i].ahead, "row %zu: %d", i,
                  (int)(jump.ahead / IV_NS_PER_S));
    }
}

Test(jump, ahead_takes_nothing_back_before_the_clock_is_believed)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP UNDO);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    set_clock(&s, 8 * DAY);
    stage_run(&s, false);
    s.now += IV_JUMP_HELD / 2;
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 1, "its time has not come");
    s.now += IV_JUMP_HELD / 2;
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 2 && stage_execution(&s).state == IV_RUN_UNDONE);
}

Test(jump, ahead_and_back_again_changes_nothing)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP UNDO);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    iv_ns due = stage_step(&s, 1).due;
    set_clock(&s, 8 * DAY);
    stage_run(&s, false);
    set_clock(&s, -8 * DAY);
    stage_run(&s, false);
    s.now = due - 1;
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 1 && stage_step(&s, 1).due == due);
    s.now = due;
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 2);
}

Test(jump, ahead_refuses_nothing_that_waits_before_the_clock_is_believed)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "approval: {quorum: 1, within: 1h}\n", STEP);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    set_clock(&s, 8 * DAY);
    stage_run(&s, false);
    cr_expect(stage_execution(&s).state == IV_RUN_WAITING);
    s.now += IV_JUMP_HELD;
    stage_run(&s, false);

    cr_expect(stage_execution(&s).state == IV_RUN_REFUSED);
}

Test(jump, ahead_empties_no_window_of_a_guard_nor_of_dedup)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {hour: 1}}\n", STEP);
    find(&s, 1);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    cr_assert(hook_count(hook) == 1);
    set_clock(&s, 8 * DAY);
    stage_run(&s, false);
    find(&s, 2);
    cr_expect(stage_execution(&s).state == IV_RUN_WAITING);
    sample_number(&s.sample, 3);
    sample_set(&s.sample, "token_id", iv_val_str(IV_STR("tok-1")));
    stage_find(&s);

    cr_expect(stage_executions(&s) == 2, "the third finding joins the first one's");
}

Test(jump, back_lets_nothing_wait_for_longer_than_it_would_have_had_to)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("503 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP "  retry: {attempts: 3, backoff: 10s, max_backoff: 10s}\n" UNDO);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    cr_assert(hook_count(hook) == 1 && stage_step(&s, 0).state == IV_STEP_DUE);
    set_clock(&s, -8 * DAY);
    stage_run(&s, false);
    s.now += 10 * IV_NS_PER_S;
    stage_run(&s, false);
    cr_assert(hook_count(hook) == 2, "%zu", hook_count(hook));
    set_clock(&s, -DAY);
    stage_run(&s, false);
    s.now += HOUR;
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 3 && stage_execution(&s).state == IV_RUN_UNDONE);
}

Test(jump, back_has_nobody_approve_for_longer)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "approval: {quorum: 1, within: 1h}\n", STEP);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    set_clock(&s, -8 * DAY);
    stage_run(&s, false);
    s.now += HOUR;
    stage_run(&s, false);

    cr_expect(stage_execution(&s).state == IV_RUN_REFUSED);
}

Test(jump, back_keeps_no_endpoint_shut)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("503 No"), HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"), HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 6);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP "  retry: {attempts: 9, backoff: 1s, max_backoff: 1s}\n");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    while (hook_count(hook) < 5) {
        s.now += IV_NS_PER_S;
        stage_run(&s, false);
    }
    set_clock(&s, -8 * DAY);
    for (int seconds = 0; seconds < 40 && hook_count(hook) < 6; seconds++) {
        s.now += IV_NS_PER_S;
        stage_run(&s, false);
    }

    cr_expect(hook_count(hook) == 6 && stage_execution(&s).state == IV_RUN_DONE);
}
