/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a bundle proves what it says, from its bytes alone.
 * Owner/thread: pure; one thread.
 * Guarantee: any bytes may come in. Of a bundle that iv_bundle_make wrote, no byte can be changed, put in or
 * taken out without its being refused. What a bundle cannot prove by itself is told, never taken for granted:
 * whether its checkpoint is the log's takes a key, or an older checkpoint that one has from elsewhere.
 * Not here: whether the findings are right, which takes the records (the command verify replays them). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "evidence/bundle.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_bundle_trust {
    struct iv_str key;   /* the public key of the monitor, PEM or base64; p NULL: not known */
    struct iv_str since; /* an older checkpoint that is known from elsewhere; p NULL: none */
};

struct iv_bundle_facts {
    struct iv_bundle_head head;
    uint64_t lines;
    uint64_t documents[IV_LEAF_KINDS];
    uint64_t entries; /* shown in one piece, from before the period to the log's end */
    bool is_signed;   /* by the key that was given */
    bool continues;   /* the checkpoint that was given */
};

/* Calls visit for each leaf with a document, once its proof holds; valid for the length of the call. NULL:
 * nobody looks.
 * IV_E_REFUSED: the bytes are no bundle, or the key is none. IV_E_MALFORMED: a proof is broken; the sentence
 * names the line. */
typedef iv_rc (*iv_bundle_visit)(void *ctx, const struct iv_bundle_leaf *leaf, struct iv_err *err);
iv_rc iv_bundle_check(struct iv_bundle_facts *out, struct iv_str bytes, const struct iv_bundle_trust *trust,
                      iv_bundle_visit visit, void *ctx, struct iv_err *err);
