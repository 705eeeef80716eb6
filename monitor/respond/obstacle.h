/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the way of a step at its endpoint: calls that hang there, or an open breaker.
 * Purpose: such a step is looked at again when it may be called, and not each second until then.
 * Owner/thread: the responder's, inside the store's transaction. Internal to the room.
 * Guarantee: a step is told once; when nothing is in its way any more it is due at once, and within
 * IV_OBSTACLE_LOOK in any case, after a restart too.
 * Not here: freshness (freshness.h), limits and turns (ramp.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>

struct iv_call;
struct iv_responder;

#define IV_OBSTACLE_LOOK (30 * IV_NS_PER_S)

/* What some steps of an endpoint were told. */
struct iv_obstacles {
    bool full;
    bool shut;
};

/* Why it is not called now, in the call's arena, and until when; p NULL: nothing is in the way, and the
 * breaker has let it. */
iv_rc iv_obstacle_of(struct iv_str *cause, iv_ns *until, struct iv_responder *responder, struct iv_call *call,
                     struct iv_err *err);

/* Those that had something in their way, and have not any more, are due now. *any: some are. */
iv_rc iv_obstacles_lift(struct iv_responder *responder, bool *any, iv_ns now, struct iv_err *err);
