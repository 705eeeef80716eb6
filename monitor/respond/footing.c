/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/footing.h"

#include "base/guard.h"
#include "baseline/baseline.h"
#include "evidence/footing.h"

struct inquest {
    const struct iv_baseline *baseline;
    struct iv_arena *arena;
    struct iv_footing_word *out;
    bool found;
};

/* NULL: nothing speaks against it. */
static const char *speaks_against(const struct iv_footing *s, const struct iv_baseline *baseline)
{
    const struct iv_rule *rule = baseline == NULL ? NULL : iv_baseline_rule(baseline, s->rule);
    if (s->kind == IV_CONTRADICTED) {
        return "later evidence contradicts the finding";
    }
    if (s->kind != IV_VIOLATED && s->kind != IV_UPDATED) {
        return "the finding is no violation";
    }
    bool waived = baseline != NULL &&
                  iv_baseline_waiver_by_names(baseline, s->rule, s->tenant, s->agent, s->time) != NULL;
    if (s->waived || waived) {
        return "a waiver of the baseline holds for the finding";
    }
    if (s->triage == IV_TRIAGE_CLOSED || s->triage == IV_TRIAGE_SUPPRESSED) {
        return s->triage == IV_TRIAGE_CLOSED ? "somebody closed the finding"
                                             : "somebody suppressed the finding";
    }
    if (s->mode != IV_MODE_ENFORCE) {
        return "its rule was observed when the finding was made";
    }
    if (baseline != NULL && rule == NULL) {
        return "its rule is not in force any more";
    }
    return rule != NULL && rule->mode != IV_MODE_ENFORCE ? "its rule is observed by now" : NULL;
}

static bool look_at(void *ctx, const struct iv_footing *s)
{
    struct inquest *q = ctx;
    const char *why = speaks_against(s, q->baseline);
    if (why == NULL) {
        q->out->why = NULL;
        q->out->finding = iv_arena_str(q->arena, s->finding);
    } else if (!q->found) {
        q->out->why = why; /* of the one that it was planned for, where the store has it */
    }
    q->found = true;
    return why != NULL;
}

iv_rc iv_footing_ask(struct iv_footing_word *out, struct iv_store *store,
                     const struct iv_execution *execution, const struct iv_baseline *baseline,
                     struct iv_arena *arena, struct iv_err *err)
{
    struct inquest q = {.baseline = baseline, .arena = arena, .out = out};
    *out = (struct iv_footing_word){.why = NULL};
    TRY(iv_store_footings(store, execution, look_at, &q, err));
    ENSURE(!q.found || out->why != NULL || out->finding.p != NULL, err, IV_E_NOMEM,
           "cannot allocate a finding's name");
    return IV_OK;
}
