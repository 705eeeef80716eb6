/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/ocsf_internal.h"

#include <stdio.h>

static const struct iv_ocsf_class remediation_activity = {7, "Remediation", 7001, "Remediation Activity"};

static const char *const tactic_captions[] = {
    [IV_TACTIC_ISOLATE] = "Isolate", [IV_TACTIC_EVICT] = "Evict",   [IV_TACTIC_RESTORE] = "Restore",
    [IV_TACTIC_HARDEN] = "Harden",   [IV_TACTIC_DETECT] = "Detect",
};

struct outcome {
    int status_id;
    const char *status;
};

/* Nobody can say whether it had its effect. */
static const struct outcome unknown = {0, "Unknown"};

/* OCSF knows outcomes only; a state on the way is 99, Other, under our name for it. */
static struct outcome outcome_of_run(const struct iv_execution *e)
{
    switch (e->state) {
    case IV_RUN_DONE:
    case IV_RUN_VERIFIED:
        return iv_execution_in_vain(e)    ? (struct outcome){3, "Does Not Exist"}
               : iv_execution_in_spite(e) ? (struct outcome){4, "Partial"}
                                          : (struct outcome){1, "Success"};
    case IV_RUN_FAILED:
        return (struct outcome){2, "Failure"};
    case IV_RUN_AMBIGUOUS:
        return unknown;
    default:
        return (struct outcome){99, iv_run_state_name(e->state)};
    }
}

static struct outcome outcome_of_step(enum iv_step_state state)
{
    switch (state) {
    case IV_STEP_DONE:
    case IV_STEP_VERIFIED:
        return (struct outcome){1, "Success"};
    case IV_STEP_FAILED:
        return (struct outcome){2, "Failure"};
    case IV_STEP_AMBIGUOUS:
        return unknown;
    case IV_STEP_ABSENT:
        return (struct outcome){3, "Does Not Exist"};
    case IV_STEP_UNSUPPORTED:
        return (struct outcome){5, "Unsupported"};
    default:
        return (struct outcome){99, iv_step_state_name(state)};
    }
}

static void status(struct iv_json *j, const struct iv_execution *e, const struct iv_step *s)
{
    struct outcome outcome = s == NULL ? outcome_of_run(e) : outcome_of_step(s->state);
    struct iv_str cause = s == NULL ? e->cause : s->cause;
    iv_json_int(j, "status_id", outcome.status_id);
    iv_json_text(j, "status", outcome.status);
    if (s != NULL && s->status != 0) {
        char code[32];
        (void)snprintf(code, sizeof code, "%lld", (long long)s->status);
        iv_json_text(j, "status_code", code);
    }
    if (cause.n > 0) {
        iv_json_str(j, "status_detail", cause);
    }
}

static void countermeasures(struct iv_json *j, enum iv_tactic tactic)
{
    iv_json_open_list(j, "countermeasures");
    iv_json_open_object(j, NULL);
    iv_json_open_object(j, "d3f_tactic");
    iv_json_text(j, "name", tactic_captions[tactic]);
    iv_json_close_object(j);
    iv_json_close_object(j);
    iv_json_close_list(j);
}

static void metadata(struct iv_json *j, const struct iv_execution *e)
{
    iv_json_open_object(j, "metadata");
    iv_ocsf_product(j);
    iv_json_str(j, "correlation_uid", e->key);
    if (e->tenant.n > 0) {
        iv_json_str(j, "tenant_uid", e->tenant);
    }
    iv_json_open_list(j, "tags");
    iv_ocsf_tag(j, "baseline.digest", e->baseline);
    iv_json_close_list(j);
    iv_json_close_object(j);
}

/* What guards count, so that another responder counts it as well (daemon/succession.h). */
static void counted(struct iv_json *j, const struct iv_execution *e)
{
    static const char *const names[] = {"agent", "tenant", "enclave"};
    const struct iv_str touched[] = {e->touched.agent, e->touched.tenant, e->touched.enclave};
    if (e->admitted != 0) {
        iv_json_int(j, "admitted", iv_ocsf_ms(e->admitted));
    }
    iv_json_open_object(j, "touches");
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if (touched[i].n > 0) {
            iv_json_str(j, names[i], touched[i]);
        }
    }
    iv_json_close_object(j);
}

/* joined: the finding, where it is another than the execution was planned for; p NULL: no finding joins. */
static void unmapped(struct iv_json *j, const struct iv_execution *e, const struct iv_step *s,
                     struct iv_str joined)
{
    iv_json_open_object(j, "unmapped");
    iv_json_text(j, "state", s == NULL ? iv_run_state_name(e->state) : iv_step_state_name(s->state));
    iv_json_str(j, "execution", e->key);
    iv_json_str(j, "finding", joined.p == NULL ? e->finding : joined);
    if (joined.p != NULL) {
        iv_json_bool(j, "joined", true);
    }
    iv_json_str(j, "rule", e->rule);
    iv_json_str(j, "playbook", e->playbook);
    iv_json_text(j, "mode", e->observed ? "observe" : "enforce");
    iv_json_str(j, "target", e->target);
    if (e->agent.n > 0) {
        iv_json_str(j, "agent", e->agent);
    }
    counted(j, e);
    if (s != NULL) {
        iv_json_str(j, "step", s->name);
        iv_json_int(j, "position", s->position);
        iv_json_str(j, "kind", s->kind);
        iv_json_int(j, "attempt", s->attempt);
        iv_json_int(j, "attempts", s->attempts);
        if (s->evidence.n > 0) {
            iv_json_raw(j, "evidence", s->evidence);
        }
    }
    iv_json_close_object(j);
}

static void write(struct iv_buf *out, const struct iv_execution *e, const struct iv_step *step,
                  struct iv_str joined, iv_ns now)
{
    iv_ns started = step == NULL ? e->started : step->started;
    iv_ns finished = step == NULL ? e->finished : step->finished;

    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_ocsf_classification(j, &remediation_activity, (int)e->tactic, tactic_captions[e->tactic], e->severity);
    iv_json_int(j, "time", iv_ocsf_ms(now));
    if (started != 0) {
        iv_json_int(j, "start_time", iv_ocsf_ms(started));
    }
    if (finished != 0) {
        iv_json_int(j, "end_time", iv_ocsf_ms(finished));
    }
    iv_json_str(j, "command_uid", step == NULL ? e->key : step->key);
    status(j, e, step);
    countermeasures(j, e->tactic);
    iv_json_open_object(j, "remediation");
    iv_json_str(j, "desc", e->title.n > 0 ? e->title : e->playbook);
    iv_json_close_object(j);
    metadata(j, e);
    unmapped(j, e, step, joined);
    iv_json_close_object(j);
}

void iv_ocsf_action(struct iv_buf *out, const struct iv_execution *execution, const struct iv_step *step,
                    iv_ns now)
{
    write(out, execution, step, (struct iv_str){NULL, 0}, now);
}

void iv_ocsf_joined(struct iv_buf *out, const struct iv_execution *execution, struct iv_str finding,
                    iv_ns now)
{
    write(out, execution, NULL, finding, now);
}
