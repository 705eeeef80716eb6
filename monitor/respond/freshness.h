/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the streams are fresh enough to act upon what was not seen on them.
 * Purpose: a monitor that has lost its input must not act. Pure: whoever asks the broker fills it in.
 * Owner/thread: plain data. */
#pragma once

#include "base/time.h"

#include <stdbool.h>

#define IV_FRESH_HEARD (5 * IV_NS_PER_S)     /* the broker must have answered since */
#define IV_FRESH_RETURNED (15 * IV_NS_PER_S) /* producers that were cut off as well have yet to tell */
#define IV_FRESH_READ (30 * IV_NS_PER_S)     /* what was written before then must have been read */
#define IV_FRESH_HELD (10 * IV_NS_PER_S)     /* so long an open transaction may hold records back */
#define IV_FRESH_CLOCK (60 * IV_NS_PER_S)    /* so long the clock must not have been stepped */

/* Moments by the monotonic clock. */
struct iv_freshness {
    iv_ns now;
    iv_ns heard;    /* all partitions' ends were told then; IV_NS_MIN: never */
    iv_ns returned; /* an outage was over then; IV_NS_MIN: there was none */
    bool detects;   /* the detector is in this process, and then: */
    iv_ns read; /* all that was written before then was read; IV_NS_MIN: it is not known to have read anything
                 */
    iv_ns held; /* since then the records of some partition do not get on; IV_NS_MAX: none are held back */
    iv_ns stepped; /* the wall clock was found stepped last; IV_NS_MIN: it was not */
};

/* *why: what is not fresh, a constant; untouched where all is. */
bool iv_fresh(const struct iv_freshness *state, const char **why);
