/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON (RFC 8785) off a tape. For the files of this folder only; chain.h has it for everybody. */
#pragma once

#include "base/buf.h"
#include "event/decoder.h"

struct iv_canonical {
    struct iv_str omit;    /* the member of the outermost map to leave out; p NULL: none */
    bool strict_integers;  /* an integer beyond 2^53, either way, has no canonical form */
    struct iv_fault fault; /* after IV_E_SYNTAX: what has none, and why */
};

/* Appends the canonical form of a node. IV_E_SYNTAX: it has none, see above. IV_E_NOMEM. Ask iv_buf_failed as
 * well. */
iv_rc iv_canonical_write(struct iv_buf *out, struct iv_decoder *decoder, uint32_t node,
                         struct iv_canonical *c, struct iv_err *err);

/* A finite double, as ECMAScript writes it. */
void iv_canonical_double(struct iv_buf *out, double d);
