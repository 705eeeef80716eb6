/* SPDX-License-Identifier: Apache-2.0 */
/* Values as bytes without pointers, and back.
 * Owner/thread: no state. Packed bytes are the engine's own: they are trusted when unpacked. */
#pragma once

#include "base/arena.h"
#include "base/value.h"

/* The bytes that the packed value takes. Objects and opaque values do not occur in events and are packed as
 * absent. */
size_t iv_pack_size(const struct iv_val *value);
/* Writes them; answers the place behind. */
unsigned char *iv_pack(unsigned char *at, const struct iv_val *value);
/* Text points into the bytes, lists and maps are built in the arena. *at moves on; false
 * when memory is out. */
bool iv_unpack(struct iv_val *out, const unsigned char **at, struct iv_arena *arena);
