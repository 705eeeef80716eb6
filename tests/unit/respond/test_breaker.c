/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint that does not answer is left alone for a while. */
#include "base/guard.h"
#include "respond/breaker.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define S IV_NS_PER_S

/* What is told, a letter each second: f failed, s succeeded; and whether a call may be made after it. */
Test(breaker, opens_after_five_in_a_row_or_half_of_the_last_twenty)
{
    static const struct {
        const char *told;
        bool lets;
    } rows[] = {
        {"", true},
        {"ffff", true},
        {"fffff", false},
        {"ffffsffff", true},
        {"fsfsfsfsfsfsfsfsfsf", true},  /* not twenty yet */
        {"fsfsfsfsfsfsfsfsfsfs", true}, /* half of them, but the last was answered */
        {"sfsfsfsfsfsfsfsfsfsf", false},
        {"ssfsfsfsfsfsfsfsfsfsf", false},
        {"sssssssssssfffsfffsf", true},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_breaker b = {.open = false};
        iv_ns retry = 0;
        iv_ns now = S;
        for (const char *c = rows[i].told; *c != '\0'; c++, now += S) {
            iv_breaker_tell(&b, *c == 'f', now);
        }
        cr_expect(iv_breaker_lets(&b, now, &retry) == rows[i].lets, "row %zu", i);
    }
}

static void fail_five(struct iv_breaker *b, iv_ns now)
{
    for (int i = 0; i < 5; i++) {
        iv_breaker_tell(b, true, now);
    }
}

Test(breaker, lets_one_probe_pass_and_waits_twice_as_long_each_time_that_it_fails)
{
    static const iv_ns waits[] = {30, 60, 120, 240, 480, 600, 600};
    struct iv_breaker b = {.open = false};
    iv_ns now = S;
    iv_ns retry = 0;
    fail_five(&b, now);
    for (size_t i = 0; i < IV_COUNT(waits); i++) {
        cr_expect(iv_breaker_lets(&b, now + waits[i] * S - 1, &retry) == false && retry == now + waits[i] * S,
                  "wait %zu", i);
        now += waits[i] * S;
        cr_expect(iv_breaker_lets(&b, now, &retry));
        cr_expect(iv_breaker_lets(&b, now, &retry) == false && retry == now + S, "one probe at a time");
        iv_breaker_tell(&b, true, now);
    }
}

Test(breaker, is_closed_by_the_first_answer_and_forgets)
{
    struct iv_breaker b = {.open = false};
    iv_ns retry = 0;
    fail_five(&b, S);
    cr_assert(iv_breaker_lets(&b, 31 * S, &retry));

    iv_breaker_tell(&b, false, 31 * S);

    for (int i = 0; i < 4; i++) {
        cr_expect(iv_breaker_lets(&b, 31 * S, &retry));
        iv_breaker_tell(&b, true, 31 * S);
    }
    cr_expect(iv_breaker_lets(&b, 31 * S, &retry));
    iv_breaker_tell(&b, true, 32 * S);
    cr_expect(iv_breaker_lets(&b, 61 * S, &retry) == false && retry == 62 * S, "the first wait again");
}

Test(breaker, lets_another_probe_pass_where_the_first_was_not_made)
{
    struct iv_breaker b = {.open = false};
    iv_ns retry = 0;
    fail_five(&b, S);
    cr_assert(iv_breaker_lets(&b, 31 * S, &retry));

    iv_breaker_forget(&b);

    cr_expect(iv_breaker_lets(&b, 31 * S, &retry));
}

static void see(void *ctx, struct iv_str name, bool open)
{
    cr_expect(iv_str_eq(name, IV_STR("hook")));
    *(bool *)ctx = open;
}

Test(breaker, keeps_steps_due_without_using_up_their_attempts)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"),
                                                 HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: /x}\n"
                   "  retry: {attempts: 8, backoff: 1ms, max_backoff: 1ms}\n");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    iv_ns begun = s.now;
    while (stage_step(&s, 0).attempt < 5) {
        s.now += IV_NS_PER_MS;
        stage_run(&s, false);
    }
    s.now += 2 * IV_NS_PER_MS;
    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    bool open = false;
    iv_responder_endpoints(s.responder, see, &open);
    cr_expect(open && step.state == IV_STEP_DUE && step.attempt == 5 && hook_count(hook) == 5);
    cr_expect(strstr(step.cause.p, "'hook' does not answer") != NULL, "%s", step.cause.p);
    cr_expect(step.due >= begun + 30 * S && step.due < begun + 31 * S);

    stage_run(&s, true);
    iv_responder_endpoints(s.responder, see, &open);
    cr_expect(open == false && stage_execution(&s).state == IV_RUN_DONE && hook_count(hook) == 7);
    cr_expect(s.now >= begun + 90 * S, "it waited twice as long after the probe failed");
}

/* Whose credentials cannot be read has not been asked, so it has not failed to answer. */
Test(breaker, hears_nothing_of_calls_that_were_never_made)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    char path[128];
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: /x}\n"
                   "  retry: {attempts: 8, backoff: 1ms, max_backoff: 1ms}\n");
    struct iv_str file = scratch_file(&s.dir, "token");
    memcpy(path, file.p, file.n + 1);
    s.endpoint.bearer_token_file = (struct iv_str){path, file.n};
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    while (stage_step(&s, 0).attempt < 5) {
        s.now += IV_NS_PER_MS;
        stage_run(&s, false);
    }
    bool open = true;
    iv_responder_endpoints(s.responder, see, &open);
    cr_expect(open == false && hook_count(hook) == 0);

    scratch_write(&s.dir, "token", IV_STR("t"));
    s.now += 2 * IV_NS_PER_MS;
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 1 && stage_execution(&s).state == IV_RUN_DONE, "at once: %s",
              stage_step(&s, 0).cause.p);
}

Test(breaker, that_is_closed_lets_all_go_on_that_waited_for_its_probe)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("503 No"), HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"), HOOK_STATUS("503 No"),
                                                 HOOK_STATUS("503 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {ramp: {start: 9}}\n",
                        "- name: one\n  http: {endpoint: hook, path: /x}\n"
                        "  retry: {attempts: 8, backoff: 1ms, max_backoff: 1ms}\n");
    for (unsigned number = 1; number <= 5; number++) {
        char token[16];
        (void)snprintf(token, sizeof token, "tok-%u", number);
        sample_number(&s.sample, number);
        sample_set(&s.sample, "token_id", iv_val_str(iv_str_of(token)));
        stage_find(&s);
    }
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    s.now += 2 * IV_NS_PER_MS;
    stage_run(&s, false);
    cr_assert(hook_count(hook) == 5);

    s.now += 30 * S;
    stage_run(&s, false);

    struct iv_store_totals totals;
    cr_assert(iv_ok(iv_reader_totals(s.reader, &totals, NULL)));
    cr_expect(hook_count(hook) == 10 && totals.executions[IV_RUN_DONE] == 5, "%zu", hook_count(hook));
}
