/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that check signatures, beside the engine that has all others.
 * Purpose: one verification costs as much as some twenty events, and no other rule may wait for it. What the
 * leading engine was told goes into parcels; any number of threads verify what stands in them, in any order;
 * then an engine that has those rules alone is told the same, parcel by parcel in order. It asks for
 * signatures again and finds the answers in the keyring's memory, so that a verdict rests on nothing but the
 * events.
 * Owner/thread: one thread leads: it makes the moves, flushes, drains. The threads here take what they find:
 * the one that sees the next parcel verified tells the engine, the others go on verifying. Nobody spins.
 * Guarantee: memory is bounded by IV_VERIFY_PARCELS and IV_VERIFY_BYTES; when both are used up, leading
 * waits. After a failure nothing more is said, and every call that can tells of it.
 * Not here: who has which rules (judge.h). */
#pragma once

#include "engine/engine.h"
#include "judge/commit.h"
#include "judge/parcel.h"

#define IV_VERIFY_PARCELS 512
#define IV_VERIFY_BYTES ((size_t)64 << 20) /* of records on their way, but for a single parcel */
#define IV_VERIFY_THREADS_MAX 64

struct iv_verify;

struct iv_verify_options {
    struct iv_baseline *baseline; /* a reference is taken */
    const uint64_t *rules;        /* the follower's, a bit for each index; used during the call only */
    struct iv_engine *from;       /* NULL, or one at rest that the follower goes on from (snapshot.h) */
    struct iv_str bytes;          /* else a snapshot of one; n 0: none */
    bool begins_work;             /* that one counts its work itself (engine.h) */
    bool digests;
    struct iv_hash_key hash_key;
    struct iv_share share;     /* of the follower's keys */
    struct iv_cell_place cell; /* whose populations come with what `through` is given */
    unsigned threads;          /* 1 to IV_VERIFY_THREADS_MAX */
    iv_complaint_fn complaint; /* of the follower's expressions, from any of the threads; may be NULL */
    /* A parcel is through: what came with it, and what the follower said of it (either may be NULL), which
     * now belong to whoever is called. From any of the threads, but one at a time and in order. */
    void (*through)(void *ctx, struct iv_commit *before, struct iv_commit *found);
    void *ctx;
};

iv_rc iv_verify_start(struct iv_verify **out, const struct iv_verify_options *options, struct iv_err *err);
/* Does what is under way and drops the rest: to lose nothing, drain first. NULL is fine. */
void iv_verify_stop(struct iv_verify *verify);

/* one move, numbered by its ordinal. The parcel at hand has room for it (iv_verify_fits). */
bool iv_verify_fits(const struct iv_verify *verify, const struct iv_move *move);
iv_rc iv_verify_move(struct iv_verify *verify, const struct iv_move *move, struct iv_err *err);
/* Hands over the parcel at hand, with what the leader has to say about its time, which is taken in any case;
 * an empty one without a word stays. Waits while there is too much on the way. */
iv_rc iv_verify_flush(struct iv_verify *verify, struct iv_commit *before, struct iv_err *err);
/* Waits until everything that was handed over is through. */
iv_rc iv_verify_drain(struct iv_verify *verify, struct iv_err *err);

/* After a drain: the end of input. What the follower says then goes straight to verdict, on this thread: it
 * can be as much as the engine holds. */
iv_rc iv_verify_finish(struct iv_verify *verify, iv_verdict_fn verdict, void *ctx, struct iv_err *err);

/* The follower: at rest between a drain and the next flush, and else only to be asked what concerns it, which
 * never changes. */
struct iv_engine *iv_verify_engine(struct iv_verify *verify);

/* Of the follower's state (engine.h), from its next parcel on. From any thread. */
void iv_verify_limit(struct iv_verify *verify, uint64_t bytes);

/* As of the last parcel that is through. */
void iv_verify_stats(struct iv_verify *verify, struct iv_engine_stats *out);
void iv_verify_rule_stats(struct iv_verify *verify, uint16_t rule_index, struct iv_rule_stats *out);
/* Events that wait for their verification or for the follower. */
size_t iv_verify_queue(struct iv_verify *verify);

/* The processors that this process may use, less the one that leads. */
unsigned iv_verify_threads_default(void);
