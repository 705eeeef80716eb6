/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "console/limit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define S IV_NS_PER_S

static struct iv_limit *limit_new(void)
{
    struct iv_limit *limit = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_limit_new(&limit, &err)), "%s", err.text);
    return limit;
}

Test(limit, five_failures_are_free_and_each_further_one_doubles_the_wait)
{
    static const iv_ns waits[] = {0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900};
    struct iv_limit *limit = limit_new();
    iv_ns now = 1000 * S;
    for (size_t i = 0; i < IV_COUNT(waits); i++) {
        cr_assert(eq(i64, iv_limit_try(limit, IV_STR("ann"), now), 0), "try %zu", i);
        if (waits[i] > 0) {
            cr_expect(eq(i64, iv_limit_try(limit, IV_STR("ann"), now), waits[i] * S), "try %zu", i);
            cr_expect(eq(i64, iv_limit_try(limit, IV_STR("ann"), now + waits[i] * S - 1), 1), "try %zu", i);
        }
        now += waits[i] * S;
    }
    iv_limit_free(limit);
}

Test(limit, one_name_does_not_make_another_one_wait)
{
    struct iv_limit *limit = limit_new();
    for (int i = 0; i < 9; i++) {
        (void)iv_limit_try(limit, IV_STR("ann"), i);
    }
    cr_expect(iv_limit_try(limit, IV_STR("ann"), 9) > 0);
    cr_expect(eq(i64, iv_limit_try(limit, IV_STR("bob"), 9), 0));
    iv_limit_free(limit);
}

Test(limit, what_is_forgiven_does_not_count)
{
    struct iv_limit *limit = limit_new();
    for (int i = 0; i < 5; i++) {
        (void)iv_limit_try(limit, IV_STR("ann"), i);
    }
    iv_limit_forgive(limit, IV_STR("ann"), true);
    for (int i = 0; i < 5; i++) {
        cr_expect(eq(i64, iv_limit_try(limit, IV_STR("ann"), 10 + i), 0), "try %d", i);
    }
    for (int i = 0; i < 50; i++) {
        cr_expect(eq(i64, iv_limit_try(limit, IV_STR("from"), 20 + i), 0), "only this one is taken back");
        iv_limit_forgive(limit, IV_STR("from"), false);
    }
    iv_limit_free(limit);
}

Test(limit, an_hour_without_a_failure_makes_a_new_beginning)
{
    struct iv_limit *limit = limit_new();
    for (int i = 0; i < 5; i++) {
        (void)iv_limit_try(limit, IV_STR("ann"), i);
    }
    iv_ns later = 3601 * S;
    for (int i = 0; i < 5; i++) {
        cr_expect(eq(i64, iv_limit_try(limit, IV_STR("ann"), later + i), 0), "try %d", i);
    }
    iv_limit_free(limit);
}

Test(limit, a_hundred_thousand_names_fit_and_the_last_ones_are_remembered)
{
    struct iv_limit *limit = limit_new();
    char name[32];
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof name, "name-%d", i);
        (void)iv_limit_try(limit, iv_str_of(name), i);
    }
    for (int i = 0; i < 5; i++) {
        (void)iv_limit_try(limit, iv_str_of(name), 100000 + i);
    }
    cr_expect(iv_limit_try(limit, iv_str_of(name), 100005) > 0);
    iv_limit_free(limit);
}
