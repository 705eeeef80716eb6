/* SPDX-License-Identifier: Apache-2.0 */
/* The keeping thread: from commits to the store.
 * Purpose: findings, planned executions, outbox, dead letters and positions of a batch in one transaction;
 * several batches share one where they wait together.
 * Owner/thread: started and stopped by one thread.
 * Guarantee: a commit is tried until it is durable or the store is beyond help; where the store is merely
 * busy or full it waits and tries again, and the queue in front of it holds the input back.
 * A commit is answered by the playbooks that it brings, so those of the baseline that found it.
 * Not here: what a playbook does (respond/), sending (publish.h). */
#pragma once

#include "base/err.h"
#include "console/metrics.h"
#include "detect/handoff.h"
#include "detect/watch.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "respond/alert/alert.h"
#include "respond/playbook.h"

#include <stdatomic.h>

struct iv_keep;

struct iv_keep_options {
    struct iv_store *store;
    struct iv_handoff *commits;         /* of struct iv_commit */
    atomic_uint_fast64_t *kept;         /* counts what has become durable */
    bool tells_coverage;                /* other processes are told what was read */
    const struct iv_alerting *alerting; /* NULL: nobody is told of anything; else outlives the thread */
    struct iv_metrics *metrics;
    struct iv_turns *turns; /* NULL: nobody looks; also each time that it tries again, or waits on purpose */
    void (*committed)(void *ctx);                        /* after each transaction, from the thread */
    void (*failed)(void *ctx, const struct iv_err *why); /* once, from the thread: the store is beyond help */
    void *ctx;
};

iv_rc iv_keep_start(struct iv_keep **out, const struct iv_keep_options *options, struct iv_err *err);
/* The end is near: from then on a store that is busy or full is given up, and what it did not take is read
 * again after the next start. NULL is fine. */
void iv_keep_hurry(struct iv_keep *keep, iv_ns grace);
/* Waits until the queue, which must be closed, has been emptied, then ends the thread; others are told how
 * far everything was read. reader: of the same store. A keep of NULL is fine. */
void iv_keep_stop(struct iv_keep *keep, struct iv_reader *reader);
