/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle says was found, held against what its baselines find in the records themselves.
 * Purpose: that a finding is in the log proves that it was recorded, not that it is right.
 * Owner/thread: the main thread. */
#pragma once

#include "app/command.h"
#include "event/event.h"
#include "evidence/bundle.h"

struct iv_evidence_replay;

iv_rc iv_evidence_replay_new(struct iv_evidence_replay **out, struct iv_err *err);
void iv_evidence_replay_free(struct iv_evidence_replay *replay);
void iv_evidence_replay_freep(struct iv_evidence_replay **replay);

/* An iv_bundle_visit; ctx is the replay. Takes baselines and findings. */
iv_rc iv_evidence_replay_take(void *ctx, const struct iv_bundle_leaf *leaf, struct iv_err *err);

struct iv_evidence_verdicts {
    uint64_t baselines;    /* that the records were judged under */
    uint64_t agreed;       /* violations of the period that both have */
    uint64_t open;         /* that only the bundle has: the records end before their deadline */
    uint64_t inconclusive; /* that the records decide, and the bundle has as not decided */
    uint64_t
        elsewhere; /* that the bundle has under a baseline which it has not: another process told of them */
    uint64_t invented; /* that only the bundle has: its own baseline does not find them */
    uint64_t missing;  /* that every baseline finds, and the bundle has not */
    char example[160]; /* one of the latter two */
};
/* Violations whose trigger is of the period: from <= time < until. IV_E_REFUSED: a baseline cannot be loaded
 * here. */
iv_rc iv_evidence_replay_run(struct iv_evidence_verdicts *out, struct iv_evidence_replay *replay,
                             const struct iv_words files[IV_STREAMS], iv_ns from, iv_ns until,
                             struct iv_err *err);
