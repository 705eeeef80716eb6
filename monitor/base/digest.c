/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <openssl/evp.h>

static const struct {
    struct iv_str name;
    const char *openssl_name;
    size_t bytes;
} algs[] = {
    [IV_SHA384] = {IV_STR_INIT("sha384"), "SHA2-384", 48},
    [IV_SHA256] = {IV_STR_INIT("sha256"), "SHA2-256", 32},
    [IV_SHA3_256] = {IV_STR_INIT("sha3-256"), "SHA3-256", 32},
};

/* A context for each algorithm: one that changes it is made anew, which costs more than a short message. */
struct iv_digester {
    EVP_MD *md[IV_COUNT(algs)];
    EVP_MD_CTX *ctx[IV_COUNT(algs)];
    EVP_MD_CTX *at; /* of the message at hand */
};

void iv_digester_free(struct iv_digester *d)
{
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < IV_COUNT(algs); i++) {
        EVP_MD_free(d->md[i]);
        EVP_MD_CTX_free(d->ctx[i]);
    }
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
    for (size_t i = 0; i < IV_COUNT(algs); i++) {
        d->ctx[i] = EVP_MD_CTX_new();
        ENSURE(d->ctx[i] != NULL, err, IV_E_NOMEM, "cannot allocate a digest context");
        d->md[i] = EVP_MD_fetch(NULL, algs[i].openssl_name, NULL);
        ENSURE(d->md[i] != NULL, err, IV_E_CRYPTO, "OpenSSL does not offer the digest %s",
               algs[i].openssl_name);
        ENSURE(EVP_DigestInit_ex2(d->ctx[i], d->md[i], NULL) == 1, err, IV_E_CRYPTO,
               "OpenSSL does not begin the digest %s", algs[i].openssl_name);
    }
    *out = TAKE(d);
    return IV_OK;
}

void iv_digest_begin(struct iv_digester *d, enum iv_digest_alg alg)
{
    d->at = d->ctx[alg];
    IV_CHECK(EVP_DigestInit_ex2(d->at, NULL, NULL) == 1);
}

void iv_digest_update(struct iv_digester *d, struct iv_str part)
{
    IV_CHECK(EVP_DigestUpdate(d->at, part.p, part.n) == 1);
}

void iv_digest_end(struct iv_digester *d, struct iv_digest *out)
{
    unsigned int n = 0;
    IV_CHECK(EVP_DigestFinal_ex(d->at, out->bytes, &n) == 1);
    out->n = n;
}

void iv_digest(struct iv_digester *d, struct iv_digest *out, enum iv_digest_alg alg, struct iv_str message)
{
    iv_digest_begin(d, alg);
    iv_digest_update(d, message);
    iv_digest_end(d, out);
}

bool iv_digest_alg_of(enum iv_digest_alg *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(algs); i++) {
        if (iv_str_eq(algs[i].name, name)) {
            *out = (enum iv_digest_alg)i;
            return true;
        }
    }
    return false;
}
