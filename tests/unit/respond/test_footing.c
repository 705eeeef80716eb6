/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is done for a finding that does not stand any more. */
#include "base/guard.h"
#include "evidence/triage.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define HTTP(name, more) "- name: " name "\n  http: {endpoint: hook, path: /" name "}\n" more
#define UNDO "  undo: {after: 1h, http: {endpoint: hook, path: /undo}}\n"
#define CONTRADICTED "later evidence contradicts the finding"

static void contradict(struct stage *s)
{
    s->sample.verdict.kind = IV_CONTRADICTED;
    stage_find(s);
    s->sample.verdict.kind = IV_VIOLATED;
}

static void triage(struct stage *s, enum iv_triage_verb verb)
{
    struct iv_triage said = {.finding = stage_execution(s).finding,
                             .verb = verb,
                             .who = IV_STR("ann"),
                             .at = s->now,
                             .assignee = IV_STR(""),
                             .text = IV_STR(""),
                             .reason = IV_STR("benign"),
                             .until = s->now + 3600 * IV_NS_PER_S};
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_triage(s->store, &said, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

static void close_it(struct stage *s)
{
    triage(s, IV_TRIAGE_CLOSE);
}

static void suppress(struct stage *s)
{
    triage(s, IV_TRIAGE_SUPPRESS);
}

static void reopen(struct stage *s)
{
    suppress(s);
    triage(s, IV_TRIAGE_REOPEN);
}

static void observe(struct stage *s)
{
    s->sample.rule.mode = IV_MODE_OBSERVE;
}

static void take_out(struct stage *s)
{
    s->sample.baseline.rule_count = 0;
}

static struct iv_waiver waiver;

static void waive(struct stage *s)
{
    waiver =
        (struct iv_waiver){.rule = s->sample.rule.id, .match = {.tenant = IV_STR("ac*")}, .until = IV_NS_MAX};
    s->sample.baseline.waivers = &waiver;
    s->sample.baseline.waiver_count = 1;
}

static void waive_another(struct stage *s)
{
    waive(s);
    waiver.match.agent = IV_STR("somebody-else");
}

static void waive_until_then(struct stage *s)
{
    waive(s);
    waiver.until = SAMPLE_TIME;
}

static const struct {
    void (*befall)(struct stage *s);
    const char *why; /* "": it stands */
} fates[] = {
    {contradict, CONTRADICTED},
    {close_it, "somebody closed the finding"},
    {suppress, "somebody suppressed the finding"},
    {reopen, ""},
    {observe, "its rule is observed by now"},
    {take_out, "its rule is not in force any more"},
    {waive, "a waiver of the baseline holds for the finding"},
    {waive_another, ""},
    {waive_until_then, ""},
};

Test(footing, is_looked_at_before_the_first_call)
{
    for (size_t i = 0; i < IV_COUNT(fates); i++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
        IV_AUTO(stage_deinit) struct stage s;
        bool stands = fates[i].why[0] == '\0';
        stage_init(&s, HTTP("a", UNDO) HTTP("b", ""));
        s.governs = &s.sample.baseline;
        stage_find(&s);
        fates[i].befall(&s);
        stage_respond(&s, hook_url(hook));

        stage_run(&s, false);

        struct iv_execution e = stage_execution(&s);
        cr_expect(hook_count(hook) == (stands ? 2 : 0), "row %zu", i);
        cr_expect(e.state == (stands ? IV_RUN_DONE : IV_RUN_REFUSED), "row %zu", i);
        cr_expect_str_eq(e.cause.p, stands ? "every call was accepted" : fates[i].why, "row %zu", i);
        if (!stands) {
            cr_expect(stage_step(&s, 0).state == IV_STEP_SKIPPED &&
                      stage_step(&s, 2).state == IV_STEP_SKIPPED);
            cr_expect_str_eq(stage_step(&s, 1).cause.p, fates[i].why, "row %zu", i);
        }
    }
}

Test(footing, of_one_finding_among_those_that_it_answers_is_enough)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, HTTP("a", ""));
    s.governs = &s.sample.baseline;
    stage_find(&s);
    contradict(&s);
    sample_number(&s.sample, 2);
    stage_find(&s);
    cr_assert(stage_executions(&s) == 1 && stage_execution(&s).findings == 2);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, false);

    cr_expect(hook_count(hook) == 1 && stage_execution(&s).state == IV_RUN_DONE);
}

static bool by_word(void *ctx, const char **why)
{
    *why = "the broker does not answer";
    return *(bool *)ctx;
}

/* The partner that was missed comes late, after an outage. */
Test(footing, is_looked_at_again_when_the_streams_are_fresh)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    bool fresh = false;
    stage_init(&s, HTTP("a", ""));
    s.sample.rule.form = IV_REQUIRE;
    s.fresh = by_word;
    s.fresh_ctx = &fresh;
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    cr_assert(stage_execution(&s).state == IV_RUN_PLANNED);
    contradict(&s);
    fresh = true;
    s.now += 2 * IV_NS_PER_S;

    stage_run(&s, false);

    cr_expect(hook_count(hook) == 0 && stage_execution(&s).state == IV_RUN_REFUSED);
    cr_expect_str_eq(stage_execution(&s).cause.p, CONTRADICTED);
}

