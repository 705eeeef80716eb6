/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as values, so that tests bring their own. The core has none. */
#pragma once

#include "base/time.h"

#include <pthread.h>
#include <stdbool.h>

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
/* A condition that is waited for until some moment of the system's monotonic clock. */
void iv_monotonic_cond_init(pthread_cond_t *cond);
/* So far from now by that clock, for pthread_cond_timedwait. */
struct timespec;
void iv_monotonic_in(struct timespec *out, iv_ns length);

/* The wall clock as far as it may be believed. Somebody can step it, by an hour either way; what is concluded
 * from time that passed must not rest on that. Held against the monotonic clock: within IV_STEADY_TOLERANCE
 * of what that says, as after a correction in small steps, it is followed; beyond, the earlier of the two
 * counts, until they agree again. */
#define IV_STEADY_TOLERANCE (2 * IV_NS_PER_S)
struct iv_steady {
    iv_ns ahead; /* of the monotonic clock */
    bool begun;
    bool stepped; /* they do not agree */
};
/* Both read at the same moment. */
iv_ns iv_steady_wall(struct iv_steady *steady, iv_ns wall, iv_ns monotonic);

static inline iv_ns iv_wall(const struct iv_clock *clock)
{
    return clock->wall(clock->ctx);
}

static inline iv_ns iv_monotonic(const struct iv_clock *clock)
{
    return clock->monotonic(clock->ctx);
}
