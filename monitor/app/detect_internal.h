/* SPDX-License-Identifier: Apache-2.0 */
/* The detector's insides, shared by detect.c (the work), detect_hand.c (handing on what it yields) and
 * detect_reload.c (another baseline), detect_snapshot.c (a restart) and detect_report.c (how it is going). */
#pragma once

#include "app/detect.h"
#include "app/judge.h"
#include "app/saver.h"
#include "base/arena.h"
#include "base/clock.h"
#include "engine/coverage.h"
#include "event/decode.h"

#include <pthread.h>
#include <stdatomic.h>

struct iv_commit;

/* More partitions than that are read all the same; their offsets and lag are not told. */
#define IV_PARTITIONS_SHOWN 256

struct iv_detect_partition {
    enum iv_stream stream;
    int32_t partition;
    int64_t next; /* the next record to read; kept over a rebalance that takes the partition away and back */
    bool ours;
    bool revoked; /* and not yet known to be somebody else's: still holds the watermark back */
    bool at_end;
    bool moved;        /* since the last hand-over */
    iv_ns quiet_since; /* monotonic */
    iv_ns blind_since; /* monotonic; 0: no transaction holds records back */
    bool blind_told;
};

struct iv_detect {
    struct iv_baseline *baseline;
    struct iv_metrics *metrics;
    struct iv_handoff *commits;
    const atomic_uint_fast64_t *kept;
    struct iv_store *store;
    void (*on_failed)(void *ctx, const struct iv_err *why);
    void (*on_reloaded)(void *ctx, struct iv_baseline *baseline, const struct iv_err *why);
    void *ctx;
    struct iv_str topics[IV_STREAMS];
    struct iv_clock clock;
    pthread_t thread;
    atomic_bool stopping;

    /* The thread's own. */
    struct iv_consumer *consumer;
    struct iv_decoder *decoder;
    struct iv_judge_options judging; /* what a judge is made by, but for the baseline */
    struct iv_judge *judge;
    struct iv_coverage *coverage;
    struct iv_arena arena; /* of the batch */
    struct iv_commit *commit;
    struct iv_detect_partition *partitions;
    size_t partition_count;
    size_t partition_last;  /* where the last look-up found its partition */
    bool *complained;       /* by rule index */
    uint64_t signatures;    /* verified under the baseline in force, and counted */
    iv_ns written;          /* of the record in the engine's hands; 0: time moved */
    struct iv_rc_s failure; /* of the verdict hook, which cannot answer */
    struct iv_err err;
    /* Of the snapshot under way, then of the one that was kept: the places by partition. */
    struct iv_saver *saver;
    struct iv_vault_place *places;
    size_t place_count;
    uint64_t save_awaits;    /* so many commits must be durable before it counts */
    uint64_t saved_progress; /* of the one that was kept last */
    bool saved_is_news;      /* and the group has not been told */
    iv_ns reported;
    iv_ns newest[IV_STREAMS];
    struct iv_series *accepted[IV_STREAMS];
    struct iv_series *unknown[IV_STREAMS];

    pthread_mutex_t health_lock;
    struct iv_consumer_health health;

    /* What is to be in force next: under the lock, as is that it waits. */
    pthread_mutex_t next_lock;
    struct iv_baseline *next; /* NULL: nothing */
    struct iv_playbooks *next_playbooks;
    atomic_bool next_waits;

    /* Also of the threads that verify signatures: what they find is handed over by them. */
    pthread_mutex_t hand_lock;
    struct iv_playbooks *playbooks;
    uint64_t handed; /* commits handed over so far */
};

/* NULL when memory is out. */
struct iv_detect_partition *iv_detect_partition(struct iv_detect *d, enum iv_stream stream,
                                                int32_t partition);

/* Hands over what there is, and lets the rules beside have what they were not given yet. A batch that found
 * nothing moves positions only, which can wait for the next report (positions_too). A position follows all
 * that was found before it, by whichever rules. */
iv_rc iv_detect_hand_over(struct iv_detect *d, bool positions_too, struct iv_err *err);
/* Between two batches: what iv_detect_reload brought is taken up. An error ends the detector; a baseline that
 * cannot be taken up is none. */
iv_rc iv_detect_take_up(struct iv_detect *d, struct iv_err *err);
/* Of iv_judge_options. */
void iv_detect_through(void *ctx, struct iv_commit *before, struct iv_commit *found);
/* Before the baseline goes, and at each report. */
void iv_detect_count_signatures(struct iv_detect *d);

/* Makes the judge: from the newest snapshot that can be used, else as at the beginning. */
iv_rc iv_detect_restore(struct iv_detect *d, struct iv_err *err);
/* Between two batches: begins a snapshot when one is due, sees after the one under way. Where it fails the
 * stream goes on; an error is the stream's. */
iv_rc iv_detect_save(struct iv_detect *d, struct iv_err *err);
/* At the end: waits, within bounds, for one of all that was read. */
iv_rc iv_detect_save_last(struct iv_detect *d, struct iv_err *err);
/* Commits to the group where the newest snapshot goes on. */
void iv_detect_acknowledge(struct iv_detect *d);
void iv_detect_report_snapshot(struct iv_detect *d);

/* Copies the engine's and the consumer's figures into the metrics, and commits to the group what is behind
 * us. */
void iv_detect_report(struct iv_detect *d);