/* The second step was tried once when the finding falls. */
Test(footing, ends_what_has_begun_and_leaves_its_undoing)
{
    static const struct hook_answer answers[] = {HOOK_OK, HOOK_STATUS("503 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 3);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, HTTP("a", UNDO) HTTP("b", "") HTTP("c", ""));
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    cr_assert(hook_count(hook) == 2 && stage_execution(&s).state == IV_RUN_RUNNING);
    contradict(&s);
    s.now += 60 * IV_NS_PER_S;

    stage_run(&s, false);

    cr_expect(hook_count(hook) == 2 && stage_execution(&s).state == IV_RUN_DONE);
    cr_expect_str_eq(stage_execution(&s).cause.p, "what was to follow is not called: " CONTRADICTED);
    cr_expect(strstr(stage_step(&s, 1).cause.p, CONTRADICTED "; before that: ") != NULL, "%s",
              stage_step(&s, 1).cause.p);
    cr_expect(stage_step(&s, 2).state == IV_STEP_SKIPPED && stage_step(&s, 3).state == IV_STEP_DUE);
    s.now += 3600 * IV_NS_PER_S;
    stage_run(&s, false);
    cr_expect(hook_count(hook) == 3 && stage_execution(&s).state == IV_RUN_UNDONE);
}

/* What it did, if anything, is taken back: after one attempt without an answer, and after a stop in the
 * middle of one. */
Test(footing, takes_back_what_was_tried_and_may_have_had_its_effect)
{
    static const struct {
        struct hook_answer answers[2];
        const char *before;
    } rows[] = {
        {{HOOK_STATUS("503 No"), HOOK_OK}, "503"},
        {{{HOOK_HANG, NULL}, HOOK_OK}, "its outcome is not known"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(rows[i].answers, 2);
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, HTTP("a", UNDO) HTTP("b", UNDO));
        s.governs = &s.sample.baseline;
        stage_find(&s);
        stage_respond(&s, hook_url(hook));
        while (hook_count(hook) == 0 || (i == 0 && stage_step(&s, 0).state != IV_STEP_DUE)) {
            cr_assert(iv_ok(iv_responder_turn(s.responder, 10 * IV_NS_PER_MS, NULL)));
        }
        stage_respond(&s, hook_url(hook)); /* after a restart it is the same */
        contradict(&s);
        s.now += 60 * IV_NS_PER_S;

        stage_run(&s, false);

        struct iv_step tried = stage_step(&s, 0);
        cr_expect(hook_count(hook) == 1 && tried.state == IV_STEP_AMBIGUOUS, "row %zu", i);
        cr_expect(strstr(tried.cause.p, CONTRADICTED "; before that: ") != NULL &&
                      strstr(tried.cause.p, rows[i].before) != NULL,
                  "row %zu: %s", i, tried.cause.p);
        cr_expect(stage_step(&s, 1).state == IV_STEP_SKIPPED && stage_step(&s, 3).state == IV_STEP_SKIPPED);
        cr_expect(stage_execution(&s).state == IV_RUN_AMBIGUOUS, "row %zu", i);
        cr_expect(stage_step(&s, 2).state == IV_STEP_DUE &&
                      stage_step(&s, 2).due == s.now + 3600 * IV_NS_PER_S,
                  "row %zu", i);
        stage_run(&s, true);
        cr_expect(hook_count(hook) == 2 && strstr(hook_request(hook, 1), "/undo") != NULL, "row %zu", i);
        cr_expect(stage_step(&s, 0).state == IV_STEP_UNDONE && stage_step(&s, 2).state == IV_STEP_DONE);
        cr_expect(stage_executions(&s) == 1, "row %zu: nothing takes over from it", i);
    }
}

/* The only call is tried again and again. */
Test(footing, ends_the_attempts_at_what_was_never_answered)
{
    IV_AUTO(hook_stopp)
    struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_STATUS("503 No")}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, HTTP("a", ""));
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    contradict(&s);

    stage_run(&s, true);

    cr_expect(hook_count(hook) == 1 && stage_execution(&s).state == IV_RUN_REFUSED);
    cr_expect(strncmp(stage_execution(&s).cause.p, CONTRADICTED "; before that: ", 53) == 0, "%s",
              stage_execution(&s).cause.p);
}

Test(footing, is_looked_at_when_the_turn_of_a_ramp_has_come)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, HTTP("a", ""));
    stage_find(&s);
    sample_number(&s.sample, 2);
    sample_set(&s.sample, "token_id", iv_val_str(IV_STR("t-2")));
    stage_find(&s);
    cr_assert(stage_step(&s, 0).state == IV_STEP_QUEUED);
    contradict(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, false);
    stage_run(&s, false);

    cr_expect(hook_count(hook) == 1 && stage_execution(&s).state == IV_RUN_REFUSED);
    cr_expect_str_eq(stage_execution(&s).cause.p, CONTRADICTED);
}

/* A finding that another process made under an observed rule. */
Test(planning, honours_the_mode_that_the_finding_was_made_in)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, HTTP("a", ""));
    s.sample.rule.mode = IV_MODE_OBSERVE;
    struct iv_buf scratch;
    struct iv_finding row;
    iv_buf_init(&scratch, 1 << 16);
    cr_assert(
        iv_ok(iv_finding_of_verdict(&row, &scratch, &s.sample.baseline, &s.sample.verdict, s.now, NULL)));
    s.sample.rule.mode = IV_MODE_ENFORCE; /* by now, and here */
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(
        iv_respond_plan(s.playbooks, s.store, &row, &s.sample.verdict, &s.sample.baseline, s.now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));

    cr_expect(stage_executions(&s) == 0);
    iv_buf_deinit(&scratch);
}
