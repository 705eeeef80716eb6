/* SPDX-License-Identifier: Apache-2.0 */
/* The detecting thread: from the input topics to verdicts.
 * Purpose: one consumer, one decoder, the engines (judge.h); hands what each batch yields to the store's
 * thread.
 * Owner/thread: started and stopped by one thread; everything else happens on its own, and on those that
 * verify signatures.
 * Guarantee: a reload loses and doubles no event: it falls between two batches, and nothing is read again.
 * Nothing of a batch is forgotten: it is handed over before the next batch is read, and where the
 * store is slow, reading waits. A restart goes on from the newest snapshot, else from the beginning; what is
 * read again is found again under the same uid, so that nothing is lost or doubled.
 * Not here: keeping (keep.h), sending (publish.h). */
#pragma once

#include "app/handoff.h"
#include "base/err.h"
#include "baseline/baseline.h"
#include "console/metrics.h"
#include "stream/kafka.h"

#include <stdatomic.h>

struct iv_detect;
struct iv_playbooks;
struct iv_reader;
struct iv_store;

struct iv_detect_options {
    struct iv_baseline *baseline;   /* references are taken */
    struct iv_playbooks *playbooks; /* NULL: nothing is planned, somebody else responds */
    const struct iv_property *kafka;
    size_t kafka_count;
    struct iv_str topics[IV_STREAMS];
    struct iv_handoff *commits;       /* of struct iv_commit; closed when the thread ends */
    const atomic_uint_fast64_t *kept; /* how many of them the store has made durable */
    struct iv_metrics *metrics;
    struct iv_reader *reader; /* what the store knows of earlier runs; used during the start only */
    struct iv_store *store;   /* whose positions a snapshot is held against */
    /* Snapshots: a folder that is there, from one to the next, and how many are kept. */
    struct iv_str snapshots;
    iv_ns snapshot_every;
    size_t snapshot_keep;
    unsigned verifiers; /* threads that verify signatures beside the other rules */
    void (*failed)(void *ctx,
                   const struct iv_err *why); /* called once, from the thread, if it cannot go on */
    /* A baseline that was handed to iv_detect_reload is in force (why is NULL), or could not be taken up and
     * the one before stays in force. From the thread. */
    void (*reloaded)(void *ctx, struct iv_baseline *baseline, const struct iv_err *why);
    void *ctx;
};

/* Everything but the baseline, the queue and the metrics is copied or used during the call only, the topics'
 * names apart, which outlive the thread. */
iv_rc iv_detect_start(struct iv_detect **out, const struct iv_detect_options *options, struct iv_err *err);
/* Ends the thread, leaves the group. NULL is fine. */
void iv_detect_stop(struct iv_detect *detect);

/* From any thread: between two batches the detector goes on under this baseline, with the state of the rules
 * that have not changed. References are taken. One that still waits is replaced. */
void iv_detect_reload(struct iv_detect *detect, struct iv_baseline *baseline, struct iv_playbooks *playbooks);

/* How the input is doing, as of the last batch: for readiness. */
void iv_detect_health(struct iv_detect *detect, struct iv_consumer_health *out);
