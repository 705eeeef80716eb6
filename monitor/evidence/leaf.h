/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of the monitor's own log: the data of one leaf of its Merkle tree.
 * Purpose: names what was recorded, when, and by its digest the document that says all of it, so that
 * whoever has the document can compute the leaf.
 * Owner/thread: plain data; slices belong to the caller. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/merkle.h"
#include "base/time.h"

enum iv_leaf_kind {
#define KIND(id, name) IV_LEAF_##id,
#include "evidence/leaf_kinds.def"
#undef KIND
    IV_LEAF_KINDS
};
const char *iv_leaf_kind_name(enum iv_leaf_kind kind);
bool iv_leaf_kind_of(enum iv_leaf_kind *out, struct iv_str name);

struct iv_leaf {
    enum iv_leaf_kind kind;
    struct iv_str key;
    iv_ns time;                   /* when it was recorded; never before the entry in front of it */
    iv_ns event_time;             /* of the event that it is about; IV_NS_MIN: of none */
    struct iv_merkle_hash digest; /* SHA-256 of the document */
};

/* Appends the text that is hashed: the JCS (RFC 8785) of an object with digest, event_time, key, kind, time.
 */
void iv_leaf_write(struct iv_buf *out, const struct iv_leaf *leaf);
/* From the object that such a text is. IV_E_MALFORMED names the member. */
struct iv_val;
iv_rc iv_leaf_read(struct iv_leaf *out, const struct iv_val *object, struct iv_err *err);
