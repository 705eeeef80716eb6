/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed hashes for tables: entity names are chosen by whoever is watched, so the key must be random.
 * Source: SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"), 64 and 128 bits. */
#pragma once

#include "base/str.h"

#include <stdint.h>

struct iv_hash_key {
    uint64_t k0;
    uint64_t k1;
};

struct iv_hash128 {
    uint64_t lo;
    uint64_t hi;
};

/* Not for keys of anything but tables. Aborts if the system has no randomness. */
struct iv_hash_key iv_hash_key_random(void);

uint64_t iv_hash64(struct iv_hash_key key, struct iv_str s);
struct iv_hash128 iv_hash128(struct iv_hash_key key, struct iv_str s);
