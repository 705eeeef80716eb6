/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as values, so that tests bring their own. The core has none. */
#pragma once

#include "base/time.h"

struct iv_clock {
    iv_ns (*wall)(void *ctx);      /* since the epoch */
    iv_ns (*monotonic)(void *ctx); /* since some fixed moment; never steps */
    void *ctx;
};

/* The system's clocks. */
struct iv_clock iv_clock_system(void);

/* Lets time pass, by the system's clock: for what is paced by time alone. Who waits for a condition waits on
 * it. */
void iv_pause(iv_ns length);
/* So far from now by the system's monotonic clock, for pthread_cond_timedwait under CLOCK_MONOTONIC. */
struct timespec;
void iv_monotonic_in(struct timespec *out, iv_ns length);

static inline iv_ns iv_wall(const struct iv_clock *clock)
{
    return clock->wall(clock->ctx);
}

static inline iv_ns iv_monotonic(const struct iv_clock *clock)
{
    return clock->monotonic(clock->ctx);
}
