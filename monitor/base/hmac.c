/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hmac.h"

#include <string.h>

#define BLOCK_BYTES 64

/*= RFC 2104 2 "H(K XOR opad, H(K XOR ipad, text))" */
void iv_hmac_sha256(unsigned char out[32], struct iv_digester *digester, struct iv_str key,
                    const struct iv_str *parts, size_t count)
{
    struct iv_digest digest;
    unsigned char inner[BLOCK_BYTES];
    unsigned char outer[BLOCK_BYTES];
    if (key.n > BLOCK_BYTES) {
        iv_digest(digester, &digest, IV_SHA256, key);
        key = (struct iv_str){(const char *)digest.bytes, digest.n};
    }
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        unsigned char byte = i < key.n ? (unsigned char)key.p[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    iv_digest_begin(digester, IV_SHA256);
    iv_digest_update(digester, (struct iv_str){(const char *)inner, BLOCK_BYTES});
    for (size_t i = 0; i < count; i++) {
        iv_digest_update(digester, parts[i]);
    }
    iv_digest_end(digester, &digest);
    iv_digest_begin(digester, IV_SHA256);
    iv_digest_update(digester, (struct iv_str){(const char *)outer, BLOCK_BYTES});
    iv_digest_update(digester, (struct iv_str){(const char *)digest.bytes, digest.n});
    iv_digest_end(digester, &digest);
    memcpy(out, digest.bytes, 32);
    explicit_bzero(inner, sizeof inner);
    explicit_bzero(outer, sizeof outer);
}
