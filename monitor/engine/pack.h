/* SPDX-License-Identifier: Apache-2.0 */
/* Values as bytes without pointers, and back.
 * Owner/thread: no state. Packed bytes are the engine's own: they are trusted when unpacked. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/value.h"

/* Appends. Objects and opaque values do not occur in events and are packed as absent. */
void iv_pack(struct iv_buf *out, const struct iv_val *value);
/* Text points into the bytes, lists and maps are built in the arena. *at moves on; false when memory is out.
 */
bool iv_unpack(struct iv_val *out, const unsigned char **at, struct iv_arena *arena);
