/* SPDX-License-Identifier: Apache-2.0 */
/* Values as bytes without pointers, and back.
 * Purpose: what is remembered is mostly events, so a value takes the bytes that it needs: a short text one
 * more than its own, a number no leading zeros, digits in hex half of their length, also behind other text
 * ("req-83e07a5299a375c6"). Each begins with a byte that says how long it is, so that what is not asked for
 * is passed over. Owner/thread: no state. Packed bytes are the engine's own: they are trusted when unpacked.
 */
#pragma once

#include "base/arena.h"
#include "base/value.h"

/* A value takes at most so many bytes, or, where it is a text or has items, so many more than they do; and
 * some behind a value may be written over. */
#define IV_PACK_SLACK 16
/* At most so many bytes are written. Objects and opaque values do not occur in events and are packed as
 * absent.
 */
size_t iv_pack_size(const struct iv_val *value);
/* Writes them; answers the place behind. */
unsigned char *iv_pack(unsigned char *at, const struct iv_val *value);
/* The place behind a packed value. */
const unsigned char *iv_pack_skip(const unsigned char *at);
/* Text points into the bytes, or, where there were digits, into the arena; lists and maps are built in the
 * arena. *at moves on; false when memory is out. */
bool iv_unpack(struct iv_val *out, const unsigned char **at, struct iv_arena *arena);
/* A text alone, without an arena; empty where it is none. */
#define IV_UNPACK_ROOM 288
struct iv_str iv_unpack_text(const unsigned char *at, char room[IV_UNPACK_ROOM]);
