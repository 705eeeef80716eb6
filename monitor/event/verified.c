/* SPDX-License-Identifier: Apache-2.0 */
#include "event/verified.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#define LOCKS 64 /* far more than threads, so that two of them seldom meet */
#define DIGEST_BYTES 32

enum { UNKNOWN, WRONG, RIGHT };

/* The digest's last byte gives way to the answer. */
struct answer {
    unsigned char digest[DIGEST_BYTES - 1];
    unsigned char is;
};

struct row {
    struct answer ways[IV_VERIFIED_WAYS]; /* the newest first */
};

struct iv_verified {
    atomic_uint_fast64_t computed;
    atomic_uint_fast64_t known;
    pthread_mutex_t locks[LOCKS];
    struct row rows[IV_VERIFIED_ROWS];
};

iv_rc iv_verified_new(struct iv_verified **out, struct iv_err *err)
{
    struct iv_verified *v = iv_calloc(1, sizeof *v);
    ENSURE(v != NULL, err, IV_E_NOMEM, "cannot allocate the memory of verified signatures");
    for (size_t i = 0; i < LOCKS; i++) {
        IV_CHECK(pthread_mutex_init(&v->locks[i], NULL) == 0);
    }
    *out = v;
    return IV_OK;
}

void iv_verified_free(struct iv_verified *v)
{
    if (v != NULL) {
        for (size_t i = 0; i < LOCKS; i++) {
            (void)pthread_mutex_destroy(&v->locks[i]);
        }
        iv_free(v);
    }
}

/* Key and signature have fixed lengths, so that what follows is the message alone. */
static void identify(unsigned char out[DIGEST_BYTES], const unsigned char key[IV_ED25519_KEY_BYTES],
                     struct iv_str message, struct iv_str signature)
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    (void)crypto_generichash_update(&state, key, IV_ED25519_KEY_BYTES);
    (void)crypto_generichash_update(&state, (const unsigned char *)signature.p, signature.n);
    (void)crypto_generichash_update(&state, (const unsigned char *)message.p, message.n);
    (void)crypto_generichash_final(&state, out, DIGEST_BYTES);
}

static size_t row_of(const unsigned char digest[DIGEST_BYTES])
{
    return ((size_t)digest[0] << 8 | digest[1]) % IV_VERIFIED_ROWS;
}

static int look_up(struct iv_verified *v, const unsigned char digest[DIGEST_BYTES])
{
    size_t at = row_of(digest);
    int is = UNKNOWN;
    (void)pthread_mutex_lock(&v->locks[at % LOCKS]);
    for (size_t i = 0; i < IV_VERIFIED_WAYS && is == UNKNOWN; i++) {
        const struct answer *a = &v->rows[at].ways[i];
        is = memcmp(a->digest, digest, sizeof a->digest) == 0 ? a->is : UNKNOWN;
    }
    (void)pthread_mutex_unlock(&v->locks[at % LOCKS]);
    return is;
}

static void note(struct iv_verified *v, const unsigned char digest[DIGEST_BYTES], bool right)
{
    size_t at = row_of(digest);
    (void)pthread_mutex_lock(&v->locks[at % LOCKS]);
    struct answer *ways = v->rows[at].ways;
    memmove(&ways[1], &ways[0], (IV_VERIFIED_WAYS - 1) * sizeof ways[0]);
    memcpy(ways[0].digest, digest, sizeof ways[0].digest);
    ways[0].is = right ? RIGHT : WRONG;
    (void)pthread_mutex_unlock(&v->locks[at % LOCKS]);
}

bool iv_verified_ask(struct iv_verified *v, const unsigned char key[IV_ED25519_KEY_BYTES],
                     struct iv_str message, struct iv_str signature)
{
    unsigned char digest[DIGEST_BYTES];
    if (signature.n != IV_ED25519_SIGNATURE_BYTES) {
        return false;
    }
    identify(digest, key, message, signature);
    int is = look_up(v, digest);
    if (is != UNKNOWN) {
        atomic_fetch_add_explicit(&v->known, 1, memory_order_relaxed);
        return is == RIGHT;
    }
    bool right = iv_ed25519_verify(key, message, signature);
    note(v, digest, right);
    atomic_fetch_add_explicit(&v->computed, 1, memory_order_relaxed);
    return right;
}

void iv_verified_counts(const struct iv_verified *v, uint64_t *computed, uint64_t *known)
{
    *computed = atomic_load_explicit(&v->computed, memory_order_relaxed);
    *known = atomic_load_explicit(&v->known, memory_order_relaxed);
}
