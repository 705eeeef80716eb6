/* SPDX-License-Identifier: Apache-2.0 */
/* size, type, dyn, and conversions between types.
 * Source: CEL language definition, "List of Standard Definitions", "Type Conversions". */
#include "base/utf8.h"
#include "cel/env.h"
#include "cel/lib.h"

#include <stdlib.h>

#define SCALAR_TEXT_MAX 40

IV_CEL_FN(iv_cel_same)
{
    *out = args[0];
    return IV_OK;
}

IV_CEL_FN(iv_cel_size)
{
    size_t n = args[0].n;
    if (args[0].kind == IV_KIND_STRING) {
        TRY(iv_cel_spend(frame, n >> 5, err));
        n = iv_utf8_count(iv_val_slice(args[0]));
    }
    *out = iv_val_int((int64_t)n);
    return IV_OK;
}

IV_CEL_FN(iv_cel_type_of)
{
    struct iv_str name = iv_cel_kind_name(&args[0]);
    *out = (struct iv_val){.kind = IV_KIND_TYPE, .n = (uint32_t)name.n, .s = name.p};
    return IV_OK;
}

IV_CEL_FN(iv_cel_to_bool)
{
    static const struct iv_str yes[] = {IV_STR_INIT("1"), IV_STR_INIT("t"), IV_STR_INIT("true"),
                                        IV_STR_INIT("TRUE"), IV_STR_INIT("True")};
    static const struct iv_str no[] = {IV_STR_INIT("0"), IV_STR_INIT("f"), IV_STR_INIT("false"),
                                       IV_STR_INIT("FALSE"), IV_STR_INIT("False")};
    for (size_t i = 0; i < IV_COUNT(yes); i++) {
        bool is_yes = iv_str_eq(iv_val_slice(args[0]), yes[i]);
        if (is_yes || iv_str_eq(iv_val_slice(args[0]), no[i])) {
            *out = iv_val_bool(is_yes);
            return IV_OK;
        }
    }
    return iv_err_set(err, IV_E_EVAL, "the string is no bool");
}

IV_CEL_FN(iv_cel_to_bytes)
{
    *out = iv_val_bytes(iv_val_slice(args[0]));
    return IV_OK;
}

IV_CEL_FN(iv_cel_to_double)
{
    if (args[0].kind == IV_KIND_INT) {
        *out = iv_val_double((double)args[0].i);
        return IV_OK;
    }
    if (args[0].kind == IV_KIND_UINT) {
        *out = iv_val_double((double)args[0].u);
        return IV_OK;
    }
    struct iv_str text = iv_arena_str(&frame->arena, iv_val_slice(args[0])); /* with a NUL behind it */
    ENSURE(text.p != NULL, err, IV_E_NOMEM, "the expression needs more memory than it may have");
    char *end = NULL;
    double d = strtod(text.p, &end);
    bool blank = text.n == 0 || text.p[0] <= ' ';
    ENSURE(!blank && end == text.p + text.n, err, IV_E_EVAL, "the string is no double");
    *out = iv_val_double(d);
    return IV_OK;
}

/* Decimal digits, whole text; negative as well where a sign may stand. */
static bool parse_digits(uint64_t *magnitude, bool *negative, struct iv_str s, bool signs)
{
    size_t i = 0;
    *negative = false;
    if (signs && s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        *negative = s.p[0] == '-';
        i++;
    }
    uint64_t v = 0;
    size_t start = i;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v)) {
            return false;
        }
    }
    *magnitude = v;
    return i == s.n && i > start;
}

IV_CEL_FN(iv_cel_to_int)
{
    uint64_t magnitude = 0;
    bool negative = false;
    switch (args[0].kind) {
    case IV_KIND_UINT:
        ENSURE(args[0].u <= INT64_MAX, err, IV_E_EVAL, "integer overflow: the uint does not fit an int");
        *out = iv_val_int((int64_t)args[0].u);
        return IV_OK;
    case IV_KIND_DOUBLE:
        /* Both ends are excluded: a double cannot say whether it stands for the last int or the one behind
         * it. */
        ENSURE(args[0].d > -0x1p63 && args[0].d < 0x1p63, err, IV_E_EVAL,
               "integer overflow: the double does not fit an int");
        *out = iv_val_int((int64_t)args[0].d);
        return IV_OK;
    case IV_KIND_TIMESTAMP:
        *out = iv_val_int(args[0].i);
        return IV_OK;
    default:
        break;
    }
    bool fits = parse_digits(&magnitude, &negative, iv_val_slice(args[0]), true) &&
                magnitude <= (uint64_t)INT64_MAX + negative;
    ENSURE(fits, err, IV_E_EVAL, "the string is no int of 64 bits");
    *out = iv_val_int((int64_t)(negative ? 0 - magnitude : magnitude));
    return IV_OK;
}

IV_CEL_FN(iv_cel_to_uint)
{
    uint64_t magnitude = 0;
    bool negative = false;
    switch (args[0].kind) {
    case IV_KIND_INT:
        ENSURE(args[0].i >= 0, err, IV_E_EVAL, "unsigned integer overflow: the int is negative");
        *out = iv_val_uint((uint64_t)args[0].i);
        return IV_OK;
    case IV_KIND_DOUBLE:
        ENSURE(args[0].d >= 0 && args[0].d < 0x1p64, err, IV_E_EVAL,
               "unsigned integer overflow: the double does not fit a uint");
        *out = iv_val_uint((uint64_t)args[0].d);
        return IV_OK;
    default:
        break;
    }
    ENSURE(parse_digits(&magnitude, &negative, iv_val_slice(args[0]), false), err, IV_E_EVAL,
           "the string is no uint of 64 bits");
    *out = iv_val_uint(magnitude);
    return IV_OK;
}

IV_CEL_FN(iv_cel_to_string)
{
    if (args[0].kind == IV_KIND_BYTES) {
        ENSURE(iv_utf8_valid(iv_val_slice(args[0])), err, IV_E_EVAL, "the bytes are no UTF-8");
        *out = iv_val_str(iv_val_slice(args[0]));
        return IV_OK;
    }
    struct iv_cel_text text;
    iv_cel_text_begin(&text, frame, SCALAR_TEXT_MAX);
    (void)iv_cel_text_scalar(&text, &args[0]);
    return iv_cel_text_end(out, &text, err);
}

IV_CEL_FN(iv_cel_to_timestamp)
{
    struct iv_instant t = {args[0].kind == IV_KIND_INT ? args[0].i : 0, 0};
    if (args[0].kind == IV_KIND_INT) {
        ENSURE(t.s >= IV_INSTANT_MIN_S && t.s <= IV_INSTANT_MAX_S, err, IV_E_EVAL,
               "timestamp out of range: it must lie in the years 0001 to 9999");
    } else {
        ENSURE(iv_instant_parse(&t, iv_val_slice(args[0])), err, IV_E_EVAL,
               "the string is no RFC 3339 time of the years 0001 to 9999");
    }
    *out = iv_val_timestamp(t);
    return IV_OK;
}

IV_CEL_FN(iv_cel_to_duration)
{
    struct iv_instant d;
    ENSURE(iv_duration_parse(&d, iv_val_slice(args[0]), false), err, IV_E_EVAL,
           "the string is no duration within 10,000 years, as in \"1h30m\"");
    *out = iv_val_duration(d);
    return IV_OK;
}
