/* SPDX-License-Identifier: Apache-2.0 */
#include "event/keyring.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/guard.h"
#include "event/ed25519.h"
#include "event/pem.h"
#include "event/verified.h"

struct entry {
    struct entry *next;
    struct iv_str id;
    struct iv_str role;
    struct iv_str tenant; /* empty: not bound */
    unsigned char key[IV_ED25519_KEY_BYTES];
    struct iv_instant not_before;
    struct iv_instant not_after;
};

struct iv_keyring {
    struct iv_arena arena;
    struct entry *entries;
    struct iv_verified *verified;
};

void iv_keyring_free(struct iv_keyring *ring)
{
    if (ring != NULL) {
        iv_verified_free(ring->verified);
        iv_arena_deinit(&ring->arena);
        iv_free(ring);
    }
}

static void keyring_freep(struct iv_keyring **ring)
{
    iv_keyring_free(*ring);
}

iv_rc iv_keyring_new(struct iv_keyring **out, struct iv_err *err)
{
    ENSURE(iv_ed25519_init(), err, IV_E_CRYPTO, "cannot start libsodium");
    IV_AUTO(keyring_freep) struct iv_keyring *ring = iv_calloc(1, sizeof *ring);
    ENSURE(ring != NULL, err, IV_E_NOMEM, "cannot allocate a keyring");
    iv_arena_init(&ring->arena, 0);
    TRY(iv_verified_new(&ring->verified, err));
    *out = TAKE(ring);
    return IV_OK;
}

static const struct entry *find(const struct iv_keyring *ring, struct iv_str id)
{
    const struct entry *e = ring->entries;
    while (e != NULL && !iv_str_eq(e->id, id)) {
        e = e->next;
    }
    return e;
}

static bool base64_key(unsigned char out[IV_ED25519_KEY_BYTES], struct iv_str text)
{
    struct iv_buf bytes;
    iv_buf_init(&bytes, IV_ED25519_KEY_BYTES + 3);
    bool ok = iv_base64_decode(&bytes, text) && !iv_buf_failed(&bytes) && bytes.n == IV_ED25519_KEY_BYTES;
    if (ok) {
        memcpy(out, bytes.p, IV_ED25519_KEY_BYTES);
    }
    iv_buf_deinit(&bytes);
    return ok;
}

static iv_rc read_key(unsigned char out[IV_ED25519_KEY_BYTES], const struct iv_key *key, struct iv_err *err)
{
    bool pem = key->public_key.n > 5 && memcmp(key->public_key.p, "-----", 5) == 0;
    bool read = pem ? iv_pem_public_key(out, key->public_key) : base64_key(out, key->public_key);
    ENSURE(read, err, IV_E_REFUSED,
           "key '" IV_STR_FMT "' must be an Ed25519 public key, as base64 of 32 bytes or as PEM",
           IV_STR_ARG(key->id));
    ENSURE(iv_ed25519_key_valid(out), err, IV_E_REFUSED,
           "key '" IV_STR_FMT "' is not a point of Ed25519's prime-order group", IV_STR_ARG(key->id));
    return IV_OK;
}

iv_rc iv_keyring_add(struct iv_keyring *ring, const struct iv_key *key, struct iv_err *err)
{
    ENSURE(find(ring, key->id) == NULL, err, IV_E_REFUSED, "key '" IV_STR_FMT "' stands twice",
           IV_STR_ARG(key->id));
    unsigned char bytes[IV_ED25519_KEY_BYTES];
    TRY(read_key(bytes, key, err));
    struct entry *e = iv_arena_zalloc(&ring->arena, sizeof *e);
    ENSURE(e != NULL, err, IV_E_NOMEM, "cannot allocate a key");
    e->id = iv_arena_str(&ring->arena, key->id);
    e->role = iv_arena_str(&ring->arena, key->role);
    e->tenant = iv_arena_str(&ring->arena, key->tenant.p == NULL ? IV_STR("") : key->tenant);
    ENSURE(e->id.p != NULL && e->role.p != NULL && e->tenant.p != NULL, err, IV_E_NOMEM,
           "cannot allocate a key");
    memcpy(e->key, bytes, sizeof bytes);
    e->not_before = key->not_before != NULL ? *key->not_before : (struct iv_instant){IV_INSTANT_MIN_S, 0};
    e->not_after = key->not_after != NULL ? *key->not_after : (struct iv_instant){INT64_MAX, 0};
    e->next = ring->entries;
    ring->entries = e;
    return IV_OK;
}

