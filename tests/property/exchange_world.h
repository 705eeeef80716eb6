/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange in memory: fronts, backs, and topics that keep what was sent.
 * Owner/thread: one thread; a run is a function of its seed. */
#pragma once

#include "generate.h"

#include "baseline/baseline.h"
#include "engine/engine.h"

/* Verdicts as lines that two runs can be compared by: what does not depend on when something arrived. */
struct said {
    const struct iv_baseline *baseline;
    const struct arrivals *arrivals; /* evidence is held against them */
    struct iv_str *lines;
    size_t count;
    size_t capacity;
    struct iv_arena arena;
};
void said_deinit(struct said *said);

/* The records as producers keep to the contract: a tenant's on one partition of that many, one event's too.
 * world has the partitions then. */
struct arrivals by_tenant(const struct arrivals *arrivals, struct world *world, int32_t partitions,
                          struct iv_baseline *baseline, struct iv_arena *arena);

/* One engine that is told everything. Both runs end with all partitions silent for long. */
iv_rc run_whole(struct said *out, struct iv_baseline *baseline, const struct world *world,
                struct iv_err *err);
/* A front and a back for each partition. */
iv_rc run_exchange(struct said *out, struct iv_baseline *baseline, const struct world *world, uint64_t seed,
                   struct iv_err *err);

/* Whether the runs so far had everything in them that they should show; prints how often. */
bool exchange_coverage(void);
