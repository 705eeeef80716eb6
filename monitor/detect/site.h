/* SPDX-License-Identifier: Apache-2.0 */
/* What the cells of one worker share.
 * Purpose: baseline and playbooks in force, and the ways out: the store's queue, the exchange, snapshots,
 * metrics. Owner/thread: the worker (worker.h); its cells borrow it. The baseline and its playbooks change
 * between two batches, when all judges have settled. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "console/metrics.h"
#include "detect/courier.h"
#include "detect/exchange_post.h"
#include "detect/outlet.h"
#include "detect/saver.h"
#include "detect/tide.h"
#include "stream/kafka.h"

struct iv_site {
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks; /* NULL: nothing is planned, somebody else responds */
    struct iv_metrics *metrics;
    struct iv_outlet *outlet;
    struct iv_tide *tide;
    struct iv_consumer *consumer;
    struct iv_saver *saver;     /* of their snapshots */
    struct iv_courier *courier; /* of these to other machines; NULL: none */
    struct iv_store *store;     /* whose positions a snapshot is held against */
    struct iv_str store_path;
    struct iv_str topics[IV_STREAMS];
    struct iv_str exchange;   /* the topic */
    struct iv_str deployment; /* the group of its processes */
    int32_t width;            /* partitions of each topic; 0: not known yet */
    struct iv_post *post;     /* to the exchange; NULL until it is needed */
    struct iv_series *accepted[IV_STREAMS];
    struct iv_series *canaries[IV_STREAMS];
    struct iv_series *unknown[IV_STREAMS];
    unsigned verifiers;    /* of each judge */
    uint64_t memory_limit; /* of all engines of the process together; 0: none */
    struct iv_clock clock;
    struct iv_arena arena; /* of the batch */
    iv_ns newest[IV_STREAMS];
};
