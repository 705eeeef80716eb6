/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/guard.h"

#include <time.h>

static iv_ns read_clock(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (iv_ns)now.tv_sec * IV_NS_PER_S + now.tv_nsec;
}

static iv_ns system_wall(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME) + iv_fault_clock();
}

static iv_ns system_monotonic(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

iv_ns iv_steady_wall(struct iv_steady *steady, iv_ns wall, iv_ns monotonic)
{
    iv_ns expected = monotonic + steady->ahead;
    iv_ns off = wall > expected ? wall - expected : expected - wall;
    steady->stepped = steady->begun && off > IV_STEADY_TOLERANCE;
    if (steady->stepped) {
        return wall < expected ? wall : expected;
    }
    steady->begun = true;
    steady->ahead = wall - monotonic;
    return wall;
}

static void to_timespec(struct timespec *out, iv_ns ns)
{
    out->tv_sec = (time_t)(ns / IV_NS_PER_S);
    out->tv_nsec = (long)(ns % IV_NS_PER_S);
}

void iv_pause(iv_ns length)
{
    if (length <= 0) {
        return; /* the system's slack would make 50us of none */
    }
    struct timespec t;
    to_timespec(&t, length);
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

void iv_monotonic_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    IV_CHECK(pthread_condattr_init(&monotonic) == 0);
    IV_CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    IV_CHECK(pthread_cond_init(cond, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
}

void iv_monotonic_in(struct timespec *out, iv_ns length)
{
    to_timespec(out, iv_ns_add(read_clock(CLOCK_MONOTONIC), length));
}

struct iv_clock iv_clock_system(void)
{
    return (struct iv_clock){system_wall, system_monotonic, NULL};
}
