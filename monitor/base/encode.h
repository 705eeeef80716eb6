/* SPDX-License-Identifier: Apache-2.0 */
/* Hex (RFC 4648 8, lower case) and base64 (RFC 4648 4, padded; RFC 4648 5, not padded). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Eight lower-case digits as four bytes, whatever they are, and back; the first of each is the lowest byte of
 * its word. What were no such digits comes back as others. */
static inline uint32_t iv_hex_to_bytes(uint64_t digits)
{
    uint64_t letters = digits >> 6 & UINT64_C(0x0101010101010101);
    uint64_t nibbles = (digits & UINT64_C(0x0f0f0f0f0f0f0f0f)) + letters * 9;
    uint64_t bytes = (nibbles << 4 | nibbles >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    bytes = (bytes | bytes >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(bytes | bytes >> 16);
}

static inline uint64_t iv_hex_of_bytes(uint32_t bytes)
{
    uint64_t wide = bytes;
    wide = (wide | wide << 16) & UINT64_C(0x0000ffff0000ffff);
    wide = (wide | wide << 8) & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t nibbles = (wide >> 4 & UINT64_C(0x000f000f000f000f)) | (wide & UINT64_C(0x000f000f000f000f))
                                                                        << 8;
    uint64_t letters = (nibbles + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return nibbles + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
}

/* The value of one digit in either case; -1: it is none. */
int iv_hex_digit(char c);
void iv_hex_encode(struct iv_buf *out, struct iv_str bytes);
/* Either case; false on an odd count, a wrong character, or where it does not fill exactly n bytes. */
bool iv_hex_decode(unsigned char *out, size_t n, struct iv_str hex);

void iv_base64_encode(struct iv_buf *out, struct iv_str bytes);
void iv_base64url_encode(struct iv_buf *out, struct iv_str bytes); /* RFC 4648 5, without padding */
/* Strict: the padding must be there and right, unused bits zero, no white space. Appends to out. */
bool iv_base64_decode(struct iv_buf *out, struct iv_str text);
