/* SPDX-License-Identifier: Apache-2.0 */
/* A cell: what is judged together, and moves between workers as one.
 * Purpose: one judge, the partitions that feed it, how far each was read, and the way of what it finds to the
 * store. All that a snapshot must hold of a cell is the judge and the `next` of its sources.
 * Owner/thread: the worker whose consumer has its partitions (worker.h) makes all calls. What rules beside
 * find is handed over by the threads that verify, under `lock`.
 * Guarantee: nothing that was read is forgotten: it is handed over before more is read, and where the store
 * is slow, reading waits. A commit with positions follows all that was found before them.
 * A cell's life: opened when its partitions are assigned; `ours` until they are revoked; then it waits,
 * untouched, until the group has said who has them: it goes on where it was, or it ends.
 * Which partitions make a cell is decided by the topics alone: partition p of ledger and telemetry, and each
 * partition of the exchange where there are several.
 * Not here: reading them (stream/kafka.h), which cells are ours (worker.h). */
#pragma once

#include "detect/census.h"
#include "detect/exchange_back.h"
#include "detect/exchange_front.h"
#include "detect/exchange_post.h"
#include "detect/saver.h"
#include "detect/site.h"
#include "detect/tide.h"
#include "engine/coverage.h"
#include "event/decode.h"
#include "judge/judge.h"
#include "stream/kafka.h"

enum iv_cell_kind {
    IV_CELL_WHOLE, /* of topics with one partition: all rules */
    IV_CELL_FRONT, /* of one of several partitions of ledger and telemetry: the local rules, and what the
                      global ones need goes to the exchange */
    IV_CELL_BACK,  /* of one partition of the exchange: the global rules for its share of the keys */
};

/* One partition that feeds a cell. */
struct iv_source {
    enum iv_stream stream;
    int32_t partition;
    int64_t next;      /* the record to read next; IV_OFFSET_BEGINNING before the first */
    int64_t reached;   /* below it, all was read that there is for us; -1: not known yet */
    bool stirred;      /* there were records since the last look whether it is silent */
    iv_ns quiet_since; /* monotonic: not before the last record was judged */
    iv_ns idled;       /* monotonic: the last confirmation of silence that time was let pass by */
    bool moved;        /* since the last hand-over */
    bool missing;      /* records before the next one, and of what times is not known yet */
    iv_ns covered;     /* its coverage's reach; IV_NS_MIN: none yet */
    iv_ns blind_since; /* monotonic; 0: no transaction holds records back */
    bool blind_told;
};

struct iv_cell {
    struct iv_site *site;
    enum iv_cell_kind kind;
    int32_t number; /* the partition's */
    char name[24];  /* of its snapshots */
    bool ours;
    struct iv_hash_key hash_key; /* of engines and decoder: a restored judge brings its own */
    struct iv_decoder *decoder;
    struct iv_judge *judge;
    struct iv_coverage *coverage;       /* NULL: a back's, whose streams are covered where they are read */
    struct iv_census *census;           /* likewise */
    iv_ns census_told;                  /* monotonic; 0: never */
    iv_ns wall;                         /* not long ago */
    struct iv_front *front;             /* a front's, else NULL */
    struct iv_back *back;               /* a back's, else NULL */
    iv_ns flushed;                      /* monotonic: when all shares were told last how far the front is */
    struct iv_commit *commit;           /* at hand */
    struct iv_event ahead[IV_FORESEEN]; /* decoded, of the records that come next (engine.h) */
    size_t ahead_count;
    size_t ahead_at;
    struct iv_source *sources;
    size_t source_count;
    size_t source_last;  /* where the last look-up found its source */
    bool met_stranger;   /* another deployment's packets came, and that was told */
    bool over_limit;     /* and that was told */
    bool *complained;    /* by rule index */
    uint64_t *failures;  /* by rule index: what was counted of them */
    uint64_t duplicates; /* what was counted */
    uint64_t late;       /* likewise */
    struct {
        uint64_t sent;
        uint64_t sent_bytes;
        uint64_t taken;
        uint64_t repeated;
    } exchanged;            /* likewise */
    iv_ns written;          /* of the record in the engine's hands; 0: time moved */
    struct iv_rc_s failure; /* of the verdict hook, which cannot answer */
    struct iv_err err;
    /* Of the snapshot under way, then of the one that was kept: the places by source. */
    struct iv_vault_place *places;
    size_t place_count;
    uint64_t gone; /* records that were read of logs whose place another one has taken */
    struct iv_buf notes;
    bool saving;             /* in the round that is under way */
    bool saved_is_news;      /* and the group has not been told */
    uint64_t saved_progress; /* of the one that was kept last */

