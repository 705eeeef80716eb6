/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of rules, and sums that do not depend on the order of their parts.
 * Purpose: a limit's sum is a property of a set of events, so adding doubles as they come would make the
 * verdict depend on arrival. Integers are added exactly; doubles exactly, too, and rounded once.
 * Source: Shewchuk, "Adaptive Precision Floating-Point Arithmetic" (1997), grow-expansion. */
#pragma once

#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

/* A count, a maximum, a length in nanoseconds. */
struct iv_number {
    bool real;
    int64_t i;
    double d; /* where it is real */
};

/* False for what is no number (or duration), and for NaN. */
bool iv_number_of(struct iv_number *out, const struct iv_val *value);
/* count >= n */
bool iv_number_reached(struct iv_number n, uint64_t count);

struct iv_sum {
    __extension__ __int128 whole;
    double parts[64]; /* of the doubles: no two overlap, so their count is bounded by a double's exponents */
    int count;
    double infinite; /* the sum of infinities */
};

void iv_sum_add(struct iv_sum *sum, struct iv_number value);
bool iv_sum_above(const struct iv_sum *sum, struct iv_number max);
