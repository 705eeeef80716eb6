/* SPDX-License-Identifier: Apache-2.0 */
/* JSON's atoms as they are written: strings with escapes, and numbers. For tape.c. */
#pragma once

#include "base/str.h"
#include "event/tape.h"

#include <stdbool.h>

/* Resolves the escapes of a string's inside into out, which has room for text.n bytes. False for an escape
 * that is none, and for half a surrogate pair. */
bool iv_unescape(char *out, size_t *n, struct iv_str text);

/* Reads the number at text's start, and says how many bytes it has; 0: it is no JSON number. */
size_t iv_number_read(struct iv_node *out, struct iv_str text);