    /* Also of the threads that verify signatures. */
    pthread_mutex_t lock;
    uint64_t handed; /* the last commit's number at the outlet */
};

/* With no sources yet, and nothing to judge them. */
iv_rc iv_cell_open(struct iv_cell **out, struct iv_site *site, enum iv_cell_kind kind, int32_t number,
                   struct iv_err *err);
/* What was not handed over is dropped. NULL is fine. */
void iv_cell_free(struct iv_cell *cell);

/* NULL: it has no such source. */
struct iv_source *iv_cell_source(struct iv_cell *cell, enum iv_stream stream, int32_t partition);
/* All of a cell's are there before it begins. */
iv_rc iv_cell_add_source(struct iv_cell *cell, enum iv_stream stream, int32_t partition, struct iv_err *err);
/* Makes the judge, from a snapshot where there is one, and says of each source where to read on (next). Each
 * partition holds its stream's time back from now on. */
iv_rc iv_cell_begin(struct iv_cell *cell, struct iv_err *err);
static inline bool iv_cell_has_begun(const struct iv_cell *cell)
{
    return cell->judge != NULL;
}
/* Its partitions are assigned (again): silence is counted from now on. */
iv_rc iv_cell_resume(struct iv_cell *cell, struct iv_err *err);
/* They are somebody else's now: the last that is handed over. */
iv_rc iv_cell_retire(struct iv_cell *cell, struct iv_err *err);

/* Decodes as many of a batch's records ahead as are this cell's and come first, a bounded number, so that the
 * engine foresees them. Answers how many; at least 1. */
size_t iv_cell_foresee(struct iv_cell *cell, const struct iv_record *records, size_t count);
/* One record of its partitions, in order. */
iv_rc iv_cell_record(struct iv_cell *cell, const struct iv_record *record, struct iv_err *err);
/* A source was read to its end, which is at this offset. */
iv_rc iv_cell_end(struct iv_cell *cell, const struct iv_cursor *end, struct iv_err *err);
/* The broker has dropped what was to be read next, or has another log. */
iv_rc iv_cell_gap(struct iv_cell *cell, const struct iv_cursor *at, int64_t next, struct iv_err *err);
/* What was missing lay before this time of the source's, or little behind it. */
iv_rc iv_cell_end_missing(struct iv_cell *cell, struct iv_source *source, iv_ns time, struct iv_err *err);
/* Lets time pass for those sources that the broker has confirmed to be silent (tide.h). */
iv_rc iv_cell_idle(struct iv_cell *cell, struct iv_err *err);

/* Where more fell due at once than one call decides: decides more. *more: it was so. */
iv_rc iv_cell_catch_up(struct iv_cell *cell, bool *more, struct iv_err *err);

/* Hands over what there is, and lets the rules beside have what they were not given yet. A batch that found
 * nothing moves positions only, which can wait (positions_too). */
iv_rc iv_cell_hand_over(struct iv_cell *cell, bool positions_too, struct iv_err *err);
/* Hands over everything, that of the rules beside too: the judge is at rest, and all that the state of the
 * cell rests on is in the outlet's queue. */
iv_rc iv_cell_settle(struct iv_cell *cell, struct iv_err *err);
/* The number of the last commit that was handed over (outlet.h). */
uint64_t iv_cell_handed(struct iv_cell *cell);

/* Makes the judge: from the newest snapshot that can be used, else as at the beginning. */
iv_rc iv_cell_restore(struct iv_cell *cell, struct iv_err *err);
/* Notes how far the sources were read, for the snapshot that is next; the sum of it; and that snapshot. */
iv_rc iv_cell_note_places(struct iv_cell *cell, struct iv_err *err);
uint64_t iv_cell_progress(const struct iv_cell *cell);
struct iv_saver_cell iv_cell_saved(struct iv_cell *cell);

