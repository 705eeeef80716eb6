/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/report.h"

#include "base/guard.h"
#include "evidence/ocsf.h"

/* Names and titles come from a playbook, which is at most 4 MiB; everything else in a report is bounded. */
#define ACTION_MAX_BYTES (32u << 20)

iv_rc iv_report(struct iv_store *store, const struct iv_execution *execution, const struct iv_step *step,
                iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, ACTION_MAX_BYTES);
    iv_ocsf_action(&json, execution, step, now);
    TRY(iv_buf_check(&json, "the report of an action", err));
    struct iv_action action = {
        .execution = execution->key,
        .step = step == NULL ? -1 : step->position,
        .state =
            iv_str_of(step == NULL ? iv_run_state_name(execution->state) : iv_step_state_name(step->state)),
        .time = now,
        .ocsf = iv_buf_slice(&json),
    };
    TRY(iv_store_log_action(store, &action, err));
    struct iv_posting posting = {
        .channel = IV_CHANNEL_ACTION, .key = execution->key, .value = iv_buf_slice(&json), .time = now};
    return iv_store_post(store, NULL, &posting, err);
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
