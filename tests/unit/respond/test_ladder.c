/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a step that went wrong, and what is taken back. */
#include "base/guard.h"
#include "respond/ladder.h"
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
         "every call was accepted"},
        {HTTP("a", "  on_failure: escalate\n") HTTP("b", "  only: escalated\n") HTTP("c", ""),
         {YES, YES},
         "dsd",
         IV_RUN_DONE,
         "every call was accepted"},
        {HTTP("a", "  on_failure: continue\n") HTTP("b", "  on_failure: escalate\n")
             HTTP("c", "  only: escalated\n"),
         {NO, YES, YES},
         "fds",
         IV_RUN_DONE,
         "in spite of step 'a': "},
        {HTTP("a", "  on_failure: continue\n") HTTP("b", "  on_failure: escalate\n")
             HTTP("c", "  only: escalated\n"),
         {NO, NO, YES},
         "ffd",
         IV_RUN_DONE,
         "in spite of step 'a': "},
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
    cr_expect_str_eq(stage_execution(&s).cause.p, "step 'a': taken back, for its time had come");
    cr_expect(stage_step(&s, 0).finished == s.now);
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

    const struct iv_undo_order order = {stage_execution(&s).key, IV_STR("sec-1"), IV_STR("a false alarm")};
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_move_undo(s.store, &moved, &order, s.now, &arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    s.now += IV_NS_PER_S;
    stage_run(&s, false);

    cr_expect(moved == 1 && stage_execution(&s).state == IV_RUN_UNDONE && hook_count(hook) == 2);
    cr_expect_str_eq(stage_execution(&s).cause.p, "step 'a': taken back for sec-1: a false alarm");
    struct iv_step step = stage_step(&s, 0);
    cr_expect_str_eq(step.cause.p, "taken back for sec-1: a false alarm");
    cr_expect(step.finished == s.now && step.done < s.now);
}

/* The same is done again while it holds: the first one's end is not the second one's. */
static void disprove(struct stage *s, struct iv_arena *arena)
{
    const struct iv_proof proof = {IV_PROOF_FAILED, IV_STR("the test says so"), IV_STR("{}")};
    struct iv_str key = stage_execution(s).key;
    struct iv_task *all = NULL;
    size_t count = 0;
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_tasks(s->store, &all, &count, IV_TASKS_OF, key, 0, 1, arena, NULL)));
    cr_assert(iv_ok(iv_move_by_evidence(s->store, &all[0], &proof, s->now, arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

/* Before its time, whatever that is by the time it is called. */
Test(undo, of_what_went_wrong_says_who_asked_for_it_behind_what_did)
{
    static const struct hook_answer answers[] = {YES, YES};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    size_t moved = 0;
    iv_arena_init(&arena, 0);
    set_up(
        &s, hook, "",
        HTTP("a",
             "  expect: {seen: {event: token.revoked, where: 'e.token_id == target'}, within: 5s}\n" UNDO));
    disprove(&s, &arena);

    const struct iv_undo_order order = {stage_execution(&s).key, IV_STR("sec-1"), IV_STR("a false alarm")};
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_move_undo(s.store, &moved, &order, s.now, &arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    s.now += 7200 * IV_NS_PER_S;
    stage_run(&s, false);

    cr_expect(moved == 1 && stage_step(&s, 0).state == IV_STEP_UNDONE && hook_count(hook) == 2);
    cr_expect_str_eq(stage_step(&s, 0).cause.p, "the test says so; taken back for sec-1: a false alarm");
}

Test(undo, waits_for_that_of_a_later_execution_for_the_same_target)
{
    static const struct hook_answer answers[] = {YES, YES, YES, YES};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 4);
    IV_AUTO(stage_deinit) struct stage s;
    iv_ns begun = STAGE_NOW;
    set_up(&s, hook, "", HTTP("a", UNDO));
    s.now = begun + 1800 * IV_NS_PER_S;
    sample_number(&s.sample, 2);
    stage_find(&s);
    stage_run(&s, false);
    cr_expect(stage_executions(&s) == 2 && hook_count(hook) == 2);

    s.now = begun + 3601 * IV_NS_PER_S;
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 2, "the second one's hour has not passed");
    s.now = begun + 5401 * IV_NS_PER_S;
    stage_run(&s, false);
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 4 && stage_execution(&s).state == IV_RUN_UNDONE);
}

/* What was done by one that then failed holds as well, and is done again by the next one. */
Test(undo, of_one_that_failed_waits_for_that_of_a_later_one_too)
{
    static const struct hook_answer answers[] = {YES, NO};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    iv_ns begun = STAGE_NOW;
    set_up(&s, hook, "", HTTP("a", UNDO) HTTP("b", ""));
    cr_assert(stage_execution(&s).state == IV_RUN_FAILED && stage_step(&s, 2).state == IV_STEP_DUE);
    static const struct hook_answer yes[] = {YES};
    IV_AUTO(hook_stopp) struct hook_server *later = hook_start(yes, 1);
    stage_respond(&s, hook_url(later));
    s.now = begun + 1800 * IV_NS_PER_S;
    sample_number(&s.sample, 2);
    stage_find(&s);
    stage_run(&s, false);
    cr_assert(stage_executions(&s) == 2 && hook_count(later) == 2);

    s.now = begun + 3601 * IV_NS_PER_S;
    stage_run(&s, false);
    cr_expect(hook_count(later) == 2, "the second one's hour has not passed");
    s.now = begun + 5401 * IV_NS_PER_S;
    stage_run(&s, false);

    cr_expect(hook_count(later) == 4);
}

/* Its time comes while a later one is still at the same step. */
Test(undo, yields_to_a_later_execution_that_is_under_way)
{
    static const struct hook_answer yes[] = {YES};
    static const struct hook_answer hardly[] = {HOOK_STATUS("503 No")};
    IV_AUTO(hook_stopp) struct hook_server *first = hook_start(yes, 1);
    IV_AUTO(hook_stopp) struct hook_server *away = hook_start(hardly, 1);
    IV_AUTO(hook_stopp) struct hook_server *back = hook_start(yes, 1);
    IV_AUTO(stage_deinit) struct stage s;
    iv_ns begun = STAGE_NOW;
    set_up(&s, first, "", HTTP("a", "  retry: {attempts: 20, backoff: 30s, max_backoff: 30s}\n" UNDO));
    s.now = begun + 3595 * IV_NS_PER_S;
    sample_number(&s.sample, 2);
    stage_find(&s);
    stage_respond(&s, hook_url(away));
    stage_run(&s, false);
    cr_assert(hook_count(away) == 1 && stage_step(&s, 0).state == IV_STEP_DUE);

    s.now = begun +
            3601 * IV_NS_PER_S; /* the first one's hour is over; the later one's next attempt is not due */
    stage_respond(&s, hook_url(back));
    stage_run(&s, false);
    cr_expect(hook_count(back) == 0, "nothing is taken back");
    s.now = begun + 3640 * IV_NS_PER_S;
    stage_run(&s, false);
    cr_expect(hook_count(back) == 1, "it is done once more");
    s.now = begun + 7300 * IV_NS_PER_S;
    stage_run(&s, false);
    stage_run(&s, false);

    cr_expect(hook_count(back) == 3 && stage_execution(&s).state == IV_RUN_UNDONE);
}

Test(undo, is_left_to_a_process_that_is_no_dry_run)
{
    static const struct hook_answer answers[] = {YES, YES};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    set_up(&s, hook, "", HTTP("a", UNDO));
    s.now += 3600 * IV_NS_PER_S;
    s.dry_run = true;
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 1 && stage_execution(&s).state == IV_RUN_DONE);

    s.dry_run = false;
    s.now += 120 * IV_NS_PER_S;
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 2 && stage_execution(&s).state == IV_RUN_UNDONE);
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

