/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange from the side of the global rules: packets in, moves of the engine that has a share of the
 * keys out.
 * Purpose: to that engine every partition of ledger and telemetry is as if it had been read right here.
 * Owner/thread: of the cell that has the share; one thread.
 * Guarantee: what stands at an offset is taken once, whoever sends it how often: a reader that went back to
 * an older snapshot, or one that does not know yet that its partition was given away. That a partition stands
 * at its end is believed only of one that has read as far as was taken. Offsets that no packet covered are
 * seen, and told.
 * What was seen proves what it proves; what was not seen proves nothing where packets are missing, or where
 * their reader has another baseline, without the rule.
 * Not here: reading the exchange (stream/kafka.h), who has which share. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"
#include "judge/judge.h"

struct iv_back;

/* Of a stream's partition, records from `from` up to, not including, `to` never came, so that no absence
 * behind them is proven. */
typedef void (*iv_back_gap_fn)(void *ctx, enum iv_stream stream, int32_t partition, int64_t from, int64_t to);

struct iv_back_options {
    struct iv_str deployment;         /* whose packets are taken; outlives the back */
    struct iv_judge *judge;           /* of the global rules, with this share; lent until iv_back_free */
    struct iv_baseline *baseline;     /* the judge's; a reference is taken */
    struct iv_share share;            /* as many partitions as the exchange, and as each of the sources */
    struct iv_str topics[IV_STREAMS]; /* n 0: the stream is not read; they outlive the judge */
    iv_ns *written;     /* where not NULL: the broker's time of the record that the judge has at hand; 0: time
                           moved */
    iv_back_gap_fn gap; /* may be NULL */
    void *ctx;
};

/* Opens the sources' partitions in a judge that knows of none yet. */
iv_rc iv_back_new(struct iv_back **out, const struct iv_back_options *options, struct iv_err *err);
void iv_back_free(struct iv_back *back);
void iv_back_freep(struct iv_back **back);

/* One message of the exchange. IV_E_MALFORMED: nothing of it was taken; what it covered shows as a gap when
 * the next one comes. IV_E_REFUSED: it is another deployment's, and covers nothing of this one's. Any other
 * error is the judge's. */
iv_rc iv_back_take(struct iv_back *back, struct iv_str packet, struct iv_err *err);
/* Messages of the exchange are gone; nobody knows what stood in them, nor where the streams began. */
iv_rc iv_back_joined_midway(struct iv_back *back, struct iv_err *err);
/* Another judge that goes on where the last one stood, under another baseline. */
void iv_back_reload(struct iv_back *back, struct iv_judge *judge, struct iv_baseline *baseline);

/* What was taken, as bytes that belong to the judge's snapshot; appended. */
void iv_back_save(const struct iv_back *back, struct iv_buf *out);
/* Before the first packet, with the judge of that snapshot. IV_E_MALFORMED: damaged, or of another share. */
iv_rc iv_back_restore(struct iv_back *back, struct iv_str saved, struct iv_err *err);

struct iv_back_stats {
    uint64_t events;  /* taken */
    uint64_t skipped; /* events that had been taken before */
    uint64_t gaps;
};
void iv_back_stats(const struct iv_back *back, struct iv_back_stats *out);
/* The offset of the next record of a source that was not taken yet; -1: none was. */
int64_t iv_back_next(const struct iv_back *back, enum iv_stream stream, int32_t partition);
