/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange in memory: fronts, backs, and topics that keep what was sent.
 * Owner/thread: one thread; a run is a function of its seed. */
#pragma once

#include "exchange_said.h"

struct circumstances {
    struct iv_baseline *before;
    struct iv_baseline *after; /* what each takes up at a moment of its own; NULL: nothing changes */
    bool loses;                /* some packets never come */
};

/* A front and a back for each partition; at the end all is read and taken, and silent for long. */
iv_rc run_exchange(struct said *out, const struct circumstances *how, const struct world *world,
                   uint64_t seed, struct iv_err *err);

/* Whether the runs so far had everything in them that they should show; prints how often. */
bool exchange_coverage(void);
