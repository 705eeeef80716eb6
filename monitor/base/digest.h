/* SPDX-License-Identifier: Apache-2.0 */
/* Cryptographic digests, by OpenSSL; SHA-2 without an allocation for each message.
 * Owner/thread: one iv_digester per thread.
 * Source: FIPS 180-4 (SHA-2), FIPS 202 (SHA-3). */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum iv_digest_alg { IV_SHA384, IV_SHA256, IV_SHA3_256 };

#define IV_DIGEST_MAX_BYTES 48

struct iv_digest {
    unsigned char bytes[IV_DIGEST_MAX_BYTES];
    size_t n; /* 48 for SHA-384, 32 for the others */
};

struct iv_digester;

iv_rc iv_digester_new(struct iv_digester **out, struct iv_err *err);
void iv_digester_free(struct iv_digester *d);
void iv_digester_freep(struct iv_digester **d);

/* One message, in one or several parts. Aborts only if OpenSSL itself fails on memory it was given. */
void iv_digest(struct iv_digester *d, struct iv_digest *out, enum iv_digest_alg alg, struct iv_str message);
void iv_digest_begin(struct iv_digester *d, enum iv_digest_alg alg);
void iv_digest_update(struct iv_digester *d, struct iv_str part);
void iv_digest_end(struct iv_digester *d, struct iv_digest *out);

/* "sha384", "sha256", "sha3-256"; false for any other name. */
bool iv_digest_alg_of(enum iv_digest_alg *out, struct iv_str name);
