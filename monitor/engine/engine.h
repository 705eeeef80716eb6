/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: from events in any order of arrival to verdicts.
 * Purpose: emit exactly the set of violations that the baseline denotes over the events, each once, as early
 * as the streams allow (contract "Rules", what a rule means).
 * Owner/thread: one thread; several engines share nothing but the immutable baseline.
 * Guarantee: pure. No input or output, no clock, no globals: the same calls in the same order give the same
 * verdicts. After IV_E_NOMEM the engine is spent and must be freed.
 * Not here: reading (stream/), keeping (evidence/), acting (respond/). */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "baseline/baseline.h"
#include "engine/losses.h"
#include "engine/share.h"
#include "event/event.h"

/* An event as evidence. Valid during the call that hands it over. */
struct iv_sighting {
    struct iv_str source;
    struct iv_str id;
    const struct iv_event_type *type;
    iv_ns time;
    struct iv_origin origin;
    /* SHA-256 of the record's bytes; n is 0 unless the engine was asked for digests */
    struct iv_digest digest;
    /* a trigger: its attributes and scalar fields; a partner: at least what the rule reads */
    struct iv_object object;
};

enum iv_verdict_kind {
    IV_VIOLATED,
    IV_UPDATED,      /* a violation that was emitted before, with more witnesses (EVT-001) */
    IV_CONTRADICTED, /* a violation that was emitted before, and that a late event speaks against */
    IV_INCONCLUSIVE,
    IV_OPEN,
};

#define IV_UID_BYTES 32

struct iv_verdict {
    enum iv_verdict_kind kind;
    const struct iv_rule *rule;
    /* SHA-256 over rule, trigger's identity and content: the same on every run */
    unsigned char uid[IV_UID_BYTES];
    struct iv_sighting trigger;
    /* the partners that prove it, by time, source, id; bounded, see total */
    const struct iv_sighting *witnesses;
    size_t witness_count;
    size_t witness_total;           /* of which witnesses holds the first */
    const struct iv_waiver *waiver; /* not NULL: suppressed */
    iv_ns deadline;                 /* of a require: the end of its window */
    struct iv_str detail;           /* why inconclusive, or what contradicted; may be empty */
};

/* Called for each verdict, from inside iv_engine_event and the calls that move time. */
typedef void (*iv_verdict_fn)(void *ctx, const struct iv_verdict *verdict);

/* An expression that failed at run time (contract: counts as false; the first of each kind is reported). */
typedef void (*iv_complaint_fn)(void *ctx, const struct iv_rule *rule, const struct iv_event *event,
                                const struct iv_err *why);

/* To stay within its limit the engine has forgotten what this rule still needed: of triggers in that event
 * time it may have seen less than there was (cause EVICTED). Called from inside iv_engine_event and the calls
 * that move time. */
typedef void (*iv_evicted_fn)(void *ctx, const struct iv_rule *rule, const struct iv_loss *loss);

/* How many events of an hour of event time a rule has judged so far: those that it looked at as its trigger,
 * repeated ones aside. Absolute: what is told later of the same hour replaces it. */
#define IV_POPULATION_HOUR (3600 * IV_NS_PER_S)
struct iv_populated {
    const struct iv_rule *rule;
    iv_ns since;    /* all that the rule judged of this time and behind it was counted */
    iv_ns hour;     /* where it begins */
    uint64_t count; /* 0: this tells of `since` alone */
};
typedef void (*iv_populated_fn)(void *ctx, const struct iv_populated *populated);

/* Where the hour of this time begins. */
static inline iv_ns iv_population_hour(iv_ns time)
{
    iv_ns past = time % IV_POPULATION_HOUR;
    past += past < 0 ? IV_POPULATION_HOUR : 0;
    return time < IV_NS_MIN + past ? IV_NS_MIN : time - past;
}

struct iv_engine_options {
    iv_verdict_fn verdict;
    iv_evicted_fn evicted; /* may be NULL */
    iv_populated_fn
        populated; /* of an hour that leaves the memory, from inside iv_engine_event; may be NULL */
    iv_complaint_fn complaint; /* may be NULL */
    void *ctx;
    bool digests; /* sightings carry the digest of their record's bytes */
    struct iv_hash_key hash_key;
    /* The rules that are this engine's, a bit for each index; NULL: all. Several engines that split a
     * baseline's rules between them come to the verdicts of one. The one that has EVT-001 keeps the
     * identities; it sees every event, and the others what it says of them (see iv_engine_reached). Used
     * during iv_engine_new only. */
    const uint64_t *rules;
    struct iv_share share; /* of the keys of these rules (share.h) */
    bool no_gates; /* looks at rules also where one field tells that they are surely false: for tests */
};

struct iv_engine;

