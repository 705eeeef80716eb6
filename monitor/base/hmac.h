/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256.
 * Source: RFC 2104; test vectors of RFC 4231. */
#pragma once

#include "base/digest.h"
#include "base/str.h"

/* The message in parts, so that it need not be put together. The digester is used and left
 * free for the next. */
void iv_hmac_sha256(unsigned char out[32], struct iv_digester *digester, struct iv_str key,
                    const struct iv_str *parts, size_t count);
