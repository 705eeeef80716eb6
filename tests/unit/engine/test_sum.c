/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sum.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <math.h>

static struct iv_number real(double d)
{
    return (struct iv_number){.real = true, .d = d};
}

static struct iv_number whole(int64_t i)
{
    return (struct iv_number){.i = i};
}

Test(sum, of_doubles_does_not_depend_on_their_order)
{
    static const double parts[] = {0.1, 0.2, 0.3, 1e16, -0.0, 1e-9, 3.5};
    struct iv_sum forth = {0};
    struct iv_sum back = {0};

    for (size_t i = 0; i < IV_COUNT(parts); i++) {
        iv_sum_add(&forth, real(parts[i]));
        iv_sum_add(&back, real(parts[IV_COUNT(parts) - 1 - i]));
    }

    double at = 1e16 + 4.0;
    cr_expect_eq(iv_sum_above(&forth, real(at)), iv_sum_above(&back, real(at)));
    cr_expect(iv_sum_above(&forth, real(1e16 + 2.0)));
    cr_expect_not(iv_sum_above(&forth, real(1e16 + 6.0)));
}

Test(sum, is_rounded_once)
{
    struct iv_sum tenths = {0};
    for (int i = 0; i < 10; i++) {
        iv_sum_add(&tenths, real(0.1));
    }

    cr_expect_not(iv_sum_above(&tenths, real(1.0)), "ten tenths are one");
    cr_expect(iv_sum_above(&tenths, real(nextafter(1.0, 0))));
}

Test(sum, of_integers_does_not_overflow)
{
    struct iv_sum sum = {0};

    iv_sum_add(&sum, whole(INT64_MAX));
    cr_expect_not(iv_sum_above(&sum, whole(INT64_MAX)));
    iv_sum_add(&sum, whole(1));

    cr_expect(iv_sum_above(&sum, whole(INT64_MAX)));
    cr_expect_not(iv_sum_above(&sum, real(0x1p63)));
    iv_sum_add(&sum, whole(INT64_MAX));
    cr_expect(iv_sum_above(&sum, real(0x1p63)));
}

Test(sum, mixes_integers_doubles_and_infinities)
{
    struct iv_sum sum = {0};
    iv_sum_add(&sum, whole(3));
    iv_sum_add(&sum, real(0.5));
    cr_expect(iv_sum_above(&sum, whole(3)));
    cr_expect_not(iv_sum_above(&sum, real(3.5)));

    iv_sum_add(&sum, real(INFINITY));

    cr_expect(iv_sum_above(&sum, real(1e308)));
    cr_expect_not(iv_sum_above(&sum, real(INFINITY)));
}

Test(number, comes_from_what_rules_compute)
{
    const struct {
        struct iv_val value;
        bool is;
        uint64_t reached; /* the least count that reaches it */
    } rows[] = {
        {iv_val_int(3), true, 3},
        {iv_val_int(-3), true, 0},
        {iv_val_uint(2), true, 2},
        {iv_val_double(1.5), true, 2},
        {iv_val_double(NAN), false, 0},
        {iv_val_duration((struct iv_instant){0, 7}), true, 7},
        {iv_val_str(IV_STR("3")), false, 0},
        {iv_val_bool(true), false, 0},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_number n;
        cr_assert_eq(iv_number_of(&n, &rows[i].value), rows[i].is, "row %zu", i);
        if (rows[i].is) {
            cr_expect(iv_number_reached(n, rows[i].reached), "row %zu", i);
            cr_expect(rows[i].reached == 0 || !iv_number_reached(n, rows[i].reached - 1), "row %zu", i);
        }
    }
}