/* Steps as letters, see states(); v verified, a ambiguous, e done with an expectation and not decided. The
 * first ones are the playbook's own, those behind the bar take the first, the second … back. */
static size_t tasks_of(struct iv_task *all, const char *letters, enum iv_on_failure on_failure)
{
    size_t n = 0;
    size_t own = 0;
    bool undo = false;
    for (const char *p = letters; *p != '\0'; p++) {
        static const struct {
            char letter;
            enum iv_step_state state;
            bool expects;
        } known[] = {
            {'d', IV_STEP_DONE, false},    {'f', IV_STEP_FAILED, false},   {'s', IV_STEP_SKIPPED, false},
            {'u', IV_STEP_UNDONE, false},  {'q', IV_STEP_QUEUED, false},   {'D', IV_STEP_DUE, false},
            {'v', IV_STEP_VERIFIED, true}, {'a', IV_STEP_AMBIGUOUS, true}, {'e', IV_STEP_DONE, true},
            {'U', IV_STEP_UNDONE, true},   {'-', IV_STEP_ABSENT, false},   {'w', IV_STEP_WITHHELD, false},
            {'F', IV_STEP_FAILED, true}};
        if (*p == '|') {
            undo = true;
            own = n;
            continue;
        }
        for (size_t k = 0; k < IV_COUNT(known); k++) {
            if (known[k].letter == *p) {
                all[n].step = (struct iv_step){.state = known[k].state,
                                               .on_failure = on_failure,
                                               .position = (int64_t)n,
                                               .expectation = known[k].expects ? IV_STR("{}") : IV_STR(""),
                                               .undoes = undo ? (int64_t)(n - own) + 1 : 0};
            }
        }
        n++;
    }
    return n;
}

