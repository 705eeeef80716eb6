/* SPDX-License-Identifier: Apache-2.0 */
/* The detector: from the input topics to verdicts.
 * Purpose: the workers of this process (worker.h) and what they have in common: the queue to the store, the
 * watch on partitions' ends, the baseline in force.
 * Owner/thread: started and stopped by one thread; everything else happens on the workers' own, and on those
 * that verify signatures.
 * Guarantee: a reload loses and doubles no event: it falls between two batches, and nothing is read again.
 * Nothing of a batch is forgotten: it is handed over before the next batch is read, and where the
 * store is slow, reading waits. A restart goes on from the newest snapshot, else from the beginning; what is
 * read again is found again under the same uid, so that nothing is lost or doubled.
 * Not here: keeping (keep.h), sending (publish.h). */
#pragma once

#include "base/err.h"
#include "baseline/baseline.h"
#include "console/metrics.h"
#include "detect/handoff.h"
#include "detect/watch.h"
#include "stream/kafka.h"

#include <stdatomic.h>

struct iv_detect;
struct iv_playbooks;
struct iv_store;
struct iv_courier;

struct iv_detect_options {
    struct iv_baseline *baseline;   /* references are taken */
    struct iv_playbooks *playbooks; /* NULL: nothing is planned, somebody else responds */
    const struct iv_property *kafka;
    size_t kafka_count;
    struct iv_str topics[IV_STREAMS];
    struct iv_str exchange;           /* the topic, which is made if need be */
    struct iv_handoff *commits;       /* of struct iv_commit */
    const atomic_uint_fast64_t *kept; /* how many of them the store has made durable */
    struct iv_metrics *metrics;
    struct iv_watch *watch;   /* each worker is a part of it; NULL: nobody looks */
    struct iv_store *store;   /* whose positions a snapshot is held against */
    struct iv_str store_path; /* what the store knows of earlier runs is read from there */
    /* Snapshots: a folder that is there, from one to the next, and how many are kept. */
    struct iv_str snapshots;
    iv_ns snapshot_every;
    size_t snapshot_keep;
    uint64_t memory_limit;      /* of all engines together; 0: none */
    struct iv_courier *courier; /* of these to other machines; NULL: none */
    unsigned workers;           /* at least 1, and as many for the exchange */
    unsigned verifiers;         /* threads that verify signatures beside the other rules */
    void (*failed)(void *ctx, const struct iv_err *why); /* called once, from a worker that cannot go on */
    /* A baseline that was handed to iv_detect_reload is in force everywhere (why is NULL), or could not be
     * taken up and the one before stays in force. From a worker. */
    void (*reloaded)(void *ctx, struct iv_baseline *baseline, const struct iv_err *why);
    void *ctx;
};

/* Everything but the baseline, the queue and the metrics is copied or used during the call only, names apart,
 * which outlive the detector. */
iv_rc iv_detect_start(struct iv_detect **out, const struct iv_detect_options *options, struct iv_err *err);
/* Ends the workers: what they found is made durable and told to the group, within seconds, and the group is
 * left. NULL is fine. */
void iv_detect_stop(struct iv_detect *detect);

/* From any thread: between two batches each worker goes on under this baseline, with the state of the rules
 * that have not changed. References are taken. One that still waits is replaced. */
void iv_detect_reload(struct iv_detect *detect, struct iv_baseline *baseline, struct iv_playbooks *playbooks);

/* From any thread: how far the partitions of this process have been read, as many as fit; answers how many
 * there are. */
size_t iv_detect_positions(struct iv_detect *detect, struct iv_cursor *out, size_t room);

/* How the input is doing, as of the last reports: for readiness. */
void iv_detect_health(struct iv_detect *detect, struct iv_consumer_health *out);
