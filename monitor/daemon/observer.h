/* SPDX-License-Identifier: Apache-2.0 */
/* The observing thread: whether what was done has had its effect.
 * Purpose: reads the streams on behalf of the steps that were done with an expectation, and writes down what
 * they prove.
 * Owner/thread: started and stopped by one thread; iv_observer_wake from any, iv_observer_reload from one.
 * It also knows whether the streams are fresh, which what rests on absence waits for.
 * Guarantee: reads while something is looked for, and no longer. What is looked for is what the rows say, so
 * a restart forgets nothing: it is read again from before the first call on. A step is decided by a record
 * that the evidence names, or when everything that could tell was looked at; where that cannot be had it is
 * ambiguous. What that costs does not grow with the steps (reading.h, respond/inquiry_set.h), and no writer
 * waits for it but while proofs are written.
 * Not here: what is read when (reading.h), what counts (respond/inquiry.h), how it is written down
 * (proofs.h), what follows (respond/moves.h). */
#pragma once

#include "base/err.h"
#include "console/metrics.h"
#include "daemon/config.h"
#include "detect/watch.h"
#include "evidence/store.h"
#include "stream/source.h"

struct iv_baseline;
struct iv_observer;

struct iv_observer_options {
    struct iv_store *store;
    struct iv_baseline *baseline;     /* a reference is taken */
    const struct iv_config *config;   /* outlives the thread */
    struct iv_str topics[IV_STREAMS]; /* likewise */
    struct iv_metrics *metrics;
    struct iv_turns *turns; /* NULL: nobody looks */
    /* How far the detector of this process has read, as iv_detect_positions, or IV_FRESH_STANDBY (fresh.h).
     * NULL: there is none. */
    size_t (*positions)(void *ctx, struct iv_cursor *out, size_t room);
    void (*changed)(void *ctx); /* a state changed, and is durable; from the thread */
    void (*failed)(void *ctx, const struct iv_err *why);
    void *ctx;
};

iv_rc iv_observer_start(struct iv_observer **out, const struct iv_observer_options *options,
                        struct iv_err *err);
void iv_observer_stop(struct iv_observer *observer); /* NULL is fine */
/* Another baseline is in force; its topics are the same: others are refused (monitor_reload.c). */
void iv_observer_reload(struct iv_observer *observer, struct iv_baseline *baseline);
/* From any thread: whether the streams are fresh; else *why, a constant. */
bool iv_observer_fresh(struct iv_observer *observer, const char **why);
/* From any thread: whether the broker answers. */
bool iv_observer_hears(struct iv_observer *observer);
/* Something was done: look at once. */
void iv_observer_wake(struct iv_observer *observer);
