/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps actions from being called: the global stop, observe mode, the dry run. */
#include "base/guard.h"
#include "respond/halt.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEPS                                                                                                \
    "- name: one\n  http: {endpoint: hook, path: /x}\n"                                                      \
    "- name: two\n  kafka: {topic: t, key: k, value: {}}\n"

static const struct hook_answer fine[] = {HOOK_OK};

static void halt(struct stage *s, bool holds)
{
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_halt_put(s->store, holds, IV_STR("ann"), IV_STR("drill: stop"), s->now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

static void turn(struct stage *s)
{
    cr_assert(iv_ok(iv_responder_turn(s->responder, 10 * IV_NS_PER_MS, NULL)));
}

static bool paused(const struct stage *s)
{
    struct iv_responder_stats stats;
    iv_responder_stats(s->responder, &stats);
    return stats.paused;
}

Test(halt, holds_every_call_until_it_is_lifted_over_a_restart_too)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(fine, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    halt(&s, true);
    turn(&s);
    stage_respond(&s, hook_url(hook));
    turn(&s);
    cr_expect(hook_count(hook) == 0 && paused(&s));
    cr_expect(stage_execution(&s).state == IV_RUN_PLANNED && stage_step(&s, 0).state == IV_STEP_DUE);

    halt(&s, false);
    stage_run(&s, true);
    cr_expect(hook_count(hook) == 1 && !paused(&s));
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
}

Test(halt, tells_who_since_when_and_why)
{
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_halt told;
    iv_arena_init(&arena, 0);
    stage_init(&s, STEPS);
    halt(&s, true);
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));

    cr_assert(iv_ok(iv_halt_get(&told, s.store, &arena, NULL)));
    cr_expect(told.holds && told.since == s.now && iv_str_eq(told.by, IV_STR("ann")));
    cr_expect(iv_str_eq(told.reason, IV_STR("drill: stop")));

    struct iv_err err = {0};
    cr_expect(iv_halt_put(s.store, true, IV_STR("two\nlines"), IV_STR(""), 1, &err).code == IV_E_REFUSED);
    iv_store_rollback(s.store);
    halt(&s, false);
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_halt_get(&told, s.store, &arena, NULL)));
    cr_expect(not(told.holds));
    iv_store_rollback(s.store);
}

Test(halt, holds_while_the_file_exists)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(fine, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);
    char file[128];
    (void)snprintf(file, sizeof file, "%s/pause", s.dir.path);
    s.pause_file = iv_str_of(file);
    scratch_write(&s.dir, "pause", IV_STR(""));
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    turn(&s);
    cr_expect(hook_count(hook) == 0 && paused(&s));

    cr_assert(remove(file) == 0);
    stage_run(&s, true);
    cr_expect(hook_count(hook) == 1);
}

static void check_withheld(struct stage *s, struct hook_server *hook)
{
    struct iv_store_totals totals;
    cr_assert(iv_ok(iv_reader_totals(s->reader, &totals, NULL)));
    struct iv_execution e = stage_execution(s);
    cr_expect(e.state == IV_RUN_WITHHELD && strstr(e.cause.p, "nothing was called") != NULL, "%s", e.cause.p);
    for (int64_t i = 0; i < 2; i++) {
        struct iv_step step = stage_step(s, i);
        cr_expect(step.state == IV_STEP_WITHHELD && step.attempt == 0 && step.request.n > 2);
    }
    cr_expect(hook_count(hook) == 0, "nothing is called");
    cr_expect(totals.outbox == 6, "and nothing sent but a report of each state");
}

Test(observe, a_playbook_goes_as_far_as_each_call_and_calls_nothing)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(fine, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "mode: observe\n", STEPS);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    cr_expect(stage_execution(&s).observed);
    check_withheld(&s, hook);
}

Test(observe, a_dry_run_calls_nothing_whatever_was_planned_before_it)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(fine, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);
    stage_find(&s);
    s.dry_run = true;
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    check_withheld(&s, hook);
}

Test(observe, what_would_fail_before_the_call_fails_all_the_same)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "mode: observe\n", STEPS);
    stage_find(&s);
    stage_respond(&s, NULL);

    stage_run(&s, true);

    cr_expect(stage_step(&s, 0).state == IV_STEP_UNSUPPORTED && stage_execution(&s).state == IV_RUN_FAILED);
}

