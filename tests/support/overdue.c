/* SPDX-License-Identifier: Apache-2.0 */
#include "support/overdue.h"

#include "base/clock.h"

bool overdue(void)
{
    static iv_ns began;
    struct iv_clock clock = iv_clock_system();
    if (began == 0) {
        began = iv_monotonic(&clock);
    }
    return iv_monotonic(&clock) - began > LONG_ENOUGH;
}
