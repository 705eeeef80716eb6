/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sum.h"

#include "base/guard.h"

#include <math.h>

bool iv_number_of(struct iv_number *out, const struct iv_val *value)
{
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_INT:
        *out = (struct iv_number){.i = value->i};
        return true;
    case IV_KIND_UINT:
        *out = value->u <= INT64_MAX ? (struct iv_number){.i = (int64_t)value->u}
                                     : (struct iv_number){.real = true, .d = (double)value->u};
        return true;
    case IV_KIND_DOUBLE:
        *out = (struct iv_number){.real = true, .d = value->d};
        return !isnan(value->d);
    case IV_KIND_DURATION:
        *out = (struct iv_number){.i = iv_instant_to_ns_saturated(iv_val_instant(*value))};
        return true;
    default:
        return false;
    }
}

bool iv_number_reached(struct iv_number n, uint64_t count)
{
    return n.real ? (double)count >= n.d : n.i <= 0 || count >= (uint64_t)n.i;
}

static void add_double(struct iv_sum *sum, double x)
{
    if (isinf(x)) {
        sum->infinite += x;
        return;
    }
    int kept = 0;
    for (int i = 0; i < sum->count; i++) {
        double y = sum->parts[i];
        if (fabs(x) < fabs(y)) {
            double swap = x;
            x = y;
            y = swap;
        }
        double high = x + y;
        double low = y - (high - x);
        if (low != 0.0) {
            sum->parts[kept++] = low;
        }
        x = high;
    }
    if (isinf(x)) {
        sum->infinite += x;
        return;
    }
    IV_CHECK(kept < (int)IV_COUNT(sum->parts));
    sum->parts[kept++] = x;
    sum->count = kept;
}

void iv_sum_add(struct iv_sum *sum, struct iv_number value)
{
    if (value.real) {
        add_double(sum, value.d);
    } else {
        sum->whole += value.i;
    }
}

/* The exact sum, rounded once. */
static double rounded(const struct iv_sum *sum)
{
    if (sum->infinite != 0.0) {
        return sum->infinite;
    }
    int n = sum->count;
    if (n == 0) {
        return 0.0;
    }
    double high = sum->parts[--n];
    double low = 0.0;
    while (n > 0) {
        double x = high;
        double y = sum->parts[--n];
        high = x + y;
        low = y - (high - x);
        if (low != 0.0) {
            break;
        }
    }
    /* Half-way: the parts below decide which way it rounds. */
    if (n > 0 && ((low < 0.0 && sum->parts[n - 1] < 0.0) || (low > 0.0 && sum->parts[n - 1] > 0.0))) {
        double twice = low * 2.0;
        double next = high + twice;
        if (twice == next - high) {
            high = next;
        }
    }
    return high;
}

bool iv_sum_above(const struct iv_sum *sum, struct iv_number max)
{
    if (sum->count == 0 && sum->infinite == 0.0 && !max.real) {
        return sum->whole > max.i;
    }
    struct iv_sum all = *sum;
    __extension__ __int128 rest = sum->whole;
    for (int shift = 0; rest != 0 && shift < 128; shift += 32) {
        add_double(&all, ldexp((double)(int64_t)(rest & 0xffffffff), shift));
        rest >>= 32;
        if (rest == -1) {
            add_double(&all, -ldexp(1.0, shift + 32));
            rest = 0;
        }
    }
    return rounded(&all) > (max.real ? max.d : (double)max.i);
}
