/* SPDX-License-Identifier: Apache-2.0 */
/* A set of hashes for counting different values; emptied in no time, so that one serves every count.
 * Owner/thread: one engine. */
#pragma once

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_distinct {
    struct iv_distinct_slot {
        struct iv_hash128 value;
        uint64_t round; /* the slot is taken if it is the set's */
    } * slots;
    uint32_t capacity;
    uint32_t count;
    uint64_t round;
};

void iv_distinct_deinit(struct iv_distinct *set);
void iv_distinct_clear(struct iv_distinct *set);
/* False when memory is out; count grows if the value is new. */
bool iv_distinct_add(struct iv_distinct *set, struct iv_hash128 value);
