/* SPDX-License-Identifier: Apache-2.0 */
/* Writes every sort of finding and action that the monitor emits, one a line, for the validator. */
#include "base/guard.h"
#include "evidence/ocsf.h"
#include "support/sample.h"

#include <stdio.h>

static void print(const struct iv_buf *json)
{
    IV_CHECK(!iv_buf_failed(json));
    (void)printf("%.*s\n", (int)json->n, json->p);
}

static void finding(const struct sample *s)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, 1 << 20);
    iv_ocsf_finding(&json, &s->baseline, &s->verdict);
    print(&json);
}

static void findings(struct sample *s)
{
    for (int kind = IV_VIOLATED; kind <= IV_OPEN; kind++) {
        for (int severity = IV_SEV_INFO; severity <= IV_SEV_CRITICAL; severity++) {
            s->verdict.kind = (enum iv_verdict_kind)kind;
            s->verdict.detail = kind == IV_VIOLATED ? (struct iv_str){NULL, 0} : IV_STR("why it is so");
            s->rule.severity = (enum iv_severity)severity;
            s->rule.mode = severity % 2 == 0 ? IV_MODE_ENFORCE : IV_MODE_OBSERVE;
            s->rule.form = kind == IV_OPEN ? IV_REQUIRE : IV_FORBID;
            s->verdict.waiver = severity == IV_SEV_LOW ? &s->waiver : NULL;
            finding(s);
        }
    }
}

/* With nothing that may be absent, and with text that JSON must escape. */
static void bare_findings(struct sample *s)
{
    s->verdict.kind = IV_VIOLATED;
    s->verdict.witness_count = 0;
    s->verdict.trigger.digest.n = 0;
    s->verdict.trigger.time = -1;
    s->rule.description = (struct iv_str){NULL, 0};
    s->rule.remediate = (struct iv_str){NULL, 0};
    s->rule.pack = (struct iv_str){NULL, 0};
    sample_set(s, "agent", (struct iv_val){0});
    sample_set(s, "tenant", (struct iv_val){0});
    finding(s);
    sample_set(s, "agent", iv_val_str(IV_STR("a\"\\\n\x01\xc3\xa9")));
    s->rule.title = IV_STR("\"quoted\"\tand tabbed");
    finding(s);
}

static void actions(void)
{
    struct iv_execution e = {
        .key = IV_STR("e0"),
        .finding = IV_STR("f0"),
        .playbook = IV_STR("revoke"),
        .title = IV_STR("Revoke"),
        .target = IV_STR("t-1"),
        .rule = IV_STR("TOK-002"),
        .severity = IV_SEV_HIGH,
        .tenant = IV_STR("acme"),
        .agent = IV_STR("agent-7"),
        .baseline = IV_STR("d0"),
        .cause = IV_STR("why"),
        .planned = 1,
        .started = 2000000000,
        .finished = 3000000000,
    };
    struct iv_step step = {.execution = e.key,
                           .key = IV_STR("s0"),
                           .name = IV_STR("call"),
                           .kind = IV_STR("http"),
                           .cause = IV_STR("why"),
                           .status = 503,
                           .attempt = 2,
                           .attempts = 5,
                           .started = 2000000000};
    for (int tactic = IV_TACTIC_ISOLATE; tactic <= IV_TACTIC_DETECT; tactic++) {
        e.tactic = (enum iv_tactic)tactic;
        for (int state = 0; state < IV_RUN_STATES; state++) {
            IV_AUTO(iv_buf_deinit) struct iv_buf json;
            iv_buf_init(&json, 1 << 16);
            e.state = (enum iv_run_state)state;
            iv_ocsf_action(&json, &e, NULL, 4000000000);
            print(&json);
        }
        for (int state = 0; state < IV_STEP_STATES; state++) {
            IV_AUTO(iv_buf_deinit) struct iv_buf json;
            iv_buf_init(&json, 1 << 16);
            step.state = (enum iv_step_state)state;
            iv_ocsf_action(&json, &e, &step, 4000000000);
            print(&json);
        }
    }
}

int main(void)
{
    struct sample s;
    sample_init(&s);
    findings(&s);
    bare_findings(&s);
    actions();
    sample_deinit(&s);
    return 0;
}
