/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jws_key.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define RSA_MIN_BITS 2048
#define SIGNATURE_MAX_BYTES 2048 /* of RSA with 16,384 bits */
#define P256_BYTES 32

struct iv_jws_key {
    EVP_PKEY *key;
    bool is_rsa;
};

void iv_jws_key_free(struct iv_jws_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->key);
        iv_free(key);
    }
}

void iv_jws_key_freep(struct iv_jws_key **key)
{
    iv_jws_key_free(*key);
}

/* An encrypted key must not make OpenSSL ask at the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool is_p256(const EVP_PKEY *key)
{
    char group[64] = "";
    size_t n = 0;
    return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

iv_rc iv_jws_key_new(struct iv_jws_key **out, struct iv_str pem, struct iv_err *err)
{
    IV_AUTO(iv_jws_key_freep) struct iv_jws_key *s = iv_calloc(1, sizeof *s);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (s != NULL && bio != NULL) {
        s->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    }
    BIO_free(bio);
    ENSURE(s != NULL && bio != NULL, err, IV_E_NOMEM, "cannot allocate a signing key");
    ENSURE(s->key != NULL, err, IV_E_REFUSED, "the signing key is no unencrypted private key in PEM");
    s->is_rsa = EVP_PKEY_is_a(s->key, "RSA") == 1;
    ENSURE(s->is_rsa || is_p256(s->key), err, IV_E_REFUSED,
           "the signing key must be RSA, for RS256, or EC on P-256, for ES256");
    ENSURE(!s->is_rsa || EVP_PKEY_get_bits(s->key) >= RSA_MIN_BITS, err, IV_E_REFUSED,
           "the signing key has %d bits and needs %d or more", EVP_PKEY_get_bits(s->key), RSA_MIN_BITS);
    *out = TAKE(s);
    return IV_OK;
}

const char *iv_jws_algorithm(const struct iv_jws_key *key)
{
    return key->is_rsa ? "RS256" : "ES256";
}

/*= RFC 7518 3.4 "The JWS Signature is the value R || S" */
static bool flatten(unsigned char out[2 * P256_BYTES], const unsigned char *der, size_t n)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool good = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, P256_BYTES) == P256_BYTES &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + P256_BYTES, P256_BYTES) == P256_BYTES;
    ECDSA_SIG_free(pair);
    return good;
}

iv_rc iv_jws_sign(struct iv_buf *out, const struct iv_jws_key *key, struct iv_str message, struct iv_err *err)
{
    unsigned char bytes[SIGNATURE_MAX_BYTES];
    unsigned char flat[2 * P256_BYTES];
    size_t n = sizeof bytes;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ENSURE(ctx != NULL, err, IV_E_NOMEM, "cannot allocate a signature");
    bool good = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->key) == 1 &&
                EVP_DigestSign(ctx, bytes, &n, (const unsigned char *)message.p, message.n) == 1;
    EVP_MD_CTX_free(ctx);
    good = good && (key->is_rsa || flatten(flat, bytes, n));
    ENSURE(good, err, IV_E_CRYPTO, "OpenSSL does not sign with the signing key");
    iv_buf_add(out, key->is_rsa ? bytes : flat, key->is_rsa ? n : sizeof flat);
    return iv_buf_check(out, "a signature", err);
}
