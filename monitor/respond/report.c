/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/report.h"

#include "base/fault.h"
#include "base/guard.h"
#include "evidence/ocsf.h"

/* Names and titles come from a playbook, which is at most 4 MiB; everything else in a report is bounded. */
#define ACTION_MAX_BYTES (32u << 20)

/* The log's row and the message are the same text. step -1: of the execution itself. */
static iv_rc log_and_post(struct iv_store *store, struct iv_str execution, int64_t step, const char *state,
                          const struct iv_buf *json, iv_ns now, struct iv_err *err)
{
    TRY(iv_buf_check(json, "the report of an action", err));
    struct iv_action action = {.execution = execution,
                               .step = step,
                               .state = iv_str_of(state),
                               .time = now,
                               .ocsf = iv_buf_slice(json)};
    TRY(iv_store_log_action(store, &action, err));
    struct iv_posting posting = {
        .channel = IV_CHANNEL_ACTION, .key = execution, .value = iv_buf_slice(json), .time = now};
    TRY(iv_store_post(store, NULL, &posting, err));
    iv_fault("respond.moved");
    return IV_OK;
}

iv_rc iv_report(struct iv_store *store, const struct iv_execution *execution, const struct iv_step *step,
                iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, ACTION_MAX_BYTES);
    iv_ocsf_action(&json, execution, step, now);
    return log_and_post(store, execution->key, step == NULL ? -1 : step->position,
                        step == NULL ? iv_run_state_name(execution->state) : iv_step_state_name(step->state),
                        &json, now, err);
}

iv_rc iv_report_joined(struct iv_store *store, const struct iv_execution *execution, struct iv_str finding,
                       iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, ACTION_MAX_BYTES);
    iv_ocsf_joined(&json, execution, finding, now);
    return log_and_post(store, execution->key, -1, IV_ACTION_JOINED, &json, now, err);
}

iv_rc iv_report_execution(struct iv_store *store, const struct iv_execution *execution, iv_ns now,
                          struct iv_err *err)
{
    TRY(iv_store_move_execution(store, execution, err));
    return iv_report(store, execution, NULL, now, err);
}

iv_rc iv_report_step(struct iv_store *store, const struct iv_execution *execution, const struct iv_step *step,
                     iv_ns now, struct iv_err *err)
{
    TRY(iv_store_move_step(store, step, err));
    return iv_report(store, execution, step, now, err);
}
