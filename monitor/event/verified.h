/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that were verified before, and what came of it. For the files of this folder and its tests.
 * Purpose: a verification costs as much as some twenty events, and the same one is asked for again: telemetry
 * repeats the ledger's receipts, and threads verify beside the engine what its rules will ask for.
 * Owner/thread: any number of threads, under locks of its own; nobody waits for a verification of somebody
 * else's.
 * Guarantee: answers as iv_ed25519_verify does. A question is known again by 31 bytes of BLAKE2b over the
 * key, the signature and the message, so that no other one passes for it. The memory is bounded: of the
 * IV_VERIFIED_WAYS questions that share a row the oldest gives way, and is verified anew when it comes again.
 */
#pragma once

#include "base/err.h"
#include "event/ed25519.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_VERIFIED_ROWS 16384
#define IV_VERIFIED_WAYS 4

struct iv_verified;

iv_rc iv_verified_new(struct iv_verified **out, struct iv_err *err);
void iv_verified_free(struct iv_verified *verified);

/* What iv_ed25519_verify answers. */
bool iv_verified_ask(struct iv_verified *verified, const unsigned char key[IV_ED25519_KEY_BYTES],
                     struct iv_str message, struct iv_str signature);

/* Signatures that were computed, and questions that were known. */
void iv_verified_counts(const struct iv_verified *verified, uint64_t *computed, uint64_t *known);
