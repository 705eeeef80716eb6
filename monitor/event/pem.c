/* SPDX-License-Identifier: Apache-2.0 */
#include "event/pem.h"
#include "base/guard.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static void bio_freep(BIO **bio)
{
    BIO_free_all(*bio);
}

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static BIO *open_text(struct iv_str pem)
{
    return pem.n > 0 && pem.n <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

/* An encrypted key has no place where nobody types: the empty answer refuses it instead of asking the
 * terminal. */
static int no_password(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return 0;
}

bool iv_pem_public_key(unsigned char out[32], struct iv_str pem)
{
    IV_AUTO(bio_freep) BIO *bio = open_text(pem);
    IV_AUTO(pkey_freep)
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    size_t n = 32;
    return key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
           EVP_PKEY_get_raw_public_key(key, out, &n) == 1 && n == 32;
}

bool iv_pem_private_seed(unsigned char out[32], struct iv_str pem)
{
    IV_AUTO(bio_freep) BIO *bio = open_text(pem);
    IV_AUTO(pkey_freep)
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    size_t n = 32;
    return key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
           EVP_PKEY_get_raw_private_key(key, out, &n) == 1 && n == 32;
}

static bool copy_out(struct iv_buf *out, BIO *bio)
{
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    if (n > 0) {
        iv_buf_add(out, text, (size_t)n);
    }
    return n > 0 && !iv_buf_failed(out);
}

bool iv_pem_write_public(struct iv_buf *out, const unsigned char bytes[32])
{
    IV_AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    IV_AUTO(pkey_freep) EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, 32);
    return bio != NULL && key != NULL && PEM_write_bio_PUBKEY(bio, key) == 1 && copy_out(out, bio);
}

bool iv_pem_write_private(struct iv_buf *out, const unsigned char seed[32])
{
    IV_AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
    IV_AUTO(pkey_freep) EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    return bio != NULL && key != NULL &&
           PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 && copy_out(out, bio);
}
