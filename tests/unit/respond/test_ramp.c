/* SPDX-License-Identifier: Apache-2.0 */
/* Few at a time first, and more only as they end well. */
#include "base/arena.h"
#include "base/guard.h"
#include "respond/moves.h"
#include "respond/ramp.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEPS "- name: one\n  http: {endpoint: hook, path: /x}\n"

/* ends: how they ended, oldest first, w wrong. */
static struct iv_ramp_course course_of(const char *ends, int64_t at_work)
{
    struct iv_ramp_course c = {.at_work = at_work};
    for (; ends[c.ends] != '\0'; c.ends++) {
        c.wrong[c.ends] = ends[c.ends] == 'w';
    }
    return c;
}

Test(ramp, doubles_with_each_whole_wave_of_successes)
{
    static const struct {
        const char *ends;
        int64_t start;
        int64_t width;
    } rows[] = {
        {"", 1, 1},  {"s", 1, 2},   {"ss", 1, 2},   {"sss", 1, 4},   {"sssssss", 1, 8},
        {"w", 1, 1}, {"ws", 1, 2},  {"sws", 1, 2},  {"swss", 1, 4},  {"ssssw", 1, 4},
        {"", 4, 4},  {"sss", 4, 4}, {"ssss", 4, 8}, {"sswss", 4, 4}, {"sswssss", 4, 8},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_ramp_course c = course_of(rows[i].ends, 0);
        int64_t width = iv_ramp_width(&c, rows[i].start);
        cr_expect(width == rows[i].width, "row %zu: %d", i, (int)width);
    }
}

Test(ramp, lets_queues_or_stops)
{
    static const struct {
        const char *ends;
        int64_t at_work;
        int64_t errors;
        enum iv_ramp_word word;
    } rows[] = {
        {"", 0, 200, IV_RAMP_GO},
        {"", 1, 200, IV_RAMP_QUEUE},
        {"s", 1, 200, IV_RAMP_GO},
        {"s", 2, 200, IV_RAMP_QUEUE},
        {"ww", 0, 0, IV_RAMP_GO},
        {"www", 0, 200, IV_RAMP_STOP},
        {"www", 0, 1000, IV_RAMP_GO},
        {"wwwssssssssssss", 0, 200, IV_RAMP_GO}, /* one in five is borne */
        {"wwwsssssssssss", 0, 200, IV_RAMP_STOP},
        {"wwwsssssssssss", 99, 200, IV_RAMP_STOP},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_ramp_course c = course_of(rows[i].ends, rows[i].at_work);
        cr_expect(iv_ramp_decide(&c, 1, rows[i].errors) == rows[i].word, "row %zu", i);
    }
}

static void find(struct stage *s, unsigned number)
{
    char token[16];
    (void)snprintf(token, sizeof token, "tok-%u", number);
    sample_number(&s->sample, number);
    sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
    stage_find(s);
}

static struct iv_store_totals totals_of(struct stage *s)
{
    struct iv_store_totals totals;
    cr_assert(iv_ok(iv_reader_totals(s->reader, &totals, NULL)));
    return totals;
}

Test(ramp, has_the_rest_wait_for_their_turn_until_those_before_ended_well)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);
    for (unsigned number = 1; number <= 20; number++) {
        find(&s, number);
    }
    struct iv_execution last = stage_execution(&s);
    cr_expect(last.state == IV_RUN_PLANNED && stage_step(&s, 0).state == IV_STEP_QUEUED);
    cr_expect(strstr(last.cause.p, "guard ramp: 1 at a time; waits for its turn") != NULL, "%s",
              last.cause.p);
    stage_respond(&s, hook_url(hook));

    while (totals_of(&s).executions[IV_RUN_DONE] < 20) {
        stage_run(&s, false);
    }

    cr_expect(hook_count(hook) == 20);
}

Test(ramp, that_meets_failures_holds_the_rest_for_an_approval)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("400 No")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);
    for (unsigned number = 1; number <= 20; number++) {
        find(&s, number);
    }
    stage_respond(&s, hook_url(hook));
    while (totals_of(&s).executions[IV_RUN_FAILED] < 3) {
        stage_run(&s, false);
    }
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 3 && totals_of(&s).executions[IV_RUN_WAITING] == 17);
    struct iv_execution held = stage_execution(&s);
    cr_expect(strstr(held.cause.p, "guard ramp: 3 of the last 3 executions went wrong") != NULL, "%s",
              held.cause.p);
    cr_expect(held.quorum == 1 && held.expires > s.now);
    stage_respond(&s, hook_url(hook)); /* after a restart it is the same */
    find(&s, 21);
    stage_run(&s, false);
    cr_expect(stage_execution(&s).state == IV_RUN_WAITING && hook_count(hook) == 3);
    s.now += 2 * IV_RAMP_WINDOW;
    find(&s, 22);
    cr_expect(stage_execution(&s).state == IV_RUN_PLANNED, "what is long ago does not count");
}