/* What a call would meet on its way, the rehearsal meets: rows of what is wrong with the endpoint. */
Test(observe, makes_the_whole_request_and_says_what_it_would_have_been)
{
    static const struct {
        const char *steps;
        const char *token;  /* a file; "": it needs none */
        const char *client; /* its secret, which JSON cannot carry; "": none */
        const char *ca;     /* a file */
        const char *want;   /* of the first step's cause */
    } rows[] = {
        {STEPS, "", "", "", "it would have been called: POST http"},
        {STEPS, "/nonexistent/token", "", "", "the bearer token of endpoint 'hook' cannot be read"},
        {STEPS, "", "s3cret", "", "wants its client's secret in a form, and this action sends none"},
        {STEPS, "", "", "/nonexistent/ca.pem", "/nonexistent/ca.pem"},
        {"- name: one\n  ssf.push: {endpoint: hook, subject: {format: opaque, id: x}}\n", "", "", "",
         "endpoint 'hook'"},
        {"- name: one\n  cgroup.kill: {group: g}\n", "", "", "",
         "the configuration has no 'local', and nothing may be done on this machine"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(fine, 1);
        IV_AUTO(stage_deinit) struct stage s;
        stage_init_playbook(&s, "mode: observe\n", rows[i].steps);
        s.endpoint.bearer_token_file =
            rows[i].token[0] == '\0' ? s.endpoint.bearer_token_file : iv_str_of(rows[i].token);
        s.endpoint.ca_file = iv_str_of(rows[i].ca);
        if (rows[i].client[0] != '\0') {
            s.endpoint.client_id = IV_STR("me");
            s.endpoint.client_secret = iv_str_of(rows[i].client);
            s.endpoint.client_auth = IV_CLIENT_POST;
        }
        stage_find(&s);
        stage_respond(&s, hook_url(hook));
        stage_run(&s, true);

        struct iv_step step = stage_step(&s, 0);
        cr_expect(strstr(step.cause.p, rows[i].want) != NULL, "row %zu: %s", i, step.cause.p);
        cr_expect(strstr(step.cause.p, "s3cret") == NULL);
        cr_expect(i == 0 ? step.state == IV_STEP_WITHHELD
                         : step.state == IV_STEP_FAILED || step.state == IV_STEP_UNSUPPORTED,
                  "row %zu", i);
        cr_expect(hook_count(hook) == 0, "row %zu", i);
    }
}

static bool is_stale(void *ctx, const char **why)
{
    (void)ctx;
    *why = "the broker does not answer";
    return false;
}

Test(observe, says_what_it_would_have_waited_for)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(fine, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "mode: observe\n", STEPS);
    s.sample.rule.form = IV_REQUIRE;
    s.fresh = is_stale;
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, true);

    cr_expect_str_eq(stage_execution(&s).cause.p, "nothing was called: its calls are only observed");
    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_WITHHELD);
    cr_expect(strstr(step.cause.p,
                     "it would have waited: it rests on what was not seen, and waits: the broker "
                     "does not answer; then: POST ") != NULL,
              "%s", step.cause.p);
}

Test(observe, says_that_its_endpoint_would_have_been_left_alone)
{
    IV_AUTO(hook_stopp)
    struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_STATUS("503 No")}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    while (hook_count(hook) < 5) {
        stage_run(&s, true);
    }
    iv_playbooks_observe(s.playbooks);
    sample_number(&s.sample, 2);
    stage_find(&s);
    stage_run(&s, false);

    cr_expect(stage_execution(&s).observed && stage_execution(&s).state == IV_RUN_WITHHELD);
    cr_expect(strstr(stage_step(&s, 0).cause.p,
                     "it would have waited: the endpoint 'hook' does not answer") != NULL,
              "%s", stage_step(&s, 0).cause.p);
    cr_expect(hook_count(hook) == 5);
}

Test(observe, takes_no_place_of_what_is_in_force)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {day: 1}}\n", STEPS);
    iv_playbooks_observe(s.playbooks);
    stage_find(&s);
    cr_expect(stage_execution(&s).observed && stage_execution(&s).state == IV_RUN_PLANNED);
    sample_number(&s.sample, 2);
    stage_find(&s);
    cr_expect(stage_executions(&s) == 1, "of its own kind it is joined");

    iv_playbooks_unref(TAKE(s.playbooks));
    stage_load(&s, "guards: {executions: {day: 1}}\n", STEPS);
    sample_number(&s.sample, 3);
    stage_find(&s);

    cr_expect(stage_executions(&s) == 2 && !stage_execution(&s).observed);
    cr_expect(stage_execution(&s).state == IV_RUN_PLANNED, "the one of the day is not used up");
}
