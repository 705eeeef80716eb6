/* SPDX-License-Identifier: Apache-2.0 */
/* One sink's queue, emptied.
 * Purpose: the notices that are due, oldest first, told one delivery after another; what fails waits, growing
 * to minutes, and with it all that is behind it.
 * Owner/thread: one thread for each sink calls iv_deliver_turn in a loop; iv_deliver_end may come from any.
 * Guarantee: a notice leaves the queue only in a transaction after the sink has taken it. After a crash in
 * between it is told once more, with the same key. Notices of one alert arrive in order. */
#pragma once

#include "base/clock.h"
#include "respond/alert/alert.h"

struct iv_deliver;

struct iv_deliver_stats {
    uint64_t told;
    uint64_t retried;
    uint64_t refused;
    iv_ns succeeded; /* wall clock; 0: not yet, in this process */
};

struct iv_deliver_options {
    struct iv_store *store;
    const struct iv_alerting *alerting; /* outlives it */
    const struct iv_alert_sink *sink;   /* of these */
    struct iv_clock clock;
};

iv_rc iv_deliver_new(struct iv_deliver **out, const struct iv_deliver_options *options, struct iv_err *err);
void iv_deliver_free(struct iv_deliver *deliver);
void iv_deliver_freep(struct iv_deliver **deliver);

/* One delivery at most. *wait: when to come back, unless something is queued before; 0: at once. IV_E_BUSY:
 * the store was busy or full; nothing is lost, call again. */
iv_rc iv_deliver_turn(struct iv_deliver *deliver, iv_ns *wait, struct iv_err *err);
/* The delivery under way, and all that follow, end without an answer. */
void iv_deliver_end(struct iv_deliver *deliver);

void iv_deliver_stats(const struct iv_deliver *deliver, struct iv_deliver_stats *out);
/* Since when it has failed, 0: it does not, and why. */
iv_ns iv_deliver_failing(const struct iv_deliver *deliver, const char **why);
