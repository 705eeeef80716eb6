/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the engine over records in order of arrival, and what it said when.
 * Owner/thread: one thread; a run is made, read and freed. */
#pragma once

#include "generate.h"
#include "reference/reference.h"

#include "engine/engine.h"

struct emission {
    const struct iv_rule *rule;
    enum iv_verdict_kind kind;
    struct iv_str source;
    struct iv_str id;
    iv_ns time;
    bool waived;
    unsigned char uid[IV_UID_BYTES];
    size_t witness_total;
    size_t after; /* how many records had arrived */
};

struct forgotten {
    const struct iv_rule *rule;
    iv_ns from;
    iv_ns until;
};

struct engine_run {
    const struct iv_event **events; /* decoded, in order of arrival */
    size_t event_count;
    struct emission *emissions;
    size_t emission_count;
    size_t emission_capacity;
    struct iv_arena arena;
    size_t arrived;              /* so far */
    struct forgotten *forgotten; /* what was told of evictions */
    size_t forgotten_count;
    struct iv_engine_stats stats; /* of the first engine, at the end; and its rules', by their index */
    struct iv_rule_stats *rules;
    struct iv_err err; /* of an engine that failed */
};

/* The rules are split between two engines, as the app does it: the second sees only what concerns it, behind
 * the first by as much as the dice say. */
struct split {
    struct dice dice;
    const uint64_t *second; /* its rules, a bit for each index */
};

/* What an engine must not notice, or only as far as the rules changed. */
struct upheaval {
    struct dice dice;
    bool restores;              /* now and then each engine is replaced by one made from its snapshot */
    struct iv_baseline *reload; /* NULL, or what is in force after so many records */
    size_t reload_after;
    bool no_gates; /* every rule of an event's type is looked at */
    bool evicts;   /* now and then the engine forgets what it still needs */
};

/* split NULL: one engine for all rules; upheaval NULL: none. NULL on success, else what went wrong that never
 * may: a generated record that does not decode, an engine that fails. */
const char *engine_run(struct engine_run *run, struct iv_baseline *baseline, const struct world *world,
                       const struct arrivals *arrivals, const struct split *split,
                       const struct upheaval *upheaval);
void engine_run_deinit(struct engine_run *run);
