/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys with roles and times, and Ed25519 (RFC 8032) under them.
 * Owner/thread: built once, then shared; any number of threads verify at once. It remembers what it verified
 * (verified.h), which shows in nothing but speed and iv_keyring_counts.
 * Not here: private keys (sign.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "base/value.h"

struct iv_keyring;

iv_rc iv_keyring_new(struct iv_keyring **out, struct iv_err *err);
void iv_keyring_free(struct iv_keyring *ring);

struct iv_key {
    struct iv_str id;
    struct iv_str role;                  /* "orchestrator", "approver", "policy", "log", … */
    struct iv_str public_key;            /* base64 of 32 bytes, or PEM */
    const struct iv_instant *not_before; /* NULL: no bound. Valid when not_before <= t < not_after */
    const struct iv_instant *not_after;
    struct iv_str tenant; /* whose affairs alone it may approve; empty: anybody's */
};
/* IV_E_REFUSED: the id stands already, the key is no Ed25519 key. */
iv_rc iv_keyring_add(struct iv_keyring *ring, const struct iv_key *key, struct iv_err *err);

/* True when the ring has this very key under this id and role, whenever it is valid. */
bool iv_keyring_has(const struct iv_keyring *ring, struct iv_str id, struct iv_str role,
                    const unsigned char public_key[32]);

bool iv_keyring_is_empty(const struct iv_keyring *ring);
/* Two ids can be of one public key, and then are one signer. */
bool iv_keyring_same(const struct iv_keyring *ring, struct iv_str id, struct iv_str other);
/* Another id of the public key that this id has; p NULL: there is none. */
struct iv_str iv_keyring_twin(const struct iv_keyring *ring, struct iv_str id);
/* How many different public keys have an id that is wanted. key: all of it but the public key. */
size_t iv_keyring_count(const struct iv_keyring *ring, bool (*wanted)(void *ctx, const struct iv_key *key),
                        void *ctx);
/* Whether the key with this id is bound to no tenant, or to this one. */
bool iv_keyring_speaks_for(const struct iv_keyring *ring, struct iv_str id, struct iv_str tenant);

/* True when the signature (64 bytes) over the message verifies under the key with this id (and role, unless
 * its p is NULL) and the key was valid at t. */
bool iv_keyring_verify(const struct iv_keyring *ring, struct iv_str id, struct iv_str role,
                       struct iv_instant t, struct iv_str message, struct iv_str signature);

/* The key with this id (and role, unless its p is NULL), if it was valid at t. */
bool iv_keyring_key(unsigned char out[32], const struct iv_keyring *ring, struct iv_str id,
                    struct iv_str role, struct iv_instant t);

/* For figures. */
struct iv_keyring_counts {
    uint64_t verified; /* signatures that were computed */
    uint64_t recalled; /* and those that had been before */
};
void iv_keyring_counts(const struct iv_keyring *ring, struct iv_keyring_counts *out);

/* A receipt (contract "Receipts and signatures"): a map whose signature is over the JCS of the rest. Never
 * fails: what cannot be verified is not valid. */
bool iv_receipt_valid(const struct iv_keyring *ring, const struct iv_val *receipt, struct iv_str role);
