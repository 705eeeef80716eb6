/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of remediation: once, by whichever process looks next. */
#include "base/guard.h"
#include "evidence/store.h"
#include "support/alert_stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define HOUR (3600 * IV_NS_PER_S)
#define ONE "sinks: {a: {webhook: {url: \"https://one.example.org/\"}}}\n"

static void log_state(struct alert_stage *s, struct iv_str execution, int64_t step, const char *state)
{
    const struct iv_action action = {.execution = execution,
                                     .step = step,
                                     .state = iv_str_of(state),
                                     .time = s->now,
                                     .ocsf = IV_STR("{}")};
    cr_assert(iv_ok(iv_store_log_action(s->store, &action, NULL)));
}

/* An execution of this key that is in this state, with one step, and both in the log. */
static void carry_out_so(struct alert_stage *s, const char *key, enum iv_run_state state, struct iv_step step,
                         const char *cause)
{
    const struct iv_execution e = {.key = iv_str_of(key),
                                   .finding = iv_str_of(key),
                                   .playbook = IV_STR("revoke"),
                                   .target = IV_STR("t-1"),
                                   .tactic = IV_TACTIC_EVICT,
                                   .severity = IV_SEV_HIGH,
                                   .state = state,
                                   .cause = iv_str_of(cause),
                                   .expires = s->now + HOUR};
    bool fresh = false;
    step.execution = e.key;
    step.key = e.key;
    step.name = IV_STR("one");
    step.kind = IV_STR("http");
    step.request = IV_STR("{}");
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_plan(s->store, &fresh, &e, &step, 1, NULL)));
    log_state(s, e.key, 0, iv_step_state_name(step.state));
    log_state(s, e.key, -1, iv_run_state_name(state));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

static void carry_out(struct alert_stage *s, const char *key, enum iv_run_state state, struct iv_step step)
{
    carry_out_so(s, key, state, step, "the hook said no");
}

static void move(struct alert_stage *s, const char *key, enum iv_run_state state)
{
    const struct iv_execution e = {.key = iv_str_of(key), .state = state, .finished = s->now};
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_move_execution(s->store, &e, NULL)));
    log_state(s, e.key, -1, iv_run_state_name(state));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

static void look_again(struct alert_stage *s)
{
    bool any = false;
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_alerter_remediation(s->alerter, s->store, &any, s->now, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

/* Another process, each time, which looks twice. */
static void look(struct alert_stage *s)
{
    iv_alerter_free(TAKE(s->alerter));
    cr_assert(iv_ok(iv_alerter_new(&s->alerter, s->alerting, NULL)));
    look_again(s);
    look_again(s);
}

static bool keep_detail(void *ctx, const struct iv_alert *alert)
{
    (void)snprintf(ctx, 256, IV_STR_FMT, IV_STR_ARG(alert->detail));
    return true;
}

static const char *detail(struct alert_stage *s)
{
    static char text[256];
    text[0] = '\0';
    cr_assert(
        iv_ok(iv_reader_alerts(s->reader, &(struct iv_alert_filter){.limit = 1}, keep_detail, text, NULL)));
    return text;
}

Test(remediation, in_vain_is_told_once_and_what_is_said_again_of_it_is_no_news)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    carry_out(&s, "e1", IV_RUN_FAILED, (struct iv_step){.state = IV_STEP_FAILED});

    look(&s);
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    cr_expect_str_eq(detail(&s), "revoke of t-1 is failed: the hook said no");
    move(&s, "e1", IV_RUN_FAILED);
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");

    carry_out(&s, "e2", IV_RUN_AMBIGUOUS, (struct iv_step){.state = IV_STEP_DONE});
    carry_out(&s, "e3", IV_RUN_DONE, (struct iv_step){.state = IV_STEP_DONE});
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 ");
    cr_expect_str_eq(detail(&s), "revoke of t-1 is ambiguous: the hook said no");
}

Test(remediation, that_found_nothing_to_act_on_is_in_vain)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    carry_out_so(&s, "e1", IV_RUN_DONE, (struct iv_step){.state = IV_STEP_ABSENT},
                 IV_CAUSE_NOTHING_THERE "step 'one': there is no such socket");

    look(&s);

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    cr_expect_str_eq(
        detail(&s),
        "revoke of t-1 is done: nothing was there to act on: step 'one': there is no such socket");
}

