/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"
#include "base/alloc.h"
#include "base/guard.h"

/* OpenSSL's own SHA-2 is called directly: EVP allocates and wipes a context for each message, which costs
 * more than hashing a short one. Of SHA-3 it offers EVP alone. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

static const struct iv_str names[] = {
    [IV_SHA384] = IV_STR_INIT("sha384"),
    [IV_SHA256] = IV_STR_INIT("sha256"),
    [IV_SHA3_256] = IV_STR_INIT("sha3-256"),
};

struct iv_digester {
    enum iv_digest_alg alg; /* of the message at hand */
    union {
        SHA512_CTX sha384;
        SHA256_CTX sha256;
    };
    EVP_MD *sha3_md;
    EVP_MD_CTX *sha3;
};

void iv_digester_free(struct iv_digester *d)
{
    if (d == NULL) {
        return;
    }
    EVP_MD_free(d->sha3_md);
    EVP_MD_CTX_free(d->sha3);
    iv_free(d);
}

void iv_digester_freep(struct iv_digester **d)
{
    iv_digester_free(*d);
}

iv_rc iv_digester_new(struct iv_digester **out, struct iv_err *err)
{
    IV_AUTO(iv_digester_freep) struct iv_digester *d = iv_calloc(1, sizeof *d);
    ENSURE(d != NULL, err, IV_E_NOMEM, "cannot allocate a digester");
    d->sha3 = EVP_MD_CTX_new();
    ENSURE(d->sha3 != NULL, err, IV_E_NOMEM, "cannot allocate a digest context");
    d->sha3_md = EVP_MD_fetch(NULL, "SHA3-256", NULL);
    ENSURE(d->sha3_md != NULL, err, IV_E_CRYPTO, "OpenSSL does not offer the digest SHA3-256");
    *out = TAKE(d);
    return IV_OK;
}

void iv_digest_begin(struct iv_digester *d, enum iv_digest_alg alg)
{
    d->alg = alg;
    switch (alg) {
    case IV_SHA384:
        IV_CHECK(SHA384_Init(&d->sha384) == 1);
        break;
    case IV_SHA256:
        IV_CHECK(SHA256_Init(&d->sha256) == 1);
        break;
    case IV_SHA3_256:
        IV_CHECK(EVP_DigestInit_ex2(d->sha3, d->sha3_md, NULL) == 1);
        break;
    }
}

void iv_digest_update(struct iv_digester *d, struct iv_str part)
{
    switch (d->alg) {
    case IV_SHA384:
        IV_CHECK(SHA384_Update(&d->sha384, part.p, part.n) == 1);
        break;
    case IV_SHA256:
        IV_CHECK(SHA256_Update(&d->sha256, part.p, part.n) == 1);
        break;
    case IV_SHA3_256:
        IV_CHECK(EVP_DigestUpdate(d->sha3, part.p, part.n) == 1);
        break;
    }
}

void iv_digest_end(struct iv_digester *d, struct iv_digest *out)
{
    switch (d->alg) {
    case IV_SHA384:
        out->n = SHA384_DIGEST_LENGTH;
        IV_CHECK(SHA384_Final(out->bytes, &d->sha384) == 1);
        break;
    case IV_SHA256:
        out->n = SHA256_DIGEST_LENGTH;
        IV_CHECK(SHA256_Final(out->bytes, &d->sha256) == 1);
        break;
    case IV_SHA3_256: {
        unsigned int n = 0;
        IV_CHECK(EVP_DigestFinal_ex(d->sha3, out->bytes, &n) == 1);
        out->n = n;
        break;
    }
    }
}

void iv_digest(struct iv_digester *d, struct iv_digest *out, enum iv_digest_alg alg, struct iv_str message)
{
    iv_digest_begin(d, alg);
    iv_digest_update(d, message);
    iv_digest_end(d, out);
}

bool iv_digest_alg_of(enum iv_digest_alg *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if (iv_str_eq(names[i], name)) {
            *out = (enum iv_digest_alg)i;
            return true;
        }
    }
    return false;
}
