/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: what a log says of itself, as the text of a signed note.
 * Owner/thread: no state; what is parsed points into the text.
 * Source: C2SP tlog-checkpoint. */
#pragma once

#include "base/merkle.h"
#include "event/note.h"

struct iv_checkpoint {
    struct iv_str origin; /* the log's name of itself */
    uint64_t size;        /* leaves */
    struct iv_merkle_hash root;
};

/* Lines behind the third are of no concern here. IV_E_SYNTAX, with what is wrong. */
iv_rc iv_checkpoint_parse(struct iv_checkpoint *out, struct iv_str text, struct iv_err *err);
/* Appends the text. */
void iv_checkpoint_write(struct iv_buf *out, const struct iv_checkpoint *checkpoint);
/* Appends the signed note of a checkpoint, by the key that is called name. IV_E_SYNTAX: such an origin or
 * name makes none. */
iv_rc iv_checkpoint_sign(struct iv_buf *out, const struct iv_checkpoint *checkpoint, struct iv_str name,
                         const struct iv_signer *signer, struct iv_digester *digester, struct iv_err *err);