Test(remediation, that_goes_on_after_a_step_was_in_vain_tells_of_the_step)
{
    static const struct {
        struct iv_step step;
        const char *told;
    } rows[] = {
        {{.state = IV_STEP_FAILED, .done = 1, .on_failure = IV_ON_FAILURE_ESCALATE}, "firing 1 "},
        {{.state = IV_STEP_AMBIGUOUS, .done = 1, .on_failure = IV_ON_FAILURE_CONTINUE}, "firing 1 "},
        {{.state = IV_STEP_FAILED, .done = 1, .on_failure = IV_ON_FAILURE_STOP},
         ""}, /* the execution says it */
        {{.state = IV_STEP_FAILED, .done = 0, .on_failure = IV_ON_FAILURE_ESCALATE}, ""}, /* by its call */
        {{.state = IV_STEP_VERIFIED, .done = 1, .on_failure = IV_ON_FAILURE_ESCALATE}, ""},
        {{.state = IV_STEP_AMBIGUOUS,
          .done = 1,
          .on_failure = IV_ON_FAILURE_ESCALATE,
          .cause = IV_STR_INIT(IV_CAUSE_TAKEN_BACK "sec-1")},
         ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(alert_stage_deinit) struct alert_stage s;
        alert_stage_init(&s, ONE);
        carry_out(&s, "e1", IV_RUN_DONE, rows[i].step);

        look(&s);

        cr_expect_str_eq(alert_stage_queue(&s, "a"), rows[i].told, "row %zu", i);
        cr_expect(rows[i].told[0] == '\0' || strstr(detail(&s), "step 'one' of revoke of t-1 is ") != NULL,
                  "row %zu: %s", i, detail(&s));
    }
}

Test(remediation, of_long_before_anybody_was_to_be_told_is_no_news_and_what_came_while_nobody_looked_is)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    carry_out(&s, "e1", IV_RUN_FAILED, (struct iv_step){.state = IV_STEP_FAILED});
    s.now += HOUR;
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "");

    carry_out(&s, "e2", IV_RUN_FAILED, (struct iv_step){.state = IV_STEP_FAILED});
    look(&s);
    carry_out(&s, "e3", IV_RUN_FAILED, (struct iv_step){.state = IV_STEP_FAILED});
    s.now += HOUR / 2;
    look(&s);

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 ");
}

Test(remediation, that_waits_is_told_once_each_hour_and_that_none_does_by_whoever_looks_next)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    carry_out(&s, "e1", IV_RUN_WAITING, (struct iv_step){.state = IV_STEP_QUEUED});
    look(&s);
    carry_out(&s, "e2", IV_RUN_WAITING, (struct iv_step){.state = IV_STEP_QUEUED});
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    s.now += HOUR;
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 ");
    cr_expect_str_eq(detail(&s), "2 executions wait: invigil respond list; revoke (approval)");

    move(&s, "e1", IV_RUN_REFUSED);
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 ");
    move(&s, "e2", IV_RUN_REFUSED);
    look(&s);
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 resolved 2 ");
}

Test(remediation, that_waits_for_another_reason_is_told_at_once)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    const struct iv_step queued = {.state = IV_STEP_QUEUED};
    carry_out(&s, "e1", IV_RUN_WAITING, queued);
    look(&s);
    s.now += IV_NS_PER_S;

    carry_out_so(&s, "e2", IV_RUN_WAITING, queued, "guard agents.minute: at most 3 distinct agents");
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 ");
    cr_expect_str_eq(
        detail(&s),
        "2 executions wait: invigil respond list; revoke (approval), revoke (guard agents.minute)");

    carry_out_so(&s, "e3", IV_RUN_WAITING, queued, "guard agents.minute: at most 3 distinct agents");
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 ", "more of the same is no news");
}

Test(remediation, of_another_process_is_told_by_that_one)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    bool ours = false;
    const struct iv_execution waits = {.key = IV_STR("e1"),
                                       .finding = IV_STR("e1"),
                                       .playbook = IV_STR("revoke"),
                                       .tactic = IV_TACTIC_EVICT,
                                       .state = IV_RUN_WAITING};
    struct iv_execution failed = waits;
    failed.key = IV_STR("e2");
    failed.state = IV_RUN_FAILED;
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_store_tell_execution(s.store, &ours, &waits, true, NULL)));
    cr_assert(iv_ok(iv_store_tell_execution(s.store, &ours, &failed, true, NULL)));
    log_state(&s, failed.key, -1, "failed");
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));

    look(&s);

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "");
}

Test(remediation, that_waits_for_the_streams_for_long_is_told_and_that_nothing_does)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    bool fresh = false;
    const struct iv_execution e = {.key = IV_STR("e1"),
                                   .finding = IV_STR("f1"),
                                   .playbook = IV_STR("revoke"),
                                   .tactic = IV_TACTIC_EVICT,
                                   .state = IV_RUN_PLANNED,
                                   .admitted = s.now};
    struct iv_step step = {.execution = e.key,
                           .key = e.key,
                           .name = IV_STR("one"),
                           .kind = IV_STR("http"),
                           .request = IV_STR("{}"),
                           .state = IV_STEP_DUE,
                           .cause = IV_STR(IV_CAUSE_STALE "the clock was set")};
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_store_plan(s.store, &fresh, &e, &step, 1, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));

    s.now += HOUR / 6 - 1;
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "");
    s.now += 1;
    look(&s);
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    cr_expect_str_eq(
        detail(&s),
        "waiting steps that rest on what was not seen: 1, one of revoke; their causes say what is not fresh");

    step.state = IV_STEP_DONE;
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_store_move_step(s.store, &step, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    look(&s);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 1 ");
}
