/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdint.h>

int iv_str_cmp(struct iv_str a, struct iv_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0) {
        return order;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

static size_t utf8_length(const char *p, size_t left)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return n < left ? n : left;
}

/* Backtracks only to the latest star, which is enough for patterns without classes. */
bool iv_glob(struct iv_str pattern, struct iv_str text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.n && pattern.p[p] == '?') {
            p++;
            t += utf8_length(text.p + t, text.n - t);
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            resume += utf8_length(text.p + resume, text.n - resume);
            t = resume;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

#define NAME_CAP 64

size_t iv_str_distance(struct iv_str a, struct iv_str b)
{
    size_t rows[3][NAME_CAP + 1];
    size_t an = a.n < NAME_CAP ? a.n : NAME_CAP;
    size_t bn = b.n < NAME_CAP ? b.n : NAME_CAP;
    for (size_t j = 0; j <= bn; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= an; i++) {
        size_t *row = rows[i % 3];
        const size_t *up = rows[(i - 1) % 3];
        const size_t *upup = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t best = up[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            best = up[j] + 1 < best ? up[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                upup[j - 2] + 1 < best) {
                best = upup[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[an % 3][bn];
}

/* "expires" for "expires_at": a name that was cut off. */
static struct iv_str shortest_continuation(struct iv_str name, const struct iv_str *candidates, size_t count)
{
    struct iv_str best = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        struct iv_str c = candidates[i];
        if (name.n >= 4 && c.n > name.n && memcmp(c.p, name.p, name.n) == 0 &&
            (best.p == NULL || c.n < best.n)) {
            best = c;
        }
    }
    return best;
}

struct iv_str iv_str_nearest(struct iv_str name, const struct iv_str *candidates, size_t count)
{
    size_t limit = name.n < 4 ? 1 : name.n < 8 ? 2 : 3;
    struct iv_str best = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        size_t d = iv_str_distance(name, candidates[i]);
        if (d <= limit) {
            best = candidates[i];
            limit = d == 0 ? 0 : d - 1;
        }
        if (d == 0) {
            break;
        }
    }
    return best.p != NULL ? best : shortest_continuation(name, candidates, count);
}

/* RFC 3629 section 4, the table of well-formed sequences. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t n = 0;
    if (c >= 0xc2 && c <= 0xdf) {
        n = 2;
    } else if (c >= 0xe0 && c <= 0xef) {
        n = 3;
        low = c == 0xe0 ? 0xa0 : low;
        high = c == 0xed ? 0x9f : high;
    } else if (c >= 0xf0 && c <= 0xf4) {
        n = 4;
        low = c == 0xf0 ? 0x90 : low;
        high = c == 0xf4 ? 0x8f : high;
    }
    if (n == 0 || n > left || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool iv_utf8_valid(struct iv_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_sequence(p + i, s.n - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}
