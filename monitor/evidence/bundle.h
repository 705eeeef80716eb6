/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle: what was recorded of a period, with all that is needed to see that it is what was recorded.
 * Purpose: an auditor who trusts one checkpoint, or one public key, trusts no more than that.
 * Owner/thread: pure functions over bytes, and one that reads a store; slices point into the bytes or the
 * arena that they were read from.
 * Guarantee: each line has one form only, so a bundle that reads back to other bytes is not what was written.
 *
 * Lines of JSON. The first is the head: the period, and the log's tree at two sizes. Then leaves, in order of
 * their place in the log: single ones before `first`, each with its proof (the baseline that was in force
 * when the period began), and from `first` on every one there is, so that nothing can be left out. `first` is
 * the last entry that was recorded before the period, or the very first. A leaf brings its document, and the
 * proof that it is in the tree, where it is of the period (iv_bundle_has). The last line has the digest of
 * all others. */
#pragma once

#include "base/arena.h"
#include "base/merkle_proof.h"
#include "base/value.h"
#include "evidence/leaf.h"

#define IV_BUNDLE_FORM "invigil evidence 1"
#define IV_BUNDLE_MAX_BYTES ((size_t)1 << 30)

struct iv_bundle_head {
    struct iv_str program; /* the version that wrote it */
    iv_ns from;            /* the period: from <= time < until */
    iv_ns until;
    uint64_t size; /* of the log that it is of */
    struct iv_merkle_hash root;
    uint64_t first;
    struct iv_merkle before;       /* the tree of the entries in front of first */
    struct iv_str checkpoint;      /* the signed note of size and root; p NULL: nothing was signed */
    struct iv_str since;           /* an older one; p NULL: none was asked about */
    struct iv_merkle_proof growth; /* that the log continues it */
};

struct iv_bundle_leaf {
    uint64_t leaf;
    struct iv_leaf entry;
    struct iv_str document; /* p NULL: none, and no proof */
    struct iv_merkle_proof proof;
};

struct iv_bundle_end {
    struct iv_merkle_hash digest; /* SHA-256 of all lines before */
    uint64_t lines;               /* how many they are */
};

/* Each appends a line, with its newline. */
void iv_bundle_write_head(struct iv_buf *out, const struct iv_bundle_head *head);
void iv_bundle_write_leaf(struct iv_buf *out, const struct iv_bundle_leaf *leaf);
void iv_bundle_write_end(struct iv_buf *out, const struct iv_bundle_end *end);

/* From the object that a line is. IV_E_MALFORMED names the member. Whether it is the one form of what it says
 * is for the caller to see, by writing it. */
iv_rc iv_bundle_read_head(struct iv_bundle_head *out, const struct iv_val *line, struct iv_err *err);
iv_rc iv_bundle_read_leaf(struct iv_bundle_leaf *out, const struct iv_val *line, struct iv_err *err);
iv_rc iv_bundle_read_end(struct iv_bundle_end *out, const struct iv_val *line, struct iv_err *err);

/* Whether a bundle of this period brings an entry's document: of findings those about events of the period;
 * all baselines and all coverage, which may speak of it however late; the rest as recorded in the period. */
bool iv_bundle_has(const struct iv_leaf *entry, iv_ns from, iv_ns until);

/* What is in the store, as of one moment. */
struct iv_bundle_order {
    iv_ns from;
    iv_ns until;
    struct iv_str since; /* a checkpoint of this log, to prove that it was continued; p NULL: none */
};
struct iv_bundle_made {
    uint64_t size;     /* entries of the log that it is of */
    uint64_t leaves;   /* that it shows */
    uint64_t findings; /* documents */
    uint64_t documents;
    uint64_t later; /* entries behind its checkpoint, which it does not show */
    bool is_signed;
};
struct iv_reader;
/* Appends the bundle. IV_E_REFUSED: since is no checkpoint of this log. IV_E_LIMIT: it is larger than out may
 * be. */
iv_rc iv_bundle_make(struct iv_buf *out, struct iv_bundle_made *made, struct iv_reader *reader,
                     const struct iv_bundle_order *order, struct iv_err *err);
