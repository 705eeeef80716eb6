/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sign.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "event/ed25519.h"
#include "event/pem.h"

#include <sodium.h>

struct iv_signer {
    unsigned char secret[crypto_sign_SECRETKEYBYTES]; /* the seed, then the public key */
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
};

iv_rc iv_signer_of_seed(struct iv_signer **out, const unsigned char seed[32], struct iv_err *err)
{
    ENSURE(iv_ed25519_init(), err, IV_E_CRYPTO, "cannot start libsodium");
    struct iv_signer *signer = iv_malloc(sizeof *signer);
    ENSURE(signer != NULL, err, IV_E_NOMEM, "cannot allocate a key");
    IV_CHECK(crypto_sign_seed_keypair(signer->public, signer->secret, seed) == 0);
    *out = signer;
    return IV_OK;
}

iv_rc iv_signer_generate(struct iv_signer **out, struct iv_err *err)
{
    ENSURE(iv_ed25519_init(), err, IV_E_CRYPTO, "cannot start libsodium");
    unsigned char seed[crypto_sign_SEEDBYTES];
    randombytes_buf(seed, sizeof seed);
    struct iv_rc_s rc = iv_signer_of_seed(out, seed, err);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

iv_rc iv_signer_of_pem(struct iv_signer **out, struct iv_str pem, struct iv_err *err)
{
    unsigned char seed[crypto_sign_SEEDBYTES];
    ENSURE(iv_pem_private_seed(seed, pem), err, IV_E_REFUSED,
           "is not an unencrypted Ed25519 private key in PEM");
    struct iv_rc_s rc = iv_signer_of_seed(out, seed, err);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

void iv_signer_free(struct iv_signer *signer)
{
    if (signer != NULL) {
        sodium_memzero(signer, sizeof *signer);
        iv_free(signer);
    }
}

void iv_signer_freep(struct iv_signer **signer)
{
    iv_signer_free(*signer);
}

iv_rc iv_signer_private_pem(struct iv_buf *out, const struct iv_signer *signer, struct iv_err *err)
{
    ENSURE(iv_pem_write_private(out, signer->secret), err, IV_E_CRYPTO, "cannot write a private key as PEM");
    return IV_OK;
}

iv_rc iv_signer_public_pem(struct iv_buf *out, const struct iv_signer *signer, struct iv_err *err)
{
    ENSURE(iv_pem_write_public(out, signer->public), err, IV_E_CRYPTO, "cannot write a public key as PEM");
    return IV_OK;
}

void iv_signer_public_bytes(unsigned char out[32], const struct iv_signer *signer)
{
    memcpy(out, signer->public, sizeof signer->public);
}

void iv_sign(unsigned char out[64], const struct iv_signer *signer, struct iv_str message)
{
    IV_CHECK(crypto_sign_detached(out, NULL, (const unsigned char *)message.p, message.n, signer->secret) ==
             0);
}
