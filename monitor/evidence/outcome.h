/* SPDX-License-Identifier: Apache-2.0 */
/* What a period comes to for a criterion, in the report for auditors and on the console.
 * Purpose: that nothing was found is said only together with what there was to find it in.
 * Owner/thread: pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct iv_finding_count;

struct iv_outcome_counts {
    uint64_t population; /* events that the rules had to judge; only where records were counted */
    uint64_t violations; /* also waived and observed ones */
    uint64_t waived;
    uint64_t contradicted; /* by a late event: violations no longer */
    uint64_t undecided;    /* inconclusive, and open */
};
void iv_outcome_count(struct iv_outcome_counts *counts, const struct iv_finding_count *found);
void iv_outcome_add(struct iv_outcome_counts *to, const struct iv_outcome_counts *counts);

enum iv_outcome {
    IV_OUTCOME_FAIL,          /* a violation that nobody waived */
    IV_OUTCOME_INCONCLUSIVE,  /* none, but something is undecided, or not all of the time was seen */
    IV_OUTCOME_NO_POPULATION, /* all was seen, and there was nothing to judge */
    IV_OUTCOME_PASS,
    IV_OUTCOME_NO_VIOLATION, /* a pass or no population: nobody counted */
    IV_OUTCOME_NO_RULE,      /* not testable here: the baseline has no rule for it */
    IV_OUTCOME_OUTSIDE,      /* not testable here: no stream can show it */
};
const char *iv_outcome_name(enum iv_outcome outcome);

struct iv_outcome_grounds {
    struct iv_outcome_counts counts;
    bool shown;   /* a stream can show it */
    bool ruled;   /* the baseline has a rule for it */
    bool covered; /* the whole period */
    bool counted; /* the population is */
};
enum iv_outcome iv_outcome_of(const struct iv_outcome_grounds *grounds);
