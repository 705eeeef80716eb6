/* SPDX-License-Identifier: Apache-2.0 */
/* Steps through text that is known to be UTF-8. Bytes that are not are stepped over one by one, never read
 * past. */
#pragma once

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* Writes 1 to 4 bytes. */
static inline size_t iv_utf8_encode(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* The code point at *at, which moves behind it. *at is inside of the text. */
static inline uint32_t iv_utf8_next(struct iv_str s, size_t *at)
{
    unsigned char c = (unsigned char)s.p[(*at)++];
    size_t more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t v = more == 0 ? c : c & (0x3fu >> more);
    for (; more > 0 && *at < s.n; more--) {
        v = v << 6 | ((unsigned char)s.p[(*at)++] & 0x3f);
    }
    return v;
}

/* How many code points. */
static inline size_t iv_utf8_count(struct iv_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    }
    return n;
}

/* The byte at which the code point with that index begins; the length where the text is shorter. */
static inline size_t iv_utf8_offset(struct iv_str s, size_t index)
{
    size_t i = 0;
    for (; i < s.n; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80 && index-- == 0) {
            break;
        }
    }
    return i;
}
