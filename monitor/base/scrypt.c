/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scrypt.h"

#include "base/guard.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>
#include <sys/random.h>

#define COST UINT64_C(32768)
#define BLOCK 8
#define PARALLEL 1
#define MEMORY_MAX_BYTES (UINT64_C(128) << 20)

void iv_random(void *out, size_t n)
{
    IV_CHECK(n <= 256 && getrandom(out, n, 0) == (ssize_t)n);
}

static void kdf_free(EVP_KDF **kdf)
{
    EVP_KDF_free(*kdf);
}

static void context_free(EVP_KDF_CTX **context)
{
    EVP_KDF_CTX_free(*context);
}

iv_rc iv_scrypt(struct iv_scrypt *out, struct iv_str password, struct iv_str salt, struct iv_err *err)
{
    uint64_t memory = MEMORY_MAX_BYTES;
    uint64_t cost = out->cost;
    uint32_t block = out->block;
    uint32_t parallel = out->parallel;
    IV_AUTO(kdf_free) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    ENSURE(kdf != NULL, err, IV_E_CRYPTO, "OpenSSL does not offer scrypt");
    IV_AUTO(context_free) EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    ENSURE(context != NULL, err, IV_E_NOMEM, "cannot allocate a context for scrypt");
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)password.p, password.n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p, salt.n),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &block),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &parallel),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_construct_end()};
    ENSURE(EVP_KDF_derive(context, out->hash, sizeof out->hash, params) == 1, err, IV_E_CRYPTO,
           "a password cannot be hashed with these parameters, or memory is out");
    return IV_OK;
}

iv_rc iv_scrypt_make(struct iv_scrypt *out, struct iv_str password, struct iv_err *err)
{
    *out = (struct iv_scrypt){.cost = COST, .block = BLOCK, .parallel = PARALLEL};
    iv_random(out->salt, sizeof out->salt);
    return iv_scrypt(out, password, (struct iv_str){(const char *)out->salt, sizeof out->salt}, err);
}

void iv_scrypt_nobody(struct iv_scrypt *out)
{
    *out = (struct iv_scrypt){.cost = COST, .block = BLOCK, .parallel = PARALLEL};
    iv_random(out->salt, sizeof out->salt);
    iv_random(out->hash, sizeof out->hash);
}

iv_rc iv_scrypt_is(bool *out, const struct iv_scrypt *made, struct iv_str password, struct iv_err *err)
{
    struct iv_scrypt again = *made;
    TRY(iv_scrypt(&again, password, (struct iv_str){(const char *)made->salt, sizeof made->salt}, err));
    *out = CRYPTO_memcmp(again.hash, made->hash, sizeof made->hash) == 0;
    return IV_OK;
}
