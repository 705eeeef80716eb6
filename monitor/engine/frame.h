/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around the sections of a snapshot or a packet: what they are, of which version, how long, and
 * the sum of it all.
 * Owner/thread: no state beyond what the caller holds.
 * Guarantee: bytes that were cut, damaged, or written by another version are refused with a sentence that
 * says so. The sum tells of damage, it is no signature.
 *
 * Form: 8 bytes that say what it is, 4 bytes version, 8 bytes length of the whole, the sections, 16 bytes sum
 * (SipHash-1-3 under zero) of all before it. Numbers are little-endian. */
#pragma once

#include "base/err.h"
#include "engine/image.h"

#define IV_FRAME_MAGIC_BYTES 8
#define IV_FRAME_HEAD_BYTES (IV_FRAME_MAGIC_BYTES + 4 + 8)
#define IV_FRAME_SUM_BYTES 16

struct iv_frame {
    const char *magic; /* of 8 bytes */
    uint32_t version;
    uint32_t oldest;  /* version that is read, too; 0: none but that one */
    const char *noun; /* for sentences: "packet" */
    const char *full; /* "a packet of the exchange" */
};

/* Begins a whole behind what the buffer has; the answer is for the end. */
size_t iv_frame_open(struct iv_buf *out, const struct iv_frame *frame);
/* IV_E_NOMEM, IV_E_LIMIT: the buffer could not take all of it. */
iv_rc iv_frame_close(struct iv_buf *out, size_t start, const struct iv_frame *frame, struct iv_err *err);
/* The sections, when all around them is right. IV_E_MALFORMED. */
iv_rc iv_frame_read(struct iv_image *out, struct iv_str bytes, const struct iv_frame *frame,
                    struct iv_err *err);
