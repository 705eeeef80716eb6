/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of rules, divided between engines.
 * Purpose: one engine for all keys would be the end of growth; so each of several has those keys whose hash
 * says so, and what concerns them. A rule without a key is whole in one of them.
 * Guarantee: the same for one key on every machine and in every run, so it is no secret: who chooses keys can
 * burden one share more than the others, and gains nothing else. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_share {
    uint32_t count; /* of shares; 0: an engine that has all keys */
    uint32_t mine;  /* below count */
};

uint32_t iv_share_of(struct iv_str key, uint32_t count);

static inline bool iv_share_has(struct iv_share share, struct iv_str key)
{
    return share.count == 0 || iv_share_of(key, share.count) == share.mine;
}
