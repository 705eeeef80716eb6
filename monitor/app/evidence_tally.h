/* SPDX-License-Identifier: Apache-2.0 */
/* A period by criterion: what was found, in how much, and how much of the time was seen.
 * Purpose: that nothing was found is said only together with what there was to find it in.
 * Owner/thread: the main thread. Not here: how it is shown (evidence_tell.h). */
#pragma once

#include "app/command.h"
#include "base/arena.h"
#include "base/spans.h"
#include "baseline/baseline.h"
#include "evidence/outcome.h"
#include "evidence/population.h"
#include "evidence/reader.h"

struct iv_tally_rule {
    const struct iv_rule *rule;
    struct iv_outcome_counts counts;
    struct iv_population_known judged;
    struct iv_spans covered; /* of the period */
};

struct iv_tally_criterion {
    const char *name;
    enum iv_outcome outcome;
    size_t rules;
    struct iv_outcome_counts counts;   /* of all its rules; an event that several judge counts for each */
    struct iv_population_known judged; /* likewise */
    struct iv_spans covered;           /* what is covered of all of them */
    double share;                      /* of the period */
};

struct iv_tally {
    iv_ns from;
    iv_ns until;
    struct iv_baseline *baseline;
    uint64_t baselines; /* that were put in force before the period's end */
    bool counted;       /* populations are those of the records given, else what the store has of them */
    uint64_t events;    /* in which they were counted */
    uint64_t others;    /* violations of rules that the baseline does not have */
    struct iv_tally_rule *rules;
    size_t rule_count;
    struct iv_tally_criterion *criteria;
    size_t criterion_count;
    struct iv_arena arena;
};

/* files: the records of the streams, to count populations in; none at all: what the monitor has counted, by
 * whole hours, as far as it was kept. */
iv_rc iv_tally_make(struct iv_tally *out, struct iv_reader *reader, iv_ns from, iv_ns until,
                    const struct iv_words files[IV_STREAMS], struct iv_err *err);
void iv_tally_deinit(struct iv_tally *tally);
/* Whether the rule tests the criterion. */
bool iv_tally_tests(const struct iv_rule *rule, const char *criterion);
