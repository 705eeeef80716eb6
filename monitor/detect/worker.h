/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread, one consumer of a group, and the cells of the partitions that it was given.
 * Purpose: takes batches to the cells that they belong to, and cells through the group's rebalances, reloads
 * and the end. One kind reads the streams, the other the exchange, in a group of its own: that one has
 * nothing to do where the streams have one partition.
 * Owner/thread: made, started and stopped by detect.c's caller; everything else happens on its own thread.
 * Guarantee: workers share nothing but the outlet, the metrics and what is immutable. A verdict does not
 * depend on their number: what makes a cell is decided by the topics alone.
 * Not here: judging (cell.h), what the workers have in common (detect.h). */
#pragma once

#include "detect/cell.h"
#include "detect/detect.h"
#include "stream/member.h"

#include <pthread.h>
#include <stdatomic.h>

enum iv_worker_kind { IV_WORKER_STREAMS, IV_WORKER_EXCHANGE };

struct iv_worker {
    struct iv_detect *detect;
    enum iv_worker_kind kind;
    unsigned number; /* among all */
    unsigned member; /* among those of its kind */
    char label[32];
    pthread_t thread;
    bool started;
    struct iv_turns *turns; /* NULL: nobody looks */
    struct iv_site site;
    struct iv_consumer *consumer;
    struct iv_cell **cells;
    size_t cell_count;
    struct iv_cell *last;   /* where the last record went; NULL: none yet */
    bool over;              /* nothing more is judged: what is revoked is only dropped */
    struct iv_rc_s failure; /* of the hook that cannot answer */
    struct iv_err err;
    iv_ns reported;
    bool behind;           /* some cell has more to decide, records or not */
    uint64_t generation;   /* of the baseline in force here */
    uint64_t save_awaits;  /* so many commits must be durable before the snapshots under way count */
    iv_ns save_not_before; /* monotonic */
    struct iv_member name; /* of its consumer */
};

/* What it tells the others, under the detector's lock. */
struct iv_worker_figures {
    struct iv_consumer_health health;
    iv_ns watermark[IV_STREAMS]; /* IV_NS_MAX: it has no cell */
    iv_ns newest[IV_STREAMS];
    size_t queue;
    size_t cells;
    iv_ns saved; /* monotonic: when the newest snapshot was begun; 0: none yet */
};

/* Waits for no broker. */
iv_rc iv_worker_open(struct iv_worker **out, struct iv_detect *detect, enum iv_worker_kind kind,
                     unsigned member, const struct iv_detect_options *options, struct iv_err *err);
iv_rc iv_worker_start(struct iv_worker *worker, struct iv_err *err);
/* Once the detector is stopping: waits for the thread's end. NULL is fine. */
void iv_worker_free(struct iv_worker *worker);

/* Between two batches: a baseline that waits is taken up by all cells. An error ends the worker; a baseline
 * that cannot be taken up is none. */
iv_rc iv_worker_take_up(struct iv_worker *worker, struct iv_err *err);
/* Its consumer, by the group's id and member names that are its own. */
iv_rc iv_worker_name(struct iv_worker *worker, const struct iv_property *kafka, size_t count,
                     struct iv_err *err);
iv_rc iv_worker_open_consumer(struct iv_worker *worker, struct iv_err *err);
struct iv_consumer_hooks iv_worker_hooks(struct iv_worker *worker);

/* Between two batches: begins a round of snapshots when one is due, sees after the one under way. Where it
 * fails the stream goes on; an error is the stream's. */
iv_rc iv_worker_save(struct iv_worker *worker, struct iv_err *err);
/* At the end: waits, within bounds, for one of all that was read. */
iv_rc iv_worker_save_last(struct iv_worker *worker, struct iv_err *err);
/* Commits to the group where the newest snapshots go on. They serve Kafka's own tools; we never start there.
 */
void iv_worker_acknowledge(struct iv_worker *worker);
/* A partition is no longer this worker's: it has no lag here. */
void iv_worker_leave(struct iv_worker *worker, const struct iv_cursor *at);
/* Copies figures into the metrics, and tells the group what was saved. */
void iv_worker_report(struct iv_worker *worker);
