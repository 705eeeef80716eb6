/* SPDX-License-Identifier: Apache-2.0 */
#include "event/atoms.h"

#include "base/encode.h"
#include "base/utf8.h"

#include <stdint.h>

/* The four digits behind "\u" at *at. */
static bool code_unit(uint32_t *out, struct iv_str s, size_t *at)
{
    if (s.n - *at < 6 || s.p[*at] != '\\' || s.p[*at + 1] != 'u') {
        return false;
    }
    uint32_t unit = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = iv_hex_digit(s.p[*at + i]);
        if (digit < 0) {
            return false;
        }
        unit = unit << 4 | (uint32_t)digit;
    }
    *at += 6;
    *out = unit;
    return true;
}

/*= RFC 8259 7 "a 12-character sequence, encoding the UTF-16 surrogate pair" */
static bool code_point(uint32_t *out, struct iv_str s, size_t *at)
{
    uint32_t high = 0;
    if (!code_unit(&high, s, at) || (high >= 0xdc00 && high <= 0xdfff)) {
        return false;
    }
    if (high < 0xd800 || high > 0xdbff) {
        *out = high;
        return true;
    }
    uint32_t low = 0;
    if (!code_unit(&low, s, at) || low < 0xdc00 || low > 0xdfff) {
        return false;
    }
    *out = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

bool iv_unescape(char *out, size_t *n, struct iv_str s)
{
    size_t to = 0;
    for (size_t at = 0; at < s.n;) {
        if (s.p[at] != '\\') {
            out[to++] = s.p[at++];
            continue;
        }
        char c = at + 1 < s.n ? s.p[at + 1] : 0;
        if (c == 'u') {
            uint32_t point = 0;
            if (!code_point(&point, s, &at)) {
                return false;
            }
            to += iv_utf8_encode(out + to, point);
            continue;
        }
        out[to] = short_escape(c);
        if (out[to++] == 0) {
            return false;
        }
        at += 2;
    }
    *n = to;
    return true;
}
