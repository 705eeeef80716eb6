/* SPDX-License-Identifier: Apache-2.0 */
/* What a process's workers have in common, shared by detect.c and worker*.c. */
#pragma once

#include "detect/detect.h"
#include "detect/worker.h"

struct iv_detect {
    struct iv_outlet outlet;
    struct iv_tide *tide;
    struct iv_metrics *metrics;
    struct iv_str topics[IV_STREAMS];
    void (*on_failed)(void *ctx, const struct iv_err *why);
    void (*on_reloaded)(void *ctx, struct iv_baseline *baseline, const struct iv_err *why);
    void *ctx;
    struct iv_property *kafka; /* copied, but for the texts */
    size_t kafka_count;
    struct iv_str exchange;
    atomic_int width; /* of the streams' topics, once the exchange is there too; 0: not known yet */
    struct iv_worker **workers;
    struct iv_worker_figures *figures; /* by worker; under lock */
    unsigned worker_count;
    atomic_bool stopping;

    pthread_mutex_t lock;
    bool failed;
    struct iv_baseline *baseline; /* that all workers have, or had before they began to take up the next */
    uint64_t signatures;          /* verified under it, and counted */
    /* What is to be in force next: its number, and how many workers have taken it up or could not. */
    atomic_uint_fast64_t generation;
    struct iv_baseline *next;
    struct iv_playbooks *next_playbooks;
    unsigned taken;
    unsigned refused;
};

static inline bool iv_detect_stopping(const struct iv_detect *detect)
{
    return atomic_load(&detect->stopping);
}

/* From any worker: the detector cannot go on. The first is told. */
void iv_detect_failed(struct iv_detect *detect, const struct iv_err *why);

/* From a worker that has learnt how many partitions the streams' topics have: where they are several, the
 * exchange's topic is there afterwards. IV_E_BROKER: try again. IV_E_REFUSED: it cannot be. */
iv_rc iv_detect_prepare_exchange(struct iv_detect *detect, int32_t width, struct iv_err *err);
struct iv_post_options iv_detect_post(struct iv_detect *detect);

/* What waits to be taken up, with references. */
uint64_t iv_detect_next(struct iv_detect *detect, struct iv_baseline **baseline,
                        struct iv_playbooks **playbooks);
/* A worker has taken it up, or could not (why). The last one decides: where some have it and others could
 * not, the detector fails, for verdicts would depend on the worker. */
void iv_detect_taken(struct iv_detect *detect, uint64_t generation, const struct iv_err *why);

/* The cells of all workers, as of their last reports. */
size_t iv_detect_cells(struct iv_detect *detect);
/* How many records of a partition are not read yet. */
void iv_detect_lag(const struct iv_detect *detect, struct iv_str topic, int32_t partition, int64_t records);
/* Which worker reads a partition; -1: none of these. */
void iv_detect_seat(const struct iv_detect *detect, struct iv_str topic, int32_t partition, int worker);
/* A worker's figures; those that are the process's go into the metrics. */
void iv_detect_figures(struct iv_detect *detect, unsigned worker, const struct iv_worker_figures *figures);
