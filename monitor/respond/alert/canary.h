/* SPDX-License-Identifier: Apache-2.0 */
/* The synthetic alert: that what is found arrives at each sink.
 * Purpose: where the monitor plants violations of its own (daemon/canary.h), the synthetic alert begins with
 * one that was found, in the transaction of the keeper that would keep a finding, so that it proves the way
 * from the streams to the sink; elsewhere it begins with the alert.
 * Owner/thread: as alert.h has it.
 * Guarantee: at most one in alerting->canary, over restarts; its staying away is a condition of its own.
 * Not here: a sink that does not take it (deliver.h, and the age of what waits there). */
#pragma once

#include "respond/alert/alert.h"

/* For this sink alone, firing and resolved at once; none while the last one waits. */
iv_rc iv_alerter_canary(struct iv_alerter *alerter, struct iv_store *store, struct iv_str sink,
                        struct iv_str detail, iv_ns now, struct iv_err *err);

/* For each sink that some route leads to, if the last one was so long ago. */
iv_rc iv_alerter_canary_due(struct iv_alerter *alerter, struct iv_store *store, struct iv_str detail,
                            iv_ns now, struct iv_err *err);
/* The same, with a planted violation: this rule has found it, the broker had it then. */
iv_rc iv_alerter_canary_found(struct iv_alerter *alerter, struct iv_store *store, struct iv_str rule,
                              iv_ns written, iv_ns now, struct iv_err *err);

/* When the last one began; 0: there was none. */
iv_rc iv_alerter_canary_last(struct iv_store *store, iv_ns *out, struct iv_err *err);
/* Says the condition, or that it is over: whether one was due, counted from `since`, patience ago. */
iv_rc iv_alerter_canary_missed(struct iv_alerter *alerter, struct iv_store *store, bool *missed, iv_ns since,
                               iv_ns patience, iv_ns now, struct iv_err *err);
