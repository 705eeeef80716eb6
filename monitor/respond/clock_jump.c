/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/clock_jump.h"

bool iv_jump_look(struct iv_jump *j, iv_ns wall, iv_ns monotonic)
{
    iv_ns offset = wall - monotonic;
    iv_ns step = j->begun ? offset - j->offset : 0;
    j->begun = true;
    j->offset = offset;
    if (step > IV_JUMP_TOLERANCE) {
        j->ahead = iv_ns_add(j->ahead, step);
        j->since = monotonic;
    } else if (step < -IV_JUMP_TOLERANCE) {
        j->ahead = j->ahead + step > 0 ? j->ahead + step : 0;
    }
    if (monotonic - j->since >= IV_JUMP_HELD) {
        j->ahead = 0;
    }
    return step < -IV_JUMP_TOLERANCE;
}
