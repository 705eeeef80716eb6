/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/resource.h>

Test(clock, a_wall_clock_is_believed_as_far_as_the_monotonic_one_agrees)
{
    static const struct {
        iv_ns wall; /* seconds, as are the others */
        iv_ns monotonic;
        iv_ns want;
        bool stepped;
    } rows[] = {
        {5000, 10, 5000, false},
        {5001, 11, 5001, false},
        {5004, 13, 5004, false},       /* a second ahead: corrected in small steps */
        {5005 + 3600, 14, 5005, true}, /* stepped forward: time goes on as before */
        {5035 + 3600, 44, 5035, true},
        {5036, 45, 5036, false},              /* mended */
        {5037 - 3600, 46, 5037 - 3600, true}, /* stepped back: no time passes that it does not know of */
        {5040, 49, 5040, false},
    };
    struct iv_steady steady = {.begun = false};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        iv_ns got = iv_steady_wall(&steady, rows[i].wall * IV_NS_PER_S, rows[i].monotonic * IV_NS_PER_S);
        cr_expect(eq(i64, got, rows[i].want * IV_NS_PER_S), "row %zu", i);
        cr_expect(steady.stepped == rows[i].stepped, "row %zu", i);
    }
}

/* A fleet that is behind its pace has to catch up: each sleep would cost it some 50us more. */
Test(clock, a_pause_of_no_length_gives_the_processor_to_nobody)
{
    struct rusage before;
    struct rusage after;
    cr_assert(getrusage(RUSAGE_THREAD, &before) == 0);
    for (int i = 0; i < 1000; i++) {
        iv_pause(0);
        iv_pause(-IV_NS_PER_S);
    }
    cr_assert(getrusage(RUSAGE_THREAD, &after) == 0);
    cr_expect(after.ru_nvcsw - before.ru_nvcsw < 100, "%ld times", after.ru_nvcsw - before.ru_nvcsw);
}