bool iv_keyring_has(const struct iv_keyring *ring, struct iv_str id, struct iv_str role,
                    const unsigned char public_key[IV_ED25519_KEY_BYTES])
{
    const struct entry *e = find(ring, id);
    return e != NULL && iv_str_eq(role, e->role) && memcmp(e->key, public_key, sizeof e->key) == 0;
}

bool iv_keyring_is_empty(const struct iv_keyring *ring)
{
    return ring->entries == NULL;
}

bool iv_keyring_same(const struct iv_keyring *ring, struct iv_str id, struct iv_str other)
{
    const struct entry *a = find(ring, id);
    const struct entry *b = find(ring, other);
    return a != NULL && b != NULL && memcmp(a->key, b->key, sizeof a->key) == 0;
}

struct iv_str iv_keyring_twin(const struct iv_keyring *ring, struct iv_str id)
{
    const struct entry *e = find(ring, id);
    const struct entry *twin = e == NULL ? NULL : ring->entries;
    while (twin != NULL && (twin == e || memcmp(twin->key, e->key, sizeof e->key) != 0)) {
        twin = twin->next;
    }
    return twin == NULL ? (struct iv_str){NULL, 0} : twin->id;
}

static bool is_wanted(const struct entry *e, bool (*wanted)(void *ctx, const struct iv_key *key), void *ctx)
{
    const struct iv_key key = {.id = e->id,
                               .role = e->role,
                               .not_before = &e->not_before,
                               .not_after = &e->not_after,
                               .tenant = e->tenant};
    return wanted(ctx, &key);
}

/* The first of those of its public key that are wanted. */
static bool is_first(const struct iv_keyring *ring, const struct entry *e,
                     bool (*wanted)(void *ctx, const struct iv_key *key), void *ctx)
{
    for (const struct entry *other = ring->entries; other != e; other = other->next) {
        if (memcmp(other->key, e->key, sizeof e->key) == 0 && is_wanted(other, wanted, ctx)) {
            return false;
        }
    }
    return true;
}

size_t iv_keyring_count(const struct iv_keyring *ring, bool (*wanted)(void *ctx, const struct iv_key *key),
                        void *ctx)
{
    size_t count = 0;
    for (const struct entry *e = ring->entries; e != NULL; e = e->next) {
        count += is_wanted(e, wanted, ctx) && is_first(ring, e, wanted, ctx);
    }
    return count;
}

bool iv_keyring_speaks_for(const struct iv_keyring *ring, struct iv_str id, struct iv_str tenant)
{
    const struct entry *e = find(ring, id);
    return e != NULL && (e->tenant.n == 0 || iv_str_eq(e->tenant, tenant));
}

/* NULL where there is none of this id and role, or it was not valid at t. */
static const struct entry *find_valid(const struct iv_keyring *ring, struct iv_str id, struct iv_str role,
                                      struct iv_instant t)
{
    const struct entry *e = find(ring, id);
    bool valid = e != NULL && (role.p == NULL || iv_str_eq(role, e->role)) &&
                 iv_instant_cmp(e->not_before, t) <= 0 && iv_instant_cmp(t, e->not_after) < 0;
    return valid ? e : NULL;
}

bool iv_keyring_key(unsigned char out[IV_ED25519_KEY_BYTES], const struct iv_keyring *ring, struct iv_str id,
                    struct iv_str role, struct iv_instant t)
{
    const struct entry *e = find_valid(ring, id, role, t);
    if (e != NULL) {
        memcpy(out, e->key, sizeof e->key);
    }
    return e != NULL;
}

bool iv_keyring_verify(const struct iv_keyring *ring, struct iv_str id, struct iv_str role,
                       struct iv_instant t, struct iv_str message, struct iv_str signature)
{
    const struct entry *e = find_valid(ring, id, role, t);
    return e != NULL && iv_verified_ask(ring->verified, e->key, message, signature);
}

void iv_keyring_counts(const struct iv_keyring *ring, struct iv_keyring_counts *out)
{
    iv_verified_counts(ring->verified, &out->verified, &out->recalled);
}