Test(ramp, is_as_wide_as_the_playbook_says)
{
    static const struct {
        const char *keys;
        int due;
    } rows[] = {{"", 1}, {"guards: {ramp: {start: 3}}\n", 3}, {"mode: observe\n", 5}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        int due = 0;
        stage_init_playbook(&s, rows[i].keys, STEPS);
        for (unsigned number = 1; number <= 5; number++) {
            find(&s, number);
            due += stage_step(&s, 0).state == IV_STEP_DUE;
        }
        cr_expect(due == rows[i].due, "row %zu: %d", i, due);
    }
}

#define PROVEN STEPS "  expect: {seen: {event: token.revoked, where: 'e.token_id == target'}, within: 5s}\n"

static bool pick_awaiting(void *ctx, const struct iv_execution *e)
{
    char *key = ctx;
    if (e->awaits) {
        memcpy(key, e->key.p, IV_UID_HEX);
        key[IV_UID_HEX] = '\0';
    }
    return !e->awaits;
}

/* One of the executions whose evidence is still to come; empty: there is none. */
static struct iv_str find_awaiting(struct stage *s, char key[IV_UID_HEX + 1])
{
    key[0] = '\0';
    cr_assert(
        iv_ok(iv_reader_executions(s->reader, &(struct iv_execution_filter){0}, pick_awaiting, key, NULL)));
    return iv_str_of(key);
}

/* False: nothing is to be proven (any more). */
static bool prove(struct stage *s, enum iv_proof_verdict verdict)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    char room[IV_UID_HEX + 1];
    struct iv_str key = find_awaiting(s, room);
    struct iv_task *all = NULL;
    size_t count = 0;
    const struct iv_proof proof = {verdict, IV_STR("the test says so"), IV_STR("{}")};
    iv_arena_init(&arena, 0);
    if (key.n == 0) {
        return false;
    }
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_tasks(s->store, &all, &count, IV_TASKS_OF, key, 0, 1, &arena, NULL)));
    cr_assert(count == 1 && iv_step_awaits(&all[0].step));
    cr_assert(iv_ok(iv_move_by_evidence(s->store, &all[0], &proof, s->now, &arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
    stage_run(s, false);
    return true;
}

Test(ramp, goes_up_with_what_is_proven_not_with_what_was_answered)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, PROVEN);
    for (unsigned number = 1; number <= 7; number++) {
        find(&s, number);
    }
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 1, "%zu: answered is not proven", hook_count(hook));

    cr_assert(prove(&s, IV_PROOF_VERIFIED));
    cr_expect(hook_count(hook) == 3, "%zu", hook_count(hook));
    stage_respond(&s, hook_url(hook)); /* after a restart it is the same */
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 3, "%zu", hook_count(hook));
    cr_assert(prove(&s, IV_PROOF_VERIFIED));
    cr_expect(hook_count(hook) == 4, "%zu", hook_count(hook));
    while (prove(&s, IV_PROOF_VERIFIED)) {
    }

    cr_expect(hook_count(hook) == 7 && totals_of(&s).executions[IV_RUN_VERIFIED] == 7);
}

Test(ramp, that_meets_bad_proofs_holds_the_rest_for_an_approval)
{
    static const enum iv_proof_verdict bad[] = {IV_PROOF_FAILED, IV_PROOF_AMBIGUOUS};
    for (size_t i = 0; i < IV_COUNT(bad); i++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, PROVEN);
        for (unsigned number = 1; number <= 7; number++) {
            find(&s, number);
        }
        stage_respond(&s, hook_url(hook));
        stage_run(&s, false);
        while (prove(&s, bad[i])) {
        }

        cr_expect(hook_count(hook) == 3, "row %zu: %zu", i, hook_count(hook));
        cr_expect(totals_of(&s).executions[IV_RUN_WAITING] == 4, "row %zu", i);
    }
}