Test(ladder, comes_to_an_end_by_all_rows_whichever_was_the_last)
{
    enum { STOP, ON, UP };
    static const enum iv_on_failure meaning[] = {
        [STOP] = IV_ON_FAILURE_STOP, [ON] = IV_ON_FAILURE_CONTINUE, [UP] = IV_ON_FAILURE_ESCALATE};
    static const struct {
        const char *steps;
        int on_failure;
        enum iv_run_state now;
        enum iv_run_state want;
        const char *before; /* of its cause; NULL: whatever */
    } rows[] = {
        {"dd", STOP, IV_RUN_RUNNING, IV_RUN_DONE, "every call was accepted"},
        {"-s", STOP, IV_RUN_RUNNING, IV_RUN_DONE, IV_CAUSE_NOTHING_THERE},
        {"f-", ON, IV_RUN_RUNNING, IV_RUN_DONE, IV_CAUSE_NOTHING_THERE},
        {"-d", STOP, IV_RUN_RUNNING, IV_RUN_DONE, "all that was there was acted on; "},
        {"-v", STOP, IV_RUN_RUNNING, IV_RUN_VERIFIED, ""},
        {"f-d", ON, IV_RUN_RUNNING, IV_RUN_DONE, IV_CAUSE_IN_SPITE},
        {"dq", STOP, IV_RUN_RUNNING, IV_RUN_RUNNING, NULL},
        {"de", STOP, IV_RUN_DONE, IV_RUN_DONE, NULL},
        {"dv", STOP, IV_RUN_DONE, IV_RUN_VERIFIED, NULL},
        {"df", STOP, IV_RUN_RUNNING, IV_RUN_FAILED, NULL},
        {"da", STOP, IV_RUN_DONE, IV_RUN_AMBIGUOUS, NULL},
        {"fd", ON, IV_RUN_RUNNING, IV_RUN_DONE, NULL},
        {"fv", ON, IV_RUN_RUNNING, IV_RUN_DONE, NULL},
        {"fv", UP, IV_RUN_RUNNING, IV_RUN_VERIFIED, NULL},
        {"fs", UP, IV_RUN_RUNNING, IV_RUN_FAILED, NULL},
        {"ws", STOP, IV_RUN_RUNNING, IV_RUN_WITHHELD, NULL},
        /* what could not be taken back stays so, whatever is proven later */
        {"de|f", STOP, IV_RUN_DONE, IV_RUN_FAILED, NULL},
        {"dv|f", STOP, IV_RUN_FAILED, IV_RUN_FAILED, NULL},
        {"dv|f", STOP, IV_RUN_DONE, IV_RUN_FAILED, NULL},
        {"uv|df", STOP, IV_RUN_VERIFIED, IV_RUN_FAILED, NULL},
        /* all is taken back, whichever came last */
        {"ue|d", STOP, IV_RUN_DONE, IV_RUN_DONE, NULL},
        {"uv|d", STOP, IV_RUN_DONE, IV_RUN_UNDONE, NULL},
        {"uU|dd", STOP, IV_RUN_VERIFIED, IV_RUN_UNDONE, NULL},
        {"us|ds", STOP, IV_RUN_DONE, IV_RUN_UNDONE, NULL},
        /* some of it */
        {"ud|dD", STOP, IV_RUN_DONE, IV_RUN_DONE, NULL},
        {"Ud|dD", STOP, IV_RUN_VERIFIED, IV_RUN_VERIFIED, NULL},
        {"uv|dD", STOP, IV_RUN_DONE, IV_RUN_VERIFIED, NULL},
        {"Uv|dD", ON, IV_RUN_DONE, IV_RUN_DONE, NULL},
        /* in vain is in vain, taken back or not */
        {"uF|dD", STOP, IV_RUN_DONE, IV_RUN_FAILED, NULL},
        {"uU|dd", STOP, IV_RUN_FAILED, IV_RUN_FAILED, NULL},
        {"uU|dd", STOP, IV_RUN_AMBIGUOUS, IV_RUN_AMBIGUOUS, NULL},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_task all[8] = {0};
        size_t count = tasks_of(all, rows[i].steps, meaning[rows[i].on_failure]);

        struct iv_ladder_end end = iv_ladder_end(rows[i].now, all, count);

        cr_expect(end.state == rows[i].want, "row %zu, %s: %s", i, rows[i].steps,
                  iv_run_state_name(end.state));
        cr_expect(rows[i].before == NULL || strcmp(end.before, rows[i].before) == 0, "row %zu, %s: %s", i,
                  rows[i].steps, end.before);
    }
}

static bool has_cause(void *ctx, const struct iv_action *action)
{
    struct iv_buf *course = ctx;
    if (action->step < 0) {
        iv_buf_str(course, action->state);
        iv_buf_text(course, " ");
        cr_expect(action->time > 0 && action->cause.n > 0, "%s", course->p);
    }
    return true;
}

Test(ladder, leaves_no_state_of_an_execution_without_its_time_and_cause)
{
    static const struct hook_answer answers[] = {YES, YES};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_buf_deinit) struct iv_buf course;
    iv_buf_init(&course, 4096);
    stage_init(&s, HTTP("a", "  undo: {after: 1h, http: {endpoint: hook, path: /u}}\n"));
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    cr_assert(
        iv_ok(iv_reader_execution_log(s.reader, stage_execution(&s).key, 99, has_cause, &course, NULL)));
    cr_expect_str_eq(course.p, "planned running done undone ");
}
