/* SPDX-License-Identifier: Apache-2.0 */
#include "event/atoms.h"
#include "event/scan.h"

static inline bool is_digit(struct iv_str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

static size_t skip_digits(struct iv_str s, size_t at)
{
    while (is_digit(s, at)) {
        at++;
    }
    return at;
}

/* The fraction and the exponent from at on; the place behind them, 0 if they are not well-formed. */
static size_t skip_rest(struct iv_str s, size_t at)
{
    if (at < s.n && s.p[at] == '.') {
        if (!is_digit(s, ++at)) {
            return 0;
        }
        at = skip_digits(s, at);
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        at += at < s.n && (s.p[at] == '+' || s.p[at] == '-') ? 1 : 0;
        if (!is_digit(s, at)) {
            return 0;
        }
        at = skip_digits(s, at);
    }
    return at;
}

/*= RFC 8259 6 "number = [ minus ] int [ frac ] [ exp ]" */
size_t iv_number_read(struct iv_node *out, struct iv_str s)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    size_t first = negative ? 1 : 0;
    if (!is_digit(s, first)) {
        return 0;
    }
    size_t at = first;
    uint64_t magnitude = 0;
    bool fits = true;
    for (; is_digit(s, at); at++) {
        fits = fits && !__builtin_mul_overflow(magnitude, 10, &magnitude) &&
               !__builtin_add_overflow(magnitude, (uint64_t)(s.p[at] - '0'), &magnitude);
    }
    if (s.p[first] == '0' && at > first + 1) {
        return 0;
    }
    size_t integer = at;
    at = skip_rest(s, at);
    if (at == 0) {
        return 0;
    }
    out->p = s.p;
    out->n = (uint32_t)at;
    fits = fits && magnitude <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (at == integer && fits) {
        out->kind = IV_NODE_INT;
        out->i = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return at;
    }
    out->kind = at == integer ? IV_NODE_BIG : IV_NODE_DOUBLE;
    out->d = iv_scan_double(s.p, at);
    return at;
}
