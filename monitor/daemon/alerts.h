/* SPDX-License-Identifier: Apache-2.0 */
/* The alerting threads: one for each sink, and one that resolves, and tells of the monitor's own conditions.
 * Owner/thread: started and stopped by one thread; every other call may come from any thread.
 * Guarantee: a sink that hangs holds up itself alone. What was queued and not taken when the threads end is
 * told after the next start. Not here: what an alert is, who is told and how (respond/alert/). */
#pragma once

#include "base/err.h"
#include "console/metrics.h"
#include "detect/watch.h"
#include "evidence/store.h"
#include "respond/alert/alert.h"

struct iv_alerts;

struct iv_alerts_options {
    struct iv_store *store;
    struct iv_str store_path;
    const struct iv_alerting *alerting; /* outlives the threads; has a sink at least */
    struct iv_metrics *metrics;
    iv_ns planted_every;    /* a detector of this process plants violations; 0: none does */
    struct iv_turns *turns; /* NULL: nobody looks */
    void (*failed)(void *ctx, const struct iv_err *why);
    void *ctx;
};

iv_rc iv_alerts_start(struct iv_alerts **out, const struct iv_alerts_options *options, struct iv_err *err);
void iv_alerts_stop(struct iv_alerts *alerts); /* NULL is fine */

/* Something was queued: look at once. */
void iv_alerts_wake(struct iv_alerts *alerts);
/* A condition of the monitor is there, or over. NULL alerts: nobody is to be told. */
void iv_alerts_condition(struct iv_alerts *alerts, enum iv_condition condition, bool over,
                         const char *detail);
/* Whether the detector of this process has a partition: one that stands by finds no planted violation, and
 * misses none. */
void iv_alerts_reads(struct iv_alerts *alerts, bool reads);
