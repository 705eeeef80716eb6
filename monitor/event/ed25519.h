/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032), as every verdict of ours has it. For the files of this folder and its tests.
 *
 * By libsodium: it verifies twice as many signatures a second as OpenSSL 3.0 (19,000 against 9,000 on one
 * core of a Zen 4, in one run of tests/bench/receipts), and is the stricter of the two. No batches: a batch
 * and a single verification accept different signatures, and a verdict must be one that anybody can repeat.
 * What it accepts under a key that iv_ed25519_key_valid accepts, every other verifier accepts too, cofactored
 * or not, so that a third party can repeat a verdict with whatever is at hand:
 *   - the key is a canonical point of the prime-order group (no low or mixed order), asked once, when it is
 * loaded;
 *   - S is below the order of the group; R is canonical and not of low order; and R = SB - hA holds without
 * cofactor. Of the 914 edge cases of CCTV it accepts the one that has no edge
 * (tests/conformance/ed25519/cctv.answers). */
#pragma once

#include "base/str.h"

#include <stdbool.h>

#define IV_ED25519_KEY_BYTES 32
#define IV_ED25519_SIGNATURE_BYTES 64

/* Before anything else here; any number of times, from any thread. False: the system has no randomness. */
bool iv_ed25519_init(void);

bool iv_ed25519_key_valid(const unsigned char key[IV_ED25519_KEY_BYTES]);
/* The key is valid. False also for a signature of another length. */
bool iv_ed25519_verify(const unsigned char key[IV_ED25519_KEY_BYTES], struct iv_str message,
                       struct iv_str signature);
