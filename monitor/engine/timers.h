/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines in order of (deadline, insertion): a heap of arity four, whose levels share cache lines.
 * Purpose: no cascades, so no pause; ties are deterministic.
 * Owner/thread: one engine. A timer that is no longer wanted stays until its deadline: whoever pops it
 * looks. */
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_timer {
    iv_ns deadline;
    uint64_t order;
    uint32_t ref;
};

struct iv_timers {
    struct iv_timer *heap;
    uint32_t count;
    uint32_t capacity;
};

void iv_timers_deinit(struct iv_timers *timers);
/* False when memory is out. */
bool iv_timers_push(struct iv_timers *timers, iv_ns deadline, uint64_t order, uint32_t ref);
/* NULL when empty; the earliest otherwise. */
const struct iv_timer *iv_timers_first(const struct iv_timers *timers);
void iv_timers_pop(struct iv_timers *timers);
