/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of a log, with SHA-256: appending, and the root at the size reached.
 * Purpose: what a checkpoint signs, of others' logs and of the monitor's own.
 * Owner/thread: plain data, one thread; the digester is the caller's.
 * Guarantee: n appended leaves cost 2n hashes at most, a root one hash for each set bit of the size.
 * Source: RFC 6962 2.1; the tree in 64 peaks at most ("compact range").
 * Not here: proofs (merkle_proof.h), and trees that fork (engine/logs.h). */
#pragma once

#include "base/digest.h"

#include <stdint.h>

#define IV_MERKLE_BYTES 32
#define IV_MERKLE_PEAKS 64

struct iv_merkle_hash {
    unsigned char bytes[IV_MERKLE_BYTES];
};

struct iv_merkle {
    uint64_t size;
    /* The roots of the perfect trees that the leaves make up, the largest first: one for each set bit of
     * size. */
    struct iv_merkle_hash peaks[IV_MERKLE_PEAKS];
};

/* The root of the tree without leaves. */
void iv_merkle_empty(struct iv_merkle_hash *out, struct iv_digester *d);
/* Of a leaf's data. */
void iv_merkle_leaf(struct iv_merkle_hash *out, struct iv_digester *d, struct iv_str data);
/* Of two subtrees; out may be one of them. */
void iv_merkle_node(struct iv_merkle_hash *out, struct iv_digester *d, const struct iv_merkle_hash *left,
                    const struct iv_merkle_hash *right);

/* An empty tree is {0}. */
void iv_merkle_append(struct iv_merkle *tree, struct iv_digester *d, struct iv_str data);
/* The same, and answers the roots of the perfect trees that end with this leaf, the smallest (the leaf's own
 * hash) first, and how many they are. Kept for each leaf they are all that proofs need. */
unsigned iv_merkle_grow(struct iv_merkle_hash roots[IV_MERKLE_PEAKS], struct iv_merkle *tree,
                        struct iv_digester *d, struct iv_str data);
void iv_merkle_root(struct iv_merkle_hash *out, struct iv_digester *d, const struct iv_merkle *tree);
