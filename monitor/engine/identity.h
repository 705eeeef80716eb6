/* SPDX-License-Identifier: Apache-2.0 */
/* Which events were seen before: duplicates, and equivocations (EVT-001).
 * Guarantee: an identity is remembered until the watermark of all streams has passed its time by the
 * baseline's dedup; one that equivocated, for IV_AFTERMATH_NS.
 * A content covers source and id (event.h), so equal contents need no look at them; records of one identity
 * are linked, the first is in the table. Source: contract "Rules", duplicates. */
#pragma once

#include "engine/core.h"

/* A source and id. */
struct iv_identity {
    uint64_t hash;
    uint32_t first; /* a record that has it, and that leads to the others; 0: none is remembered */
};

/* Hashes source and id, and asks the memory for what the other calls will read. */
uint64_t iv_identity_hash(struct iv_engine *e, const struct iv_event *event);
/* Whether the event is so old that its identity would have been forgotten. Nothing is asked or kept of such a
 * one. */
bool iv_identity_forgotten(const struct iv_engine *e, const struct iv_event *event);
/* If not, says where the identity's records begin. */
bool iv_identity_repeats(const struct iv_engine *e, struct iv_identity *identity,
                         const struct iv_event *event);
/* Remembers a new content, and emits or updates the identity's equivocation where it is part of one. */
void iv_identity_note(struct iv_engine *e, const struct iv_identity *identity, uint32_t rec);
/* One that was noted before. */
struct iv_remembered {
    bool told;          /* it is part of an equivocation, */
    bool identity_told; /* which was emitted */
    bool aftermath;     /* it waits for more of them */
};
void iv_identity_put(struct iv_engine *e, const struct iv_event *event, uint32_t rec,
                     const struct iv_remembered *how);
void iv_identity_sweep(struct iv_engine *e);
