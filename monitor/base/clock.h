/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as values, so that tests bring their own. The core has none. */
#pragma once

#include "time.h"

struct iv_clock {
    iv_ns (*wall)(void *ctx);      /* since the epoch */
    iv_ns (*monotonic)(void *ctx); /* since some fixed moment; never steps */
    void *ctx;
};

/* The system's clocks. */
struct iv_clock iv_clock_system(void);

static inline iv_ns iv_wall(const struct iv_clock *clock)
{
    return clock->wall(clock->ctx);
}

static inline iv_ns iv_monotonic(const struct iv_clock *clock)
{
    return clock->monotonic(clock->ctx);
}
