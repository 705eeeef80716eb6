/* SPDX-License-Identifier: Apache-2.0 */
/* Source: the CEL extension "math". Bit shifts are logical; rounding is half away from zero. */
#include "cel/lib.h"

#include <math.h>

/* The extreme of the arguments, or of the items of the one list. sign: 1 for the greatest,
 * -1 for the least. */
static iv_rc extreme(struct iv_val *out, const struct iv_val *args, size_t count, int sign,
                     struct iv_cel_frame *frame, struct iv_err *err)
{
    const struct iv_val *items = args;
    if (args[0].kind == IV_KIND_LIST) {
        items = args[0].items;
        count = args[0].n;
        TRY(iv_cel_spend(frame, count >> 2, err));
    }
    ENSURE(count > 0, err, IV_E_EVAL, "an empty list has no %s", sign > 0 ? "greatest" : "least");
    const struct iv_val *best = &items[0];
    for (size_t i = 0; i < count; i++) {
        int order = 0;
        uint8_t kind = items[i].kind;
        if (kind != IV_KIND_INT && kind != IV_KIND_UINT && kind != IV_KIND_DOUBLE) {
            return iv_cel_fail_overload(sign > 0 ? "math.greatest" : "math.least", &items[i], 1, err);
        }
        TRY(iv_cel_compare(&order, &items[i], best, frame, err));
        best = order == sign ? &items[i] : best;
    }
    *out = *best;
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_greatest)
{
    return extreme(out, args, count, 1, frame, err);
}

IV_CEL_FN(iv_cel_math_least)
{
    return extreme(out, args, count, -1, frame, err);
}

IV_CEL_FN(iv_cel_math_ceil)
{
    *out = iv_val_double(ceil(args[0].d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_floor)
{
    *out = iv_val_double(floor(args[0].d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_round)
{
    *out = iv_val_double(round(args[0].d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_trunc)
{
    *out = iv_val_double(trunc(args[0].d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_sqrt)
{
    double d = args[0].kind == IV_KIND_INT    ? (double)args[0].i
               : args[0].kind == IV_KIND_UINT ? (double)args[0].u
                                              : args[0].d;
    *out = iv_val_double(sqrt(d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_abs)
{
    if (args[0].kind == IV_KIND_INT) {
        ENSURE(args[0].i != INT64_MIN, err, IV_E_EVAL,
               "integer overflow: the least int has no absolute value");
        *out = iv_val_int(args[0].i < 0 ? -args[0].i : args[0].i);
    } else {
        *out = args[0].kind == IV_KIND_DOUBLE ? iv_val_double(fabs(args[0].d)) : args[0];
    }
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_sign)
{
    if (args[0].kind == IV_KIND_INT) {
        *out = iv_val_int((args[0].i > 0) - (args[0].i < 0));
    } else if (args[0].kind == IV_KIND_UINT) {
        *out = iv_val_uint(args[0].u > 0);
    } else {
        double d = args[0].d;
        *out = iv_val_double(isnan(d) ? d : (double)((d > 0) - (d < 0)));
    }
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_is_nan)
{
    *out = iv_val_bool(isnan(args[0].d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_is_inf)
{
    *out = iv_val_bool(isinf(args[0].d));
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_is_finite)
{
    *out = iv_val_bool(isfinite(args[0].d));
    return IV_OK;
}

/* Ints and uints share their bits; the result has the kind of the first argument. */
static iv_rc bits(struct iv_val *out, const struct iv_val *like, uint64_t value)
{
    uint8_t kind = like->kind;
    *out = iv_val_uint(value);
    out->kind = kind;
    return IV_OK;
}

IV_CEL_FN(iv_cel_math_bit_and)
{
    return bits(out, args, args[0].u & args[1].u);
}

IV_CEL_FN(iv_cel_math_bit_or)
{
    return bits(out, args, args[0].u | args[1].u);
}

IV_CEL_FN(iv_cel_math_bit_xor)
{
    return bits(out, args, args[0].u ^ args[1].u);
}

IV_CEL_FN(iv_cel_math_bit_not)
{
    return bits(out, args, ~args[0].u);
}

IV_CEL_FN(iv_cel_math_shift_left)
{
    ENSURE(args[1].i >= 0, err, IV_E_EVAL, "a shift by a negative number of bits");
    return bits(out, args, args[1].i > 63 ? 0 : args[0].u << args[1].i);
}

IV_CEL_FN(iv_cel_math_shift_right)
{
    ENSURE(args[1].i >= 0, err, IV_E_EVAL, "a shift by a negative number of bits");
    return bits(out, args, args[1].i > 63 ? 0 : args[0].u >> args[1].i);
}
