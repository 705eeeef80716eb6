/* SPDX-License-Identifier: Apache-2.0 */
/* What is done about a finding that another process made: it is kept, alerted of and planned for, once.
 * Owner/thread: one thread, inside the store's transaction.
 * Guarantee: nothing that calls for an action is passed over in silence. Where the finding's rule is not in
 * this process's baseline, it is counted, logged once for each rule, alerted of, and where it names a
 * playbook, on record as a failed execution.
 * Not here: reading messages (intake.h), what is planned (respond/playbook.h). */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "console/metrics.h"
#include "evidence/store.h"
#include "evidence/told.h"

struct iv_alerter;
struct iv_baseline;
struct iv_playbooks;

enum { IV_STRANGERS_MAX = 64, IV_STRANGER_BYTES = 64 };

/* Set by its owner before each call, but for the last two, which are this one's memory. */
struct iv_answerer {
    struct iv_store *store;
    const struct iv_baseline *baseline;
    const struct iv_playbooks *playbooks;
    struct iv_alerter *alerter; /* NULL: nobody is told */
    struct iv_metrics *metrics;
    size_t stranger_count;
    char strangers[IV_STRANGERS_MAX][IV_STRANGER_BYTES]; /* rules that the log was told of */
};

/* The same finding again, as far as it went, changes nothing. */
iv_rc iv_answer_told(struct iv_answerer *answerer, struct iv_told_finding *told, iv_ns wall,
                     struct iv_err *err);
