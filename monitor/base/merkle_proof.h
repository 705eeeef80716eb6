/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs about a Merkle tree with SHA-256: that a leaf is in it, and that a tree continues an older one.
 * Owner/thread: no state; the digester is the caller's.
 * Guarantee: a proof is made from as many nodes as it has hashes, and some more for the tree's right edge;
 * any bytes may come in as a proof, and are checked with a hash for each of them. Source: RFC 9162 2.1.3
 * and 2.1.4 (RFC 6962 2.1.1 and 2.1.2). */
#pragma once

#include "base/err.h"
#include "base/merkle.h"

#define IV_MERKLE_PROOF 128

struct iv_merkle_proof {
    struct iv_merkle_hash hashes[IV_MERKLE_PROOF]; /* from the leaves up */
    unsigned count;
};

/* Where the nodes are: the root of the perfect tree of the leaves from index << level on, 1 << level many. */
struct iv_merkle_nodes {
    struct iv_rc_s (*node)(void *ctx, struct iv_merkle_hash *out, unsigned level, uint64_t index,
                           struct iv_err *err);
    void *ctx;
};

/* The tree as it was at this size, from its nodes. */
iv_rc iv_merkle_at(struct iv_merkle *out, const struct iv_merkle_nodes *nodes, uint64_t size,
                   struct iv_err *err);

/* That leaf `index` is in the tree of `size` leaves: index < size. */
iv_rc iv_merkle_prove_leaf(struct iv_merkle_proof *out, struct iv_digester *d,
                           const struct iv_merkle_nodes *nodes, uint64_t index, uint64_t size,
                           struct iv_err *err);
/* That the tree of `size` leaves begins with that of `older` leaves: older <= size. */
iv_rc iv_merkle_prove_growth(struct iv_merkle_proof *out, struct iv_digester *d,
                             const struct iv_merkle_nodes *nodes, uint64_t older, uint64_t size,
                             struct iv_err *err);

bool iv_merkle_leaf_proven(struct iv_digester *d, const struct iv_merkle_proof *proof,
                           const struct iv_merkle_hash *leaf, uint64_t index, uint64_t size,
                           const struct iv_merkle_hash *root);
bool iv_merkle_growth_proven(struct iv_digester *d, const struct iv_merkle_proof *proof, uint64_t older,
                             const struct iv_merkle_hash *older_root, uint64_t size,
                             const struct iv_merkle_hash *root);