/* Takes a reference to the baseline. */
iv_rc iv_engine_new(struct iv_engine **out, struct iv_baseline *baseline,
                    const struct iv_engine_options *options, struct iv_err *err);
void iv_engine_free(struct iv_engine *engine);
void iv_engine_freep(struct iv_engine **engine);

/* A partition exists from now on and holds its stream's watermark back until it has been read. All partitions
 * of a replay are opened before the first event. */
iv_rc iv_engine_open(struct iv_engine *engine, enum iv_stream stream, int32_t partition, struct iv_err *err);

/* The stream's beginning is gone (retention removed it): from now on as with history: partial in the
 * baseline. */
void iv_engine_joined_midway(struct iv_engine *engine, enum iv_stream stream);

/* Events were missed that concern these rules (a bit for each index; NULL: all), of times up to the greatest
 * seen or `until`: what was seen goes on to prove what it proves, but that something was not seen before then
 * proves nothing. */
iv_rc iv_engine_missed(struct iv_engine *engine, const uint64_t *rules, iv_ns until, struct iv_err *err);

/* Events that iv_engine_event is told next, in this order, at most IV_FORESEEN of them; no other call comes
 * in between. Nothing but time depends on it: they wait for memory together. They stay where they are until
 * they were told. */
#define IV_FORESEEN 16
void iv_engine_foresee(struct iv_engine *engine, struct iv_event *const events[], size_t count);

/* One decoded event, duplicates and late ones included. The event need not outlive the call. An engine that
 * keeps identities says in event->standing what it is. */
iv_rc iv_engine_event(struct iv_engine *engine, struct iv_event *event, struct iv_err *err);

/* For an engine without EVT-001, instead of an event that is IV_STANDING_REPEATED, or that concerns none of
 * its rules: the event's partition was read up to its time. */
iv_rc iv_engine_reached(struct iv_engine *engine, enum iv_stream stream, int32_t partition, iv_ns time,
                        struct iv_err *err);
/* Whether events of this type are triggers or partners of one of the engine's rules; EVT-001 asks for none.
 */
bool iv_engine_concerns(const struct iv_engine *engine, const struct iv_event_type *type);

/* Live: the partition was read to its end and has been silent for the baseline's idle time; its watermark is
 * wall time less lateness, until it speaks again. A time long past moves none, and lets the engine decide
 * more of what is overdue (iv_engine_stats). */
iv_rc iv_engine_idle(struct iv_engine *engine, enum iv_stream stream, int32_t partition, iv_ns wall,
                     struct iv_err *err);

/* The end of input of a replay: every stream advances to the greatest event time seen; what is undecided then
 * is open. */
iv_rc iv_engine_finish(struct iv_engine *engine, struct iv_err *err);

/* From now on the state is held below so many bytes (0: unbounded), as far as it can be: the rules that hold
 * most forget the older half of it, which can make verdicts inconclusive, and violations go unfound, but none
 * wrong. Identities within dedup and the logs of trees are never given up. */
void iv_engine_limit(struct iv_engine *engine, uint64_t bytes);
/* One such step, whatever the limit; *any: something was forgotten. */
iv_rc iv_engine_evict(struct iv_engine *engine, bool *any, struct iv_err *err);

struct iv_engine_stats {
    uint64_t events; /* handed over, duplicates and unknown types included */
    uint64_t duplicates;
    uint64_t late;
    uint64_t unknown_type;
    uint64_t evaluations; /* of conditions */
    uint64_t failures;    /* expressions that failed */
    uint64_t verdicts[5]; /* by enum iv_verdict_kind */
    uint64_t kept;        /* obligations of require that were fulfilled */
    uint64_t live_events; /* stored now */
    uint64_t armed;       /* deadlines armed now */
    uint64_t overdue;     /* 1: more fell due at once than calls had room for; the next ones decide it */
    uint64_t state_bytes;
    uint64_t evictions;
    iv_ns watermark[IV_STREAMS]; /* IV_NS_MIN: none yet */
};
void iv_engine_stats(const struct iv_engine *engine, struct iv_engine_stats *out);
/* The figures of work (evaluations, failures, verdicts, kept) begin at 0: of an engine that was made from
 * another, which lives on and counts them itself. */
void iv_engine_begin_work(struct iv_engine *engine);
/* Calls visit for each rule and hour that was counted in since the last call, and once, with the count 0, for
 * each rule that is the engine's. */
void iv_engine_populations(struct iv_engine *engine, iv_populated_fn visit, void *ctx);
/* Of one rule. */
struct iv_rule_stats {
    uint64_t triggers;
    uint64_t violations;
    uint64_t inconclusive;
    uint64_t failures;
};
void iv_engine_rule_stats(const struct iv_engine *engine, uint16_t rule_index, struct iv_rule_stats *out);
