/* SPDX-License-Identifier: Apache-2.0 */
/* Handing verdicts over.
 * Guarantee: of one rule, trigger identity and content a violation is emitted once, also where a late record
 * repeats an event that the engine has forgotten; so is an undecided one. */
#pragma once

#include "engine/core.h"

/* The first of the witnesses by time, source and id, and how many there are. */
struct iv_witnesses {
    uint32_t recs[IV_WITNESS_MAX];
    size_t count;
    size_t total;
};
void iv_witness_add(const struct iv_engine *e, struct iv_witnesses *w, uint32_t rec);

struct iv_ruling {
    enum iv_verdict_kind kind;
    const struct iv_rule *rule;
    uint32_t trigger;
    iv_ns deadline;
    const char *detail; /* NULL: none */
    bool of_identity;   /* the uid covers the identity alone, whatever its content (EVT-001) */
};
/* A verdict that was emitted before, by what stands for its uid. */
void iv_emitted_put(struct iv_engine *e, struct iv_hash128 key);
/* w NULL: no witnesses. */
void iv_emit(struct iv_engine *e, const struct iv_ruling *ruling, const struct iv_witnesses *w);
