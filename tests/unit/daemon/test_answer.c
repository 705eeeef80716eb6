/* SPDX-License-Identifier: Apache-2.0 */
/* What is done about a finding of another process. */
#include "base/guard.h"
#include "daemon/answer.h"
#include "support/alert_stage.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define STEPS "- name: one\n  http: {endpoint: hook, path: /x}\n"
#define SINK "sinks: {a: {webhook: {url: \"http://127.0.0.1:1/\"}}}\n"

struct answering {
    struct stage stage;
    struct alert_stage alerts;
    struct iv_metrics *metrics;
    struct iv_answerer answerer;
    struct iv_buf text;
    struct iv_told_finding told;
};

static void answering_init(struct answering *a)
{
    struct iv_err err = {0};
    stage_init(&a->stage, STEPS);
    alert_stage_open(&a->alerts, SINK, scratch_file(&a->stage.dir, "s.db"));
    cr_assert(iv_ok(iv_metrics_new(&a->metrics, &err)));
    iv_buf_init(&a->text, 1 << 20);
    a->answerer = (struct iv_answerer){.store = a->alerts.store,
                                       .baseline = &a->stage.sample.baseline,
                                       .playbooks = a->stage.playbooks,
                                       .alerter = a->alerts.alerter,
                                       .metrics = a->metrics};
}

static void answering_deinit(struct answering *a)
{
    iv_buf_deinit(&a->text);
    iv_metrics_free(a->metrics);
    alert_stage_deinit(&a->alerts);
    stage_deinit(&a->stage);
}

/* rule NULL: the sample's, which the baseline has. */
static void tell_of(struct answering *a, unsigned number, const char *rule, const char *playbook)
{
    struct sample *s = &a->stage.sample;
    struct iv_err err = {0};
    sample_number(s, number);
    iv_buf_clear(&a->text);
    a->told = (struct iv_told_finding){.verdict = s->verdict, .playbook = iv_str_of(playbook)};
    cr_assert(
        iv_ok(iv_finding_of_verdict(&a->told.row, &a->text, &s->baseline, &s->verdict, STAGE_NOW, &err)));
    a->told.row.told = true;
    a->told.row.rule = rule == NULL ? a->told.row.rule : iv_str_of(rule);
    a->told.baseline = IV_STR("0123456789abcdef");
    cr_assert(iv_ok(iv_store_begin(a->answerer.store, &err)));
    cr_assert(iv_ok(iv_answer_told(&a->answerer, &a->told, STAGE_NOW, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(a->answerer.store, &err)));
}

static void tell(struct answering *a, unsigned number, const char *rule)
{
    tell_of(a, number, rule, "revoke");
}

static void take_value(void *ctx, const struct iv_str *values, size_t count, double value)
{
    (void)values;
    (void)count;
    *(double *)ctx = value;
}

static double unanswered(struct answering *a)
{
    double value = 0;
    iv_metrics_each(a->metrics, IV_METRIC_UNANSWERED, take_value, &value);
    return value;
}

Test(answer, is_planned_and_alerted_of_once_however_often_it_is_told)
{
    struct answering a;
    answering_init(&a);

    tell(&a, 1, NULL);
    tell(&a, 1, NULL);

    cr_expect(eq(sz, stage_executions(&a.stage), 1));
    cr_expect(stage_execution(&a.stage).state == IV_RUN_PLANNED);
    cr_expect_str_eq(alert_stage_queue(&a.alerts, "a"), "firing 1 ");
    cr_expect(eq(dbl, unanswered(&a), 0));
    answering_deinit(&a);
}

Test(answer, a_finding_of_a_rule_that_is_not_known_is_no_silence)
{
    struct answering a;
    answering_init(&a);

    tell(&a, 1, "NEW-001");
    tell(&a, 2, "NEW-001");

    cr_expect(eq(dbl, unanswered(&a), 2));
    cr_expect(eq(sz, a.answerer.stranger_count, 1), "the log is told once");
    cr_expect(eq(sz, stage_executions(&a.stage), 1), "one for all that fail alike");
    struct iv_execution e = stage_execution(&a.stage);
    cr_expect(e.state == IV_RUN_FAILED);
    cr_expect_str_eq(e.cause.p,
                     "the rule 'NEW-001' of baseline 0123456789ab is not in this responder's baseline "
                     "dddddddddddd, which cannot answer its findings");
    cr_expect_str_eq(alert_stage_queue(&a.alerts, "a"), "firing 1 firing 1 ", "the finding, and the rule");
    answering_deinit(&a);
}

Test(answer, where_no_playbook_is_named_none_has_failed)
{
    struct answering a;
    answering_init(&a);

    tell_of(&a, 1, "NEW-001", "");

    cr_expect(eq(dbl, unanswered(&a), 1));
    cr_expect(eq(sz, stage_executions(&a.stage), 0));
    answering_deinit(&a);
}

/* A process without sinks has refused a baseline. */
Test(answer, what_another_monitor_says_of_itself_is_told_where_it_cannot_tell_it)
{
    struct answering a;
    answering_init(&a);
    struct iv_err err = {0};
    struct iv_told_finding told = {.row = {.uid = IV_STR("f1"),
                                           .kind = IV_VIOLATED,
                                           .rule = IV_STR("invigil.baseline-refused"),
                                           .trigger_id = IV_STR("00000000000000aa")},
                                   .detail = IV_STR("no such field")};
    struct iv_told_finding sink = told;
    sink.row.uid = IV_STR("f2");
    sink.row.rule = IV_STR("invigil.sink-unreachable");

    cr_assert(iv_ok(iv_store_begin(a.answerer.store, &err)));
    for (int twice = 0; twice < 2; twice++) {
        cr_assert(iv_ok(iv_answer_told(&a.answerer, &told, STAGE_NOW, &err)), "%s", err.text);
        cr_assert(iv_ok(iv_answer_told(&a.answerer, &sink, STAGE_NOW, &err)), "%s", err.text);
    }
    told.row.kind = IV_UPDATED;
    cr_assert(iv_ok(iv_answer_told(&a.answerer, &told, STAGE_NOW, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(a.answerer.store, &err)));

    cr_expect_str_eq(alert_stage_queue(&a.alerts, "a"), "firing 1 resolved 1 ");
    answering_deinit(&a);
}
