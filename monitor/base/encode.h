/* SPDX-License-Identifier: Apache-2.0 */
/* Hex (RFC 4648 8, lower case) and base64 (RFC 4648 4, padded). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* The value of one digit in either case; -1: it is none. */
int iv_hex_digit(char c);
void iv_hex_encode(struct iv_buf *out, struct iv_str bytes);
/* Either case; false on an odd count, a wrong character, or where it does not fill exactly n bytes. */
bool iv_hex_decode(unsigned char *out, size_t n, struct iv_str hex);

void iv_base64_encode(struct iv_buf *out, struct iv_str bytes);
/* Strict: the padding must be there and right, unused bits zero, no white space. Appends to out. */
bool iv_base64_decode(struct iv_buf *out, struct iv_str text);
