/* SPDX-License-Identifier: Apache-2.0 */
/* Values as bytes without pointers, and back.
 * Purpose: what is remembered is mostly events, so numbers take the bytes that they need, and digests in hex
 * half of their length. Owner/thread: no state. Packed bytes are the engine's own: they are trusted when
 * unpacked. */
#pragma once

#include "base/arena.h"
#include "base/value.h"

/* At most so many bytes does the packed value take. Objects and opaque values do not occur in events and are
 * packed as absent. */
size_t iv_pack_size(const struct iv_val *value);
/* Writes them; answers the place behind. */
unsigned char *iv_pack(unsigned char *at, const struct iv_val *value);
/* A text as it is: unpacked, it points into the bytes. */
unsigned char *iv_pack_text(unsigned char *at, struct iv_str text);
/* Text points into the bytes, or, where it was a digest, into the arena; lists and maps are built in the
 * arena. *at moves on; false when memory is out. */
bool iv_unpack(struct iv_val *out, const unsigned char **at, struct iv_arena *arena);