/* A cell as it goes on under another baseline: prepared beside the old one, which has settled, then swapped
 * in or dropped. */
struct iv_cell_next {
    struct iv_decoder *decoder;
    struct iv_judge *judge;
    struct iv_commit *commit;
    bool *complained;
    uint64_t *failures;
};
iv_rc iv_cell_prepare(struct iv_cell_next *out, struct iv_cell *cell, struct iv_baseline *baseline,
                      struct iv_err *err);
/* next holds what was in force before, to be dropped. */
void iv_cell_swap(struct iv_cell *cell, struct iv_cell_next *next);
void iv_cell_drop(struct iv_cell_next *next);

/* What a cell tells its coverage (engine/coverage.h), beside its judge; what a commit says of coverage is as
 * of the positions that it brings. Opened from what the store has of its sources; then: the baseline in force
 * is another; a record, or the end of the log, stands at this offset; an open transaction holds back what
 * seems silent, so that time must not pass; what has changed goes with the commit at hand. */
iv_rc iv_cell_cover_open(struct iv_cell *cell, struct iv_err *err);
/* The same as it was when a snapshot was taken, which is older than what the store has. */
iv_rc iv_cell_cover_restore(struct iv_cell *cell, struct iv_str image, struct iv_err *err);
void iv_cell_cover_policy(struct iv_cell *cell);
iv_rc iv_cell_cover_assigned(struct iv_cell *cell, struct iv_err *err);
iv_rc iv_cell_cover_at(struct iv_cell *cell, const struct iv_source *source, int64_t offset,
                       struct iv_err *err);
iv_rc iv_cell_cover_blind(struct iv_cell *cell, struct iv_source *source, bool *blind, struct iv_err *err);
iv_rc iv_cell_cover_take(struct iv_cell *cell, struct iv_err *err);

/* With the commit at hand goes who was alive, once a minute. */
iv_rc iv_cell_census_take(struct iv_cell *cell, struct iv_err *err);

/* What a cell's engines are made by, but for what they go on from. */
struct iv_judge_options iv_cell_judging(struct iv_cell *cell, struct iv_baseline *baseline);
/* The first judge of a cell, with its decoder. */
iv_rc iv_cell_make_judge(struct iv_cell *cell, const struct iv_judge_options *judge, struct iv_err *err);
/* Of iv_judge_options: hands over what the rules beside have found. */
void iv_cell_through(void *ctx, struct iv_commit *before, struct iv_commit *found);
/* Of iv_judge_options: tells of a rule's first failure. A rule runs on one thread at a time. */
void iv_cell_complain(void *cell, const struct iv_rule *rule, const struct iv_event *event,
                      const struct iv_err *why);

/* A cell's side of the exchange. Made with the judge, which for a back is that of what was saved (n 0: none).
 */
iv_rc iv_cell_join_exchange(struct iv_cell *cell, struct iv_str saved, struct iv_err *err);
void iv_cell_leave_exchange(struct iv_cell *cell);
/* Sends what a front has collected; all: and how far it is, to all shares. */
iv_rc iv_cell_flush(struct iv_cell *cell, bool all, struct iv_err *err);
/* Of a back: one message. What is damaged is told, and shows as a gap. */
iv_rc iv_cell_packet(struct iv_cell *cell, const struct iv_record *record, struct iv_err *err);
/* Another baseline is in force. */
iv_rc iv_cell_change_exchange(struct iv_cell *cell, struct iv_err *err);

/* The topic that feeds a source. */
static inline struct iv_str iv_cell_topic(const struct iv_cell *cell, enum iv_stream stream)
{
    return cell->kind == IV_CELL_BACK ? cell->site->exchange : cell->site->topics[stream];
}

/* What the store knows the cell by. */
struct iv_cell_place iv_cell_place(const struct iv_cell *cell);

/* So much of the memory is the cell's from now on. How far it is beyond that: what cannot be forgotten may
 * need more, which is told when it begins and when it ends. */
uint64_t iv_cell_limit(struct iv_cell *cell, uint64_t bytes);

/* Adds to the counters what is new since the last time. */
void iv_cell_count(struct iv_cell *cell);
/* What a judge that was brought from elsewhere has counted there is not counted again. */
void iv_cell_count_from_here(struct iv_cell *cell);
