/* SPDX-License-Identifier: Apache-2.0 */
/* All rules of a baseline, each in the engine where it belongs.
 * Purpose: rules that check signatures have an engine of their own, so that the others need not wait for
 * them: behind verifying threads (verify.h), or, with none, on the caller's. Without such a rule there is one
 * engine and nothing else.
 * Owner/thread: one thread makes the calls; where verdicts are told is said below.
 * Guarantee: the same calls tell the same verdicts, whatever the number of threads. */
#pragma once

#include "engine/engine.h"
#include "judge/commit.h"

struct iv_judge;

/* Rules that are global are decided through the exchange (exchange_back.h). */
enum iv_judge_part { IV_JUDGE_ALL, IV_JUDGE_LOCAL, IV_JUDGE_GLOBAL };

#define IV_JUDGE_ENGINES 2

struct iv_judge_options {
    struct iv_baseline *baseline; /* a reference is taken */
    /* NULL, or one of the same hash key that has settled, and stays as it is: what it knows is taken over for
     * the rules that have not changed, and the others start midway (engine/snapshot.h). Used by iv_judge_new
     * only. */
    struct iv_judge *from;
    /* Else the snapshots of another one's engines, in the order of iv_judge_engines; n 0: none. Their hash
     * key wins. Used by iv_judge_new only; IV_E_MALFORMED: they are damaged. */
    struct iv_str bytes[IV_JUDGE_ENGINES];
    bool digests;
    struct iv_hash_key hash_key;
    unsigned verifiers; /* threads; 0: none */
    enum iv_judge_part part;
    struct iv_share share; /* GLOBAL: of the keys; else all zero */
    /* With `through` NULL, verdicts are told in the order of the events at which they were found, on any
     * thread, one at a time; all of them by the end of iv_judge_finish or iv_judge_settle. Else those of the
     * rules that check no signatures are told at once, on the caller's thread, and `through` is given the
     * others by the verifying threads, one at a time and in order, together with what iv_judge_flush was
     * given; either may be NULL, both now belong to it. */
    iv_verdict_fn verdict;
    void (*through)(void *ctx, struct iv_commit *before, struct iv_commit *found);
    iv_complaint_fn complaint; /* from any thread; may be NULL */
    /* What the rules that check no signatures had to forget, on the caller's thread; the others' comes with
     * what `through` is given. May be NULL. */
    iv_evicted_fn evicted;
    /* How many events rules have judged, of the rules that check no signatures, or those too where no
     * threads verify, on the caller's thread. May be NULL. */
    iv_populated_fn populated;
    struct iv_cell_place cell; /* whose populations those are that come with what `through` is given */
    void *ctx;
};

iv_rc iv_judge_new(struct iv_judge **out, const struct iv_judge_options *options, struct iv_err *err);
void iv_judge_free(struct iv_judge *judge);
void iv_judge_freep(struct iv_judge **judge);

/* As of the engine. */
iv_rc iv_judge_open(struct iv_judge *judge, enum iv_stream stream, int32_t partition, struct iv_err *err);
iv_rc iv_judge_joined_midway(struct iv_judge *judge, enum iv_stream stream, struct iv_err *err);
/* As of the engine; settles first. */
iv_rc iv_judge_missed(struct iv_judge *judge, const uint64_t *rules, iv_ns until, struct iv_err *err);
/* As of the engine, the events before the next calls of iv_judge_event; a hint. */
void iv_judge_foresee(struct iv_judge *judge, struct iv_event *const events[], size_t count);
/* event->record is set, and need not outlive the call. Waits where verification is too far behind. */
iv_rc iv_judge_event(struct iv_judge *judge, struct iv_event *event, struct iv_err *err);
/* Of a judge without EVT-001, as of the engine: of a record that concerns none of its rules. */
iv_rc iv_judge_reached(struct iv_judge *judge, enum iv_stream stream, int32_t partition, iv_ns time,
                       struct iv_err *err);
iv_rc iv_judge_idle(struct iv_judge *judge, enum iv_stream stream, int32_t partition, iv_ns wall,
                    struct iv_err *err);
iv_rc iv_judge_finish(struct iv_judge *judge, struct iv_err *err);

/* Whether rules run beside the caller, so that `through` will be called. */
bool iv_judge_beside(const struct iv_judge *judge);
/* Lets the verifying threads have what they were not given yet. before (or NULL) reaches `through` after all
 * that was told earlier, and is taken in any case; only where rules run beside. */
iv_rc iv_judge_flush(struct iv_judge *judge, struct iv_commit *before, struct iv_err *err);
/* Waits until all verdicts on what was told so far are out. */
iv_rc iv_judge_settle(struct iv_judge *judge, struct iv_err *err);

/* Its engines, after it has settled and until its next call: for their snapshots. Answers how many there are.
 */
size_t iv_judge_engines(struct iv_judge *judge, struct iv_engine *out[IV_JUDGE_ENGINES]);
/* What the decoder of its events must have. */
struct iv_hash_key iv_judge_hash_key(const struct iv_judge *judge);

/* The state of its engines is held below so many bytes together (engine.h); 0: unbounded. */
void iv_judge_limit(struct iv_judge *judge, uint64_t bytes);

/* Tells `populated` what has changed since the last call. The others' comes with the next commit that
 * iv_judge_flush is given. */
void iv_judge_populations(struct iv_judge *judge);

/* Events are counted once; rules beside are as of what is through. */
void iv_judge_stats(struct iv_judge *judge, struct iv_engine_stats *out);
void iv_judge_rule_stats(struct iv_judge *judge, uint16_t rule_index, struct iv_rule_stats *out);
/* Events that wait for a verification. */
size_t iv_judge_queue(struct iv_judge *judge);
