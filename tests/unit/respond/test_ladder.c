/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a step that went wrong, and what is taken back. */
#include "base/guard.h"
#include "respond/moves.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define HTTP(name, more) "- name: " name "\n  http: {endpoint: hook, path: /" name "}\n" more
#define NO HOOK_STATUS("400 No")
#define YES HOOK_OK

/* One letter for each step: d done, f failed, s skipped, u undone, q queued, D due. */
static void states(struct stage *s, size_t count, char *out)
{
    static const char letters[IV_STEP_STATES] = {
        [IV_STEP_DONE] = 'd',   [IV_STEP_FAILED] = 'f', [IV_STEP_SKIPPED] = 's', [IV_STEP_UNDONE] = 'u',
        [IV_STEP_QUEUED] = 'q', [IV_STEP_DUE] = 'D',    [IV_STEP_WITHHELD] = 'w'};
    for (size_t i = 0; i < count; i++) {
        out[i] = letters[stage_step(s, (int64_t)i).state];
    }
    out[count] = '\0';
}

struct way {
    const char *steps;
    struct hook_answer answers[3]; /* in the order of the calls */
    const char *want;
    enum iv_run_state state;
    const char *cause;
};

static void check_way(const struct way *way, size_t row)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(way->answers, 3);
    IV_AUTO(stage_deinit) struct stage s;
    char got[8];
    stage_init(&s, way->steps);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    states(&s, strlen(way->want), got);
    struct iv_execution e = stage_execution(&s);
    cr_expect_str_eq(got, way->want, "row %zu", row);
    cr_expect(e.state == way->state, "row %zu: %s", row, iv_run_state_name(e.state));
    cr_expect(strncmp(e.cause.p, way->cause, strlen(way->cause)) == 0, "row %zu: %s", row, e.cause.p);
}

Test(ladder, goes_on_as_each_step_says)
{
    static const struct way rows[] = {
        {HTTP("a", "") HTTP("b", ""), {NO, YES}, "fs", IV_RUN_FAILED, "step 'a': "},
        {HTTP("a", "  on_failure: continue\n") HTTP("b", ""),
         {NO, YES},
         "fd",
         IV_RUN_DONE,
         "in spite of step 'a': "},
        {HTTP("a", "  on_failure: continue\n") HTTP("b", "  on_failure: continue\n"),
         {NO, NO},
         "ff",
         IV_RUN_FAILED,
         "step 'a': "},
        {HTTP("a", "  on_failure: escalate\n") HTTP("b", "") HTTP("c", "  only: escalated\n"),
         {NO, YES},
         "fsd",
         IV_RUN_DONE,
         "in spite of step 'a': "},
        {HTTP("a", "  on_failure: escalate\n") HTTP("b", "") HTTP("c", "  only: escalated\n"),
         {YES, YES},
         "dds",
         IV_RUN_DONE,
         ""},
        {HTTP("a", "  on_failure: escalate\n") HTTP("b", "  only: escalated\n") HTTP("c", ""),
         {YES, YES},
         "dsd",
         IV_RUN_DONE,
         ""},
        {HTTP("a", "  on_failure: escalate\n") HTTP("b", "  only: escalated\n"),
         {NO, NO},
         "ff",
         IV_RUN_FAILED,
         "step 'b': "},
        {HTTP("a", "  on_failure: escalate\n") HTTP("b", "  only: escalated\n  on_failure: escalate\n")
             HTTP("c", "  only: escalated\n"),
         {NO, NO, YES},
         "ffd",
         IV_RUN_DONE,
         "in spite of step 'a': "},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        check_way(&rows[i], i);
    }
}

#define UNDO "  undo: {after: 1h, http: {endpoint: hook, path: \"/undo/{{step.name}}\"}}\n"

static void set_up(struct stage *s, struct hook_server *hook, const char *keys, const char *steps)
{
    stage_init_playbook(s, keys, steps);
    stage_find(s);
    stage_respond(s, hook_url(hook));
    stage_run(s, false);
}

Test(undo, comes_when_its_time_has_come_after_a_restart_too_and_under_a_key_of_its_own)
{
    static const struct hook_answer answers[] = {YES, YES, YES};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 3);
    IV_AUTO(stage_deinit) struct stage s;
    char got[8];
    iv_ns begun = STAGE_NOW;
    set_up(&s, hook, "", HTTP("a", UNDO) HTTP("b", ""));
    states(&s, 3, got);
    cr_expect_str_eq(got, "ddD");
    cr_expect(stage_execution(&s).state == IV_RUN_DONE, "what comes later holds nothing up");
    cr_expect(stage_step(&s, 2).due == begun + 3600 * IV_NS_PER_S);

    stage_respond(&s, hook_url(hook));
    s.now = begun + 3600 * IV_NS_PER_S;
    stage_run(&s, false);

    states(&s, 3, got);
    cr_expect_str_eq(got, "udd");
    cr_expect(stage_execution(&s).state == IV_RUN_UNDONE && hook_count(hook) == 3);
    char first[128];
    char last[128];
    hook_header(first, sizeof first, hook, 0, "Idempotency-Key");
    hook_header(last, sizeof last, hook, 2, "Idempotency-Key");
    cr_expect(strcmp(first, last) != 0);
}

Test(undo, comes_at_once_when_somebody_asks_for_it)
{
    static const struct hook_answer answers[] = {YES, YES};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    size_t moved = 0;
    iv_arena_init(&arena, 0);
    set_up(&s, hook, "", HTTP("a", UNDO));

    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_move_undo(s.store, &moved, stage_execution(&s).key, s.now, &arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    stage_run(&s, false);

    cr_expect(moved == 1 && stage_execution(&s).state == IV_RUN_UNDONE && hook_count(hook) == 2);
}

Test(undo, that_fails_shows_as_an_execution_that_failed)
{
    static const struct hook_answer answers[] = {YES, NO};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    set_up(&s, hook, "", HTTP("a", UNDO));
    s.now += 3600 * IV_NS_PER_S;

    stage_run(&s, true);

    struct iv_execution e = stage_execution(&s);
    cr_expect(e.state == IV_RUN_FAILED && strstr(e.cause.p, "it could not be taken back: step 'a'") != NULL,
              "%s", e.cause.p);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
}

Test(undo, of_what_was_not_done_is_skipped)
{
    static const struct {
        const char *keys;
        struct hook_answer answer;
        const char *want;
    } rows[] = {{"", NO, "fs"}, {"mode: observe\n", YES, "ws"}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(&rows[i].answer, 1);
        IV_AUTO(stage_deinit) struct stage s;
        char got[8];
        set_up(&s, hook, rows[i].keys, HTTP("a", UNDO));

        states(&s, 2, got);
        cr_expect_str_eq(got, rows[i].want, "row %zu", i);
    }
}
