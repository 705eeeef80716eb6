/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/told.h"

#include "base/guard.h"
#include "evidence/told_internal.h"

static iv_rc read_state(struct iv_told_action *out, const struct iv_val *action, struct iv_err *err)
{
    TRY(iv_told_text(&out->state, action, "unmapped.state", err));
    if (iv_told_at(action, "unmapped.step") != NULL) {
        out->execution.state = IV_RUN_RUNNING;
        return iv_told_int(&out->step, action, "unmapped.position", 0, INT32_MAX, err);
    }
    const struct iv_val *joined = iv_told_at(action, "unmapped.joined");
    out->joined = joined != NULL && joined->kind == IV_KIND_BOOL && joined->b;
    ENSURE(iv_run_state_of(&out->execution.state, out->state), err, IV_E_MALFORMED,
           "unmapped.state: is '" IV_STR_FMT "', which is no state of an execution", IV_STR_ARG(out->state));
    return IV_OK;
}

/* Absent before it happens. */
static iv_rc read_time(iv_ns *out, const struct iv_val *action, const char *path, struct iv_err *err)
{
    *out = 0;
    return iv_told_at(action, path) == NULL ? IV_OK : iv_told_ms(out, action, path, err);
}

struct iv_str iv_told_baseline(const struct iv_val *action)
{
    const struct iv_val *tags = iv_told_at(action, "metadata.tags");
    for (uint32_t i = 0; tags != NULL && tags->kind == IV_KIND_LIST && i < tags->n; i++) {
        if (iv_str_eq(iv_told_text_or_empty(&tags->items[i], "name"), IV_STR("baseline.digest"))) {
            return iv_told_text_or_empty(&tags->items[i], "value");
        }
    }
    return IV_STR("");
}

iv_rc iv_told_action_read(struct iv_told_action *out, struct iv_decoder *decoder, struct iv_arena *arena,
                          struct iv_str json, struct iv_err *err)
{
    struct iv_val action;
    int64_t severity = 0;
    int64_t tactic = 0;
    *out = (struct iv_told_action){.step = -1};
    struct iv_execution *e = &out->execution;
    TRY(iv_told_parse(&action, decoder, arena, json, err));
    TRY(read_state(out, &action, err));
    TRY(iv_told_uid(&e->key, &action, "unmapped.execution", err));
    TRY(iv_told_uid(&e->finding, &action, "unmapped.finding", err));
    TRY(iv_told_text(&e->rule, &action, "unmapped.rule", err));
    TRY(iv_told_text(&e->playbook, &action, "unmapped.playbook", err));
    TRY(iv_told_text(&e->target, &action, "unmapped.target", err));
    TRY(iv_told_text(&e->title, &action, "remediation.desc", err));
    TRY(iv_told_int(&severity, &action, "severity_id", IV_SEV_INFO + 1, IV_SEV_CRITICAL + 1, err));
    TRY(iv_told_int(&tactic, &action, "activity_id", IV_TACTIC_ISOLATE, IV_TACTIC_DETECT, err));
    TRY(iv_told_ms(&out->time, &action, "time", err));
    e->severity = (enum iv_severity)(severity - 1);
    e->tactic = (enum iv_tactic)tactic;
    e->observed = iv_str_eq(iv_told_text_or_empty(&action, "unmapped.mode"), IV_STR("observe"));
    e->agent = iv_told_text_or_empty(&action, "unmapped.agent");
    e->tenant = iv_told_text_or_empty(&action, "metadata.tenant_uid");
    e->cause = out->step >= 0 ? IV_STR("") : iv_told_text_or_empty(&action, "status_detail");
    e->baseline = iv_told_baseline(&action);
    e->planned = out->time;
    e->touched.agent = iv_told_text_or_empty(&action, "unmapped.touches.agent");
    e->touched.tenant = iv_told_text_or_empty(&action, "unmapped.touches.tenant");
    e->touched.enclave = iv_told_text_or_empty(&action, "unmapped.touches.enclave");
    TRY(read_time(&e->admitted, &action, "unmapped.admitted", err));
    if (out->step < 0) {
        TRY(read_time(&e->started, &action, "start_time", err));
        TRY(read_time(&e->finished, &action, "end_time", err));
    }
    return IV_OK;
}
