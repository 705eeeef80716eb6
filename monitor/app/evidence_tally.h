/* SPDX-License-Identifier: Apache-2.0 */
/* A period by criterion: what was found, in how much, and how much of the time was seen.
 * Purpose: that nothing was found is said only together with what there was to find it in.
 * Owner/thread: the main thread. Not here: how it is shown (evidence_tell.h). */
#pragma once

#include "app/command.h"
#include "base/arena.h"
#include "base/spans.h"
#include "baseline/baseline.h"
#include "evidence/reader.h"

struct iv_tally_counts {
    uint64_t population; /* events that the rules had to judge; only where records were counted */
    uint64_t violations; /* also waived and observed ones */
    uint64_t waived;
    uint64_t contradicted; /* by a late event: violations no longer */
    uint64_t undecided;    /* inconclusive, and open */
};

struct iv_tally_rule {
    const struct iv_rule *rule;
    struct iv_tally_counts counts;
    struct iv_spans covered; /* of the period */
};

enum iv_tally_status {
    IV_TALLY_FAIL,          /* a violation that nobody waived */
    IV_TALLY_INCONCLUSIVE,  /* none, but something is undecided, or not all of the time was seen */
    IV_TALLY_NO_POPULATION, /* all was seen, and there was nothing to judge */
    IV_TALLY_PASS,
    IV_TALLY_NO_VIOLATION, /* a pass or no population: nobody counted */
    IV_TALLY_NO_RULE,      /* not testable here: the baseline has no rule for it */
    IV_TALLY_OUTSIDE,      /* not testable here: no stream can show it */
};
const char *iv_tally_status_name(enum iv_tally_status status);

struct iv_tally_criterion {
    char name[8];
    enum iv_tally_status status;
    size_t rules;
    struct iv_tally_counts counts; /* of all its rules; an event that several judge counts for each */
    struct iv_spans covered;       /* what is covered of all of them */
    double share;                  /* of the period */
};

struct iv_tally {
    iv_ns from;
    iv_ns until;
    struct iv_baseline *baseline;
    uint64_t baselines; /* that were put in force before the period's end */
    bool counted;       /* populations are */
    uint64_t events;    /* that were counted */
    uint64_t others;    /* violations of rules that the baseline does not have */
    struct iv_tally_rule *rules;
    size_t rule_count;
    struct iv_tally_criterion *criteria;
    size_t criterion_count;
    struct iv_arena arena;
};

/* files: the records of the streams, to count populations in; none at all: they are not counted. */
iv_rc iv_tally_make(struct iv_tally *out, struct iv_reader *reader, iv_ns from, iv_ns until,
                    const struct iv_words files[IV_STREAMS], struct iv_err *err);
void iv_tally_deinit(struct iv_tally *tally);
/* Whether the rule tests the criterion. */
bool iv_tally_tests(const struct iv_rule *rule, const char *criterion);
