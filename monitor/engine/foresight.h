/* SPDX-License-Identifier: Apache-2.0 */
/* What is worked out of an event before its turn comes.
 * Purpose: with a million events alive nearly every step of an evaluation waits for memory. Of events that
 * are known to come, each step is taken for all of them before the next, so that they wait together.
 * Owner/thread: one engine. Guarantee: nothing depends on whether an event was foreseen; what is found on the
 * way is asked of the memory, and looked up anew when it is used. */
#pragma once

#include "engine/core.h"

struct iv_foresight {
    const struct iv_engine *engine; /* whose it is; others see the same event */
    struct iv_concern *concern;
    uint64_t age;      /* of the dispatch when it gave the concern */
    uint64_t identity; /* its hash, where the engine keeps them */
    struct iv_tree_claim claim;
    struct iv_key_place *keys; /* by the concern's groups */
};

iv_rc iv_foresights_init(struct iv_engine *e, struct iv_err *err);
void iv_foresights_deinit(struct iv_engine *e);

/* That of the event, worked out now if nobody did, and valid until the next call; NULL when memory is out. */
struct iv_foresight *iv_foresight_of(struct iv_engine *e, struct iv_event *event);

/* The keys that programs make: they can fail, and a repeated record must not be told of, so their turn comes
 * when the event is known to be new. */
void iv_foresight_complete(struct iv_engine *e, struct iv_foresight *f, struct iv_event *event,
                           uint32_t params);
