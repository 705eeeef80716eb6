/* SPDX-License-Identifier: Apache-2.0 */
/* Escalation: what a playbook could not do, or of which nobody can tell that it did, another one does.
 * Purpose: "escalate_to:" of executions that ended as failed or ambiguous, whoever moved them there.
 * Owner/thread: whoever is inside the store's transaction.
 * Guarantee: from the store's rows and in the transaction that plans what takes over, so once each, over any
 * number of restarts. The finding is read back from the store, as a process that only responds reads it from
 * its topic.
 * Not here: steps that are there for such a case (ladder.h). */
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>

struct iv_baseline;
struct iv_decoder;
struct iv_playbooks;
struct iv_store;

struct iv_escalation {
    const struct iv_playbooks *playbooks; /* in force */
    const struct iv_baseline *baseline;
    struct iv_decoder *decoder;
};
iv_rc iv_escalate(const struct iv_escalation *escalation, struct iv_store *store, bool *any, iv_ns now,
                  struct iv_err *err);
