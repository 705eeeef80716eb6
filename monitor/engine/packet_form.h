/* SPDX-License-Identifier: Apache-2.0 */
/* The constants of a packet's form, for those who write and read it (packet.h). */
#pragma once

#include "engine/frame.h"

extern const struct iv_frame iv_packet_frame;

#define IV_PACKET_SECTION_HEAD "HEAD"
#define IV_PACKET_SECTION_TYPES "TYPE"
#define IV_PACKET_SECTION_MOVES "MOVE"

#define IV_PACKET_RULE_BYTES 8
#define IV_PACKET_DIGEST_BYTES 32
#define IV_PACKET_SLOTS_MAX 256

/* A move's first byte: kind, stream, flags of an event. */
#define IV_PACKET_KIND_MASK 7U
#define IV_PACKET_STREAM_SHIFT 3
#define IV_PACKET_FLAGS_SHIFT 4
#define IV_PACKET_HASH_KNOWN 1U
#define IV_PACKET_HASH_VALID 2U
#define IV_PACKET_DIGEST 4U
#define IV_PACKET_FLAGS 7U
