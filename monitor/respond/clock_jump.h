/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the wall clock, as whoever waits by it has to know them.
 * Purpose: times that are written down are by the wall clock, which somebody may set. Set back, what waits
 * would wait for longer than it has to; set ahead, all that is ever taken back would be at once, whatever
 * waits for an approval would be refused, and no guard's window would have anything in it. A small step, as
 * of a clock that is being corrected, is none.
 * Owner/thread: its owner's. Not here: what is done about it (evidence/clock_set.h). */
#pragma once

#include "base/time.h"

#include <stdbool.h>

#define IV_JUMP_TOLERANCE (2 * IV_NS_PER_S)
#define IV_JUMP_HELD (3600 * IV_NS_PER_S) /* so long a clock that was set ahead is not believed */

struct iv_jump {
    bool begun;
    iv_ns offset; /* of the wall clock to the monotonic one, at the last look */
    iv_ns ahead;  /* by so much it was set ahead, and is not believed yet */
    iv_ns since;  /* monotonic: it was set ahead last */
};
/* Both clocks, read at the same moment. Whether the wall clock was set back since the last look. */
bool iv_jump_look(struct iv_jump *jump, iv_ns wall, iv_ns monotonic);
