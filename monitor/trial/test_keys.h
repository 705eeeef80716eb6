/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that a rule's test asks for, made on the spot, and the receipts that they sign.
 * Purpose: {id: k, role: orchestrator} is a key pair, and {sign: k, request_id: r1} a receipt that verifies.
 * Owner/thread: one owner, one thread.
 * Guarantee: an id gives the same key pair on every run. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "baseline/yaml.h"
#include "event/decode.h"
#include "event/keyring.h"

struct iv_signer;

#define IV_TEST_KEYS_MAX 16

struct iv_test_keys {
    struct iv_arena arena;
    struct iv_key ring[IV_TEST_KEYS_MAX];
    struct iv_signer *signers[IV_TEST_KEYS_MAX]; /* NULL: the test gave the public half only */
    size_t count;
};

/* list is a test's "keys", NULL for none. IV_E_REFUSED: problems says why. Deinit it in every case. */
iv_rc iv_test_keys_read(struct iv_test_keys *out, const struct iv_yaml_node *list,
                        struct iv_problems *problems, struct iv_err *err);
void iv_test_keys_deinit(struct iv_test_keys *keys);

/* The private half of the key that the node names; NULL, and a problem, where the test made none. */
const struct iv_signer *iv_test_signer(const struct iv_test_keys *keys, const struct iv_yaml_node *id,
                                       struct iv_problems *problems);

/* Appends the receipt of an event whose time is t as JSON: signed if it has "sign", with what "altered" holds
 * put in afterwards. IV_E_REFUSED: problems says why. */
iv_rc iv_test_receipt(struct iv_buf *out, const struct iv_test_keys *keys, struct iv_decoder *decoder,
                      const struct iv_yaml_node *receipt, struct iv_instant t, struct iv_problems *problems,
                      struct iv_err *err);
