/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's own log: what it found, did and missed, in a Merkle tree.
 * Purpose: nothing that was recorded can be changed, left out or put in later without its showing.
 * Owner/thread: as store.h has it; everything here is inside a transaction of the store, so that an entry is
 * there exactly when the row is that it speaks of.
 * Guarantee: an entry costs one row, and two hashes on average; the tree of any size there has ever been can
 * be computed, and proven, from some rows for each doubling of the log.
 * Source: RFC 9162 2.1 (RFC 6962's tree), C2SP tlog-checkpoint.
 * Not here: entries of findings and actions (iv_store_put_finding, iv_store_log_action make their own). */
#pragma once

#include "evidence/leaf.h"
#include "evidence/store.h"

/* Appends an entry, and keeps its document. */
iv_rc iv_store_log(struct iv_store *store, enum iv_leaf_kind kind, struct iv_str key, struct iv_str document,
                   struct iv_err *err);

/* From now on a transaction that commits signs what the log is by then: when it has so many entries that are
 * not signed yet, or when it has one and the last signature is so old. The checkpoint bears the name of the
 * log, which is its key's name as well, and is in the transaction. Outside of transactions. */
struct iv_signer;
struct iv_log_signing {
    const struct iv_signer *signer; /* outlives the store */
    uint64_t entries;
    iv_ns every;
};
iv_rc iv_store_sign_log(struct iv_store *store, const struct iv_log_signing *signing, struct iv_err *err);
/* Inside a transaction: its commit signs whatever there is. */
void iv_store_seal_log(struct iv_store *store);

/* Appends the newest checkpoint, a C2SP signed note. IV_E_ABSENT: nothing was signed yet. */
struct iv_reader;
iv_rc iv_reader_checkpoint(struct iv_reader *reader, struct iv_buf *note, struct iv_err *err);

/* The clock that entries are dated by; a store begins with the system's. */
struct iv_clock;
void iv_store_use_clock(struct iv_store *store, const struct iv_clock *clock);
