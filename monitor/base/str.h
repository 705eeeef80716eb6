/* SPDX-License-Identifier: Apache-2.0 */
/* Slices: text that somebody else owns. Never NUL-terminated by promise; print with IV_STR_ARG. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct iv_str {
    const char *p; /* NULL stands for absent, "" for empty */
    size_t n;
};

#define IV_STR(literal) ((struct iv_str){(literal), sizeof(literal) - 1})
#define IV_STR_INIT(literal)                                                                                 \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    } /* in a static table */
#define IV_STR_FMT "%.*s"
#define IV_STR_ARG(s) (int)(s).n, (s).n > 0 ? (s).p : ""

static inline struct iv_str iv_str_of(const char *text)
{
    return (struct iv_str){text, text == NULL ? 0 : strlen(text)};
}

static inline bool iv_str_eq(struct iv_str a, struct iv_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Bytewise order, the shorter first where one is the other's beginning. */
int iv_str_cmp(struct iv_str a, struct iv_str b);

/* True when the whole of text matches: '*' is any run of characters, '?' one (of UTF-8), the rest itself.
 * Time is O(pattern * text) at worst. */
bool iv_glob(struct iv_str pattern, struct iv_str text);

/* Optimal-string-alignment distance of two short names, capped at 64 characters each. */
size_t iv_str_distance(struct iv_str a, struct iv_str b);

/* The candidate nearest to name, for "did you mean"; {NULL, 0} if none is near enough to be a slip. */
struct iv_str iv_str_nearest(struct iv_str name, const struct iv_str *candidates, size_t count);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool iv_utf8_valid(struct iv_str s);
