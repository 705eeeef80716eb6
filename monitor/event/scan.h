/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoder leaves to C++: where a JSON text has its structure, and doubles from and to digits.
 * Purpose: simdjson's first stage finds quotes, braces, commas and the starts of scalars at several bytes a
 * cycle, and checks UTF-8 on the way; reading what stands there is tape.c's. Its own readers are not used:
 * On-Demand does not check what it skips, and the DOM loses what the contract asks for (members that stand
 * twice, integers beyond 64 bits, numbers as they are written).
 * Owner/thread: one scanner per thread.
 * Not here: any header of ours, which is C and not C++. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iv_scanner;

/* NULL when memory is out. */
struct iv_scanner *iv_scanner_new(void);
void iv_scanner_free(struct iv_scanner *scan);

enum iv_scan_fault {
    IV_SCAN_OK,
    IV_SCAN_EMPTY,    /* nothing but white space */
    IV_SCAN_UTF8,     /* not UTF-8 */
    IV_SCAN_UNCLOSED, /* a string without its closing quote */
    IV_SCAN_CONTROL,  /* a control character inside a string */
    IV_SCAN_MEMORY,
};

/* On success, indexes are the places of { } [ ] : , of opening quotes and of the first characters of other
 * scalars, in order; they are valid until the next call. Reads nothing behind the text. */
enum iv_scan_fault iv_scan(struct iv_scanner *scan, const char *text, size_t n, const uint32_t **indexes,
                           size_t *count);

/* The nearest double of a JSON number; an infinity where it is beyond every double. */
double iv_scan_double(const char *text, size_t n);

/* The fewest digits that read back as d (finite, above 0), at most 17, and the exponent: d = 0.DIGITS *
 * 10^exponent. */
size_t iv_shortest_digits(char digits[32], int *exponent, double d);

#ifdef __cplusplus
}
#endif
