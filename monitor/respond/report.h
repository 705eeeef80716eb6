/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of state, written so that everybody learns of them.
 * Purpose: the row, the log of changes and the message for the actions topic, in the caller's transaction.
 * Owner/thread: whoever is inside the store's transaction. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "evidence/execution.h"
#include "evidence/store.h"

/* Logs and posts the state that the execution (step NULL) or the step is in. */
iv_rc iv_report(struct iv_store *store, const struct iv_execution *execution, const struct iv_step *step,
                iv_ns now, struct iv_err *err);
/* Tells the actions topic that the execution, as it stands, answers this finding too. No change of state:
 * the log has it as "joined". */
iv_rc iv_report_joined(struct iv_store *store, const struct iv_execution *execution, struct iv_str finding,
                       iv_ns now, struct iv_err *err);
/* Writes the row too. */
iv_rc iv_report_execution(struct iv_store *store, const struct iv_execution *execution, iv_ns now,
                          struct iv_err *err);
iv_rc iv_report_step(struct iv_store *store, const struct iv_execution *execution, const struct iv_step *step,
                     iv_ns now, struct iv_err *err);
