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

/* The clock that entries are dated by; a store begins with the system's. */
struct iv_clock;
void iv_store_use_clock(struct iv_store *store, const struct iv_clock *clock);
