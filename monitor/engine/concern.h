/* SPDX-License-Identifier: Apache-2.0 */
/* What an event concerns: the rules that it may be a trigger or a partner of, ordered for evaluation.
 * Purpose: all that the rules of an event's type ask, or the part of it that is left once gates were looked
 * at. Owner/thread: of the arena that it was made in. Not here: gates, and what is counted for those that
 * they keep out (dispatch.h). */
#pragma once

#include "base/arena.h"
#include "engine/plan.h"

/* Which of its rules an event may serve: bitmaps by the plan's rules; NULL: all of them. */
struct iv_admission {
    const uint64_t *triggers;
    const uint64_t *partners;
};

/* False when memory is out. */
bool iv_concern_make(struct iv_concern *out, struct iv_arena *arena, const struct iv_plan *plan,
                     const struct iv_event_type *type, const struct iv_admission *admission);
