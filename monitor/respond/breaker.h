/* SPDX-License-Identifier: Apache-2.0 */
/* A breaker: an endpoint that does not answer is left alone for a while.
 * Purpose: what is due for it stays due, instead of using up its attempts against a wall.
 * Owner/thread: plain data of one owner. Time is an argument, of a clock that nobody sets.
 * Guarantee: while it is open nothing is called but one probe at a time; it is closed again by the first that
 * is answered. In memory: a restart calls again, which is a probe.
 *
 *   closed ──▶ open          5 failures in a row, or 10 of the last 20
 *   open ──▶ half-open       30 s later; one call may pass
 *   half-open ──▶ open       it failed: twice as long, up to 10 min
 *                └──▶ closed it was answered */
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_breaker {
    uint32_t recent; /* the last 20, newest lowest; 1: failed */
    unsigned count;  /* of recent, up to 20 */
    unsigned in_a_row;
    bool open;
    bool probing;   /* half-open: a call is under way */
    iv_ns until;    /* open: nothing before */
    iv_ns interval; /* 0: never opened since it was closed */
};

/* Whether a call may be made now; if so, it must be told of. *retry_at: else, when to ask again. */
bool iv_breaker_lets(struct iv_breaker *breaker, iv_ns now, iv_ns *retry_at);
/* failed: nobody answered, or the other side said that it cannot now. */
void iv_breaker_tell(struct iv_breaker *breaker, bool failed, iv_ns now);
/* The call that was let was not made after all. */
void iv_breaker_forget(struct iv_breaker *breaker);
