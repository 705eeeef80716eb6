/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage: the event time in which each partition was read, in order, within lateness, without gaps.
 * Purpose: "no violation was found" says something only for the time in which everything was seen. What was
 * not is told with its cause. Owner/thread: one cell, one thread, beside its engine; it is told the same
 * records. Guarantee: pure and bounded: the same calls in the same order give the same answer, and where a
 * list is full coverage is given up, never claimed. Each partition is covered from the beginning of time up
 * to `reach`, its watermark, but for its losses. Not here: what several partitions or streams have in common
 * (evidence/coverage.h), the store.
 *
 * What nobody saw has no time of its own, so each cause subtracts the time in which it must lie, given that
 * the stream keeps its lateness:
 *   - records that cannot be read, or are gone: from the watermark before them to lateness behind the next
 *     record that came in time;
 *   - entries missing in a log: between the entries on either side, until they come;
 *   - a late record: from its time to the watermark that it was too late for. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "engine/losses.h"
#include "event/event.h"

struct iv_coverage;

struct iv_coverage_options {
    iv_ns lateness[IV_STREAMS];
    iv_ns waits;            /* the longest that a rule waits for a partner behind its trigger's time */
    struct iv_hash_key key; /* of tables only */
    uint32_t losses_most;   /* of a partition; 0: IV_LOSSES_MAX */
    uint32_t holes_most;    /* in logs, that may still be filled; 0: 4,096 */
    uint32_t logs_most;     /* that are followed; 0: 65,536 */
};

iv_rc iv_coverage_new(struct iv_coverage **out, const struct iv_coverage_options *options,
                      struct iv_err *err);
void iv_coverage_free(struct iv_coverage *coverage);
void iv_coverage_freep(struct iv_coverage **coverage);
/* Another baseline is in force. */
void iv_coverage_policy(struct iv_coverage *coverage, const iv_ns lateness[IV_STREAMS], iv_ns waits);

enum iv_cover_state {
    IV_COVER_READ,
    IV_COVER_BLIND, /* the broker holds records back: an open transaction */
    IV_COVER_AWAY,  /* somebody else reads it now */
};

/* What is known of a partition. */
struct iv_cover {
    enum iv_stream stream;
    int32_t partition;
    enum iv_cover_state state;
    iv_ns first; /* least event time that came in time; IV_NS_MAX: none */
    iv_ns reach;
    const struct iv_loss *losses;
    size_t loss_count;
};

/* What an earlier run had come to, or this one before it went back to a snapshot. What is read again replaces
 * it. Before the partition begins, or after iv_coverage_restore. */
iv_rc iv_coverage_recall(struct iv_coverage *coverage, const struct iv_cover *before, struct iv_err *err);
/* Reading begins, at the log's very beginning (whole) or behind it. A partition that has begun goes on. */
iv_rc iv_coverage_begin(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition, bool whole,
                        struct iv_err *err);
/* An event, after the engine has said what it is: event->standing. */
iv_rc iv_coverage_event(struct iv_coverage *coverage, const struct iv_event *event, struct iv_err *err);
/* Records were lost here: DEAD_LETTER, RETENTION, TRUNCATED. */
iv_rc iv_coverage_lost(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition,
                       enum iv_loss_cause cause, uint64_t records, struct iv_err *err);
/* As iv_engine_idle: time passes without records. */
iv_rc iv_coverage_idle(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition, iv_ns wall,
                       struct iv_err *err);
iv_rc iv_coverage_state(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition,
                        enum iv_cover_state state, struct iv_err *err);
/* Of all partitions: what is assigned next is told as read. */
void iv_coverage_all_away(struct iv_coverage *coverage);

/* Calls visit for each partition that has changed since the last call, or for all. What it is given is valid
 * for the length of its call. */
typedef iv_rc (*iv_cover_fn)(void *ctx, const struct iv_cover *cover, struct iv_err *err);
iv_rc iv_coverage_report(struct iv_coverage *coverage, bool all, iv_cover_fn visit, void *ctx,
                         struct iv_err *err);

/* All that it knows as bytes, and back: for the snapshot of a cell. The key goes with it; lateness and limits
 * are the options'. IV_E_MALFORMED: these are no such bytes. */
void iv_coverage_image(struct iv_buf *out, const struct iv_coverage *coverage);
bool iv_coverage_is_image(struct iv_str bytes);
iv_rc iv_coverage_restore(struct iv_coverage **out, const struct iv_coverage_options *options,
                          struct iv_str image, struct iv_err *err);
