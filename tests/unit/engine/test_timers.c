/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timers.h"

#include <criterion/criterion.h>

Test(timers, fire_by_deadline_and_then_by_insertion)
{
    struct iv_timers t = {0};
    uint64_t dice = 11;
    for (uint32_t i = 1; i <= 5000; i++) {
        dice = dice * UINT64_C(6364136223846793005) + 1;
        cr_assert(iv_timers_push(&t, (iv_ns)(dice >> 56), i, i));
    }

    iv_ns deadline = -1;
    uint64_t order = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        const struct iv_timer *first = iv_timers_first(&t);
        cr_assert(first->deadline > deadline || (first->deadline == deadline && first->order > order));
        deadline = first->deadline;
        order = first->order;
        iv_timers_pop(&t);
    }
    cr_expect_null(iv_timers_first(&t));
    iv_timers_deinit(&t);
}
