/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor's own log and its journal say of the monitor itself: that it began, under which baseline,
 * and that it ended as it should. A run that was killed has no end in it, which the next one's start tells.
 * Owner/thread: whoever writes to the store.
 * Not here: findings, changes of state and coverage, which enter themselves (evidence/); what befalls the
 * monitor between start and end (lookout.h). */
#pragma once

#include "base/err.h"
#include "baseline/baseline.h"
#include "evidence/reader.h"
#include "evidence/store.h"

/* Inside a transaction: this baseline is in force. All of its files are entered, unless the last that was
 * entered is the same. */
iv_rc iv_journal_baseline(struct iv_store *store, const struct iv_baseline *baseline, struct iv_err *err);

/* In transactions of their own. roles: "detect,console". The end closes the coverage that is read by then;
 * cause: who asked for it, or what failed. */
iv_rc iv_journal_start(struct iv_store *store, const struct iv_baseline *baseline, struct iv_str roles,
                       struct iv_err *err);
iv_rc iv_journal_reload(struct iv_store *store, const struct iv_baseline *baseline, struct iv_err *err);
iv_rc iv_journal_stop(struct iv_store *store, struct iv_reader *reader, struct iv_str cause,
                      struct iv_err *err);
