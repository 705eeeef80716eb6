/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/outcome.h"

#include "evidence/reader.h"

void iv_outcome_count(struct iv_outcome_counts *counts, const struct iv_finding_count *found)
{
    uint64_t n = (uint64_t)found->count;
    bool violation = found->kind == IV_VIOLATED || found->kind == IV_UPDATED;
    counts->violations += violation ? n : 0;
    counts->waived += violation && found->suppressed ? n : 0;
    counts->contradicted += found->kind == IV_CONTRADICTED ? n : 0;
    counts->undecided += found->kind == IV_INCONCLUSIVE || found->kind == IV_OPEN ? n : 0;
}

void iv_outcome_add(struct iv_outcome_counts *to, const struct iv_outcome_counts *counts)
{
    to->population += counts->population;
    to->violations += counts->violations;
    to->waived += counts->waived;
    to->contradicted += counts->contradicted;
    to->undecided += counts->undecided;
}

const char *iv_outcome_name(enum iv_outcome outcome)
{
    static const char *const names[] = {
        [IV_OUTCOME_FAIL] = "fail",
        [IV_OUTCOME_INCONCLUSIVE] = "inconclusive",
        [IV_OUTCOME_NO_POPULATION] = "no population",
        [IV_OUTCOME_PASS] = "pass",
        [IV_OUTCOME_NO_VIOLATION] = "no violation",
        [IV_OUTCOME_NO_RULE] = "not testable here",
        [IV_OUTCOME_OUTSIDE] = "not testable here",
    };
    return names[outcome];
}

enum iv_outcome iv_outcome_of(const struct iv_outcome_grounds *g)
{
    if (!g->ruled) {
        return g->shown ? IV_OUTCOME_NO_RULE : IV_OUTCOME_OUTSIDE;
    }
    if (g->counts.violations > g->counts.waived) {
        return IV_OUTCOME_FAIL;
    }
    if (g->counts.undecided > 0 || !g->covered) {
        return IV_OUTCOME_INCONCLUSIVE;
    }
    if (!g->counted) {
        return IV_OUTCOME_NO_VIOLATION;
    }
    return g->counts.population == 0 ? IV_OUTCOME_NO_POPULATION : IV_OUTCOME_PASS;
}
