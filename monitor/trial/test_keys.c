/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/test_keys.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "baseline/yaml_fields.h"
#include "event/chain.h"
#include "event/sign.h"
#include "trial/shorthand.h"

#define RECEIPT_MAX_BYTES ((size_t)1 << 20)

static iv_rc make_signer(struct iv_signer **out, struct iv_str id, struct iv_err *err)
{
    struct iv_digester *digester = NULL;
    struct iv_digest seed;
    TRY(iv_digester_new(&digester, err));
    iv_digest(digester, &seed, IV_SHA256, id);
    iv_digester_free(digester);
    return iv_signer_of_seed(out, seed.bytes, err);
}

/* A bound of the key's life: a time, or a distance from where the tests' times begin. */
static const struct iv_instant *bound(struct iv_test_keys *keys, const struct iv_yaml_node *node, bool *whole,
                                      struct iv_problems *problems)
{
    if (node == NULL) {
        return NULL;
    }
    struct iv_instant *t = iv_arena_alloc(&keys->arena, sizeof *t);
    if (t == NULL || !iv_shorthand_time(t, node)) {
        iv_yaml_error(problems, node, "must be a time or a distance such as 2s");
        *whole = false;
    }
    return t;
}

static iv_rc make_pair(struct iv_test_keys *keys, struct iv_key *key, struct iv_signer **signer,
                       struct iv_err *err)
{
    unsigned char bytes[32];
    struct iv_buf text;
    TRY(make_signer(signer, key->id, err));
    iv_signer_public_bytes(bytes, *signer);
    iv_buf_init(&text, 64);
    iv_base64_encode(&text, (struct iv_str){(const char *)bytes, sizeof bytes});
    key->public_key = iv_arena_str(&keys->arena, iv_buf_slice(&text));
    iv_buf_deinit(&text);
    ENSURE(key->public_key.p != NULL, err, IV_E_NOMEM, "cannot hold a test's keys in memory");
    return IV_OK;
}

/* A ring that is thrown away says whether a key can be in one with those before it. */
static iv_rc try_key(struct iv_keyring *ring, const struct iv_key *key, const struct iv_yaml_node *node,
                     struct iv_problems *problems, struct iv_err *err)
{
    struct iv_err why = {0};
    struct iv_rc_s rc = iv_keyring_add(ring, key, &why);
    if (rc.code == IV_E_REFUSED) {
        iv_yaml_error(problems, node, "%s", why.text);
    }
    return iv_ok(rc) ? IV_OK : iv_err_set(err, rc.code, "%s", why.text);
}

static iv_rc read_key(struct iv_test_keys *keys, struct iv_keyring *ring, const struct iv_yaml_node *node,
                      struct iv_problems *problems, struct iv_err *err)
{
    struct iv_yaml_map map;
    struct iv_key *key = &keys->ring[keys->count];
    *key = (struct iv_key){.public_key = {NULL, 0}};
    bool whole = iv_yaml_open(&map, node, "key", problems);
    whole = iv_yaml_string(&key->id, iv_yaml_need(&map, "id"), problems) && whole;
    whole = iv_yaml_string(&key->role, iv_yaml_need(&map, "role"), problems) && whole;
    const struct iv_yaml_node *material = iv_yaml_get(&map, "public_key");
    whole = (iv_yaml_string(&key->public_key, material, problems) || material == NULL) && whole;
    key->not_before = bound(keys, iv_yaml_get(&map, "not_before"), &whole, problems);
    key->not_after = bound(keys, iv_yaml_get(&map, "not_after"), &whole, problems);
    iv_yaml_close(&map);
    ENSURE(whole && map.node != NULL, err, IV_E_REFUSED, "a key of a test cannot be read");
    keys->signers[keys->count++] = NULL;
    if (material == NULL) {
        TRY(make_pair(keys, key, &keys->signers[keys->count - 1], err));
    }
    return try_key(ring, key, node, problems, err);
}

/* All of them, so that all that is wrong is told in one run. */
static iv_rc read_keys(struct iv_test_keys *out, struct iv_keyring *ring, const struct iv_yaml_node *list,
                       struct iv_problems *problems, struct iv_err *err)
{
    struct iv_rc_s worst = IV_OK;
    for (size_t i = 0; i < list->count; i++) {
        struct iv_rc_s rc = read_key(out, ring, list->items[i], problems, err);
        if (!iv_ok(rc) && rc.code != IV_E_REFUSED) {
            return rc;
        }
        worst = iv_ok(rc) ? worst : rc;
    }
    return worst;
}

iv_rc iv_test_keys_read(struct iv_test_keys *out, const struct iv_yaml_node *list,
                        struct iv_problems *problems, struct iv_err *err)
{
    *out = (struct iv_test_keys){.count = 0};
    iv_arena_init(&out->arena, 0);
    if (list == NULL || list->kind != IV_YAML_LIST) {
        return IV_OK;
    }
    if (list->count > IV_TEST_KEYS_MAX) {
        iv_yaml_error(problems, list, "a test may have %d keys", IV_TEST_KEYS_MAX);
        return iv_err_set(err, IV_E_REFUSED, "a test has too many keys");
    }
    struct iv_keyring *ring = NULL;
    TRY(iv_keyring_new(&ring, err));
    struct iv_rc_s rc = read_keys(out, ring, list, problems, err);
    iv_keyring_free(ring);
    return rc;
}

void iv_test_keys_deinit(struct iv_test_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        iv_signer_free(keys->signers[i]);
    }
    iv_arena_deinit(&keys->arena);
}

const struct iv_signer *iv_test_signer(const struct iv_test_keys *keys, const struct iv_yaml_node *id,
                                       struct iv_problems *problems)
{
    struct iv_str names[IV_TEST_KEYS_MAX];
    size_t count = 0;
    struct iv_str wanted = IV_STR("");
    if (!iv_yaml_string(&wanted, id, problems)) {
        return NULL;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->signers[i] != NULL && iv_str_eq(keys->ring[i].id, wanted)) {
            return keys->signers[i];
        }
        if (keys->signers[i] != NULL) {
            names[count++] = keys->ring[i].id;
        }
    }
    iv_yaml_error(problems, id,
                  "the test makes no key '" IV_STR_FMT "': its 'keys' list those that can sign%s",
                  IV_STR_ARG(wanted), iv_yaml_nearest(wanted, names, count).text);
    return NULL;
}

/* Members of a receipt while it is being put together; the later of two of one name counts. */
struct members {
    struct iv_arena *arena;
    struct iv_val *items;
    uint32_t count;
    uint32_t capacity;
};

static void put(struct members *m, struct iv_val key, struct iv_val value)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (iv_val_eq(&m->items[2 * i], &key)) {
            m->items[2 * i + 1] = value;
            return;
        }
    }
    if (m->count < m->capacity) {
        m->items[2 * m->count] = key;
        m->items[2 * m->count++ + 1] = value;
    }
}

static bool is_time(struct iv_str key)
{
    return iv_str_eq(key, IV_STR("issued_at")) || iv_str_eq(key, IV_STR("not_after"));
}

static bool put_all(struct members *m, const struct iv_yaml_node *map)
{
    bool whole = true;
    for (size_t i = 0; i < map->count; i++) {
        struct iv_str key = map->pairs[i].key->text;
        const struct iv_yaml_node *node = map->pairs[i].value;
        struct iv_val value = {0};
        struct iv_instant t;
        if (iv_str_eq(key, IV_STR("sign")) || iv_str_eq(key, IV_STR("altered"))) {
            continue;
        }
        if (is_time(key) && iv_shorthand_time(&t, node)) {
            value = iv_val_timestamp(t);
        } else {
            whole = iv_yaml_value(&value, m->arena, node) && whole;
        }
        put(m, iv_val_str(key), value);
    }
    return whole;
}

static void write_members(struct iv_buf *out, const struct members *m)
{
    struct iv_val map = {.kind = IV_KIND_MAP, .n = m->count, .items = m->items};
    iv_val_json(out, &map);
}

static iv_rc sign(struct members *m, const struct iv_signer *signer, struct iv_decoder *decoder,
                  struct iv_err *err)
{
    unsigned char signature[64];
    struct iv_buf text;
    struct iv_buf canonical;
    iv_buf_init(&text, RECEIPT_MAX_BYTES);
    iv_buf_init(&canonical, RECEIPT_MAX_BYTES);
    write_members(&text, m);
    struct iv_rc_s rc = iv_buf_failed(&text)
                            ? iv_err_set(err, IV_E_NOMEM, "cannot hold a receipt in memory")
                            : iv_jcs(&canonical, decoder, iv_buf_slice(&text), "signature", err);
    if (iv_ok(rc)) {
        iv_sign(signature, signer, iv_buf_slice(&canonical));
        iv_buf_clear(&text);
        iv_base64_encode(&text, (struct iv_str){(const char *)signature, sizeof signature});
        struct iv_str copy = iv_arena_str(m->arena, iv_buf_slice(&text));
        put(m, iv_val_str(IV_STR("signature")), iv_val_str(copy));
        rc = copy.p == NULL ? iv_err_set(err, IV_E_NOMEM, "cannot hold a receipt in memory") : rc;
    }
    iv_buf_deinit(&text);
    iv_buf_deinit(&canonical);
    return rc;
}

static iv_rc make_receipt(struct members *m, const struct iv_test_keys *keys, struct iv_decoder *decoder,
                          const struct iv_yaml_node *receipt, struct iv_instant t,
                          struct iv_problems *problems, struct iv_err *err)
{
    const struct iv_yaml_node *signed_by = iv_yaml_at(receipt, "sign");
    const struct iv_yaml_node *altered = iv_yaml_at(receipt, "altered");
    if (signed_by != NULL) {
        const struct iv_signer *signer = iv_test_signer(keys, signed_by, problems);
        ENSURE(signer != NULL, err, IV_E_REFUSED, "a receipt of a test cannot be signed");
        put(m, iv_val_str(IV_STR("key_id")), iv_val_str(signed_by->text));
        put(m, iv_val_str(IV_STR("issued_at")), iv_val_timestamp(t));
        ENSURE(put_all(m, receipt), err, IV_E_NOMEM, "cannot hold a receipt in memory");
        TRY(sign(m, signer, decoder, err));
    } else {
        ENSURE(put_all(m, receipt), err, IV_E_NOMEM, "cannot hold a receipt in memory");
    }
    if (altered != NULL && altered->kind != IV_YAML_MAP) {
        iv_yaml_error(problems, altered,
                      "'altered' must be a mapping of what is changed after signing, not %s",
                      iv_yaml_what(altered));
        return iv_err_set(err, IV_E_REFUSED, "a receipt of a test cannot be altered");
    }
    ENSURE(altered == NULL || put_all(m, altered), err, IV_E_NOMEM, "cannot hold a receipt in memory");
    return IV_OK;
}

iv_rc iv_test_receipt(struct iv_buf *out, const struct iv_test_keys *keys, struct iv_decoder *decoder,
                      const struct iv_yaml_node *receipt, struct iv_instant t, struct iv_problems *problems,
                      struct iv_err *err)
{
    const struct iv_yaml_node *altered = iv_yaml_at(receipt, "altered");
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct members m = {.arena = &arena};
    m.capacity = (uint32_t)(receipt->count + 3 + (altered == NULL ? 0 : altered->count));
    m.items = iv_arena_alloc(&arena, (size_t)m.capacity * 2 * sizeof *m.items);
    struct iv_rc_s rc = m.items == NULL ? iv_err_set(err, IV_E_NOMEM, "cannot hold a receipt in memory")
                                        : make_receipt(&m, keys, decoder, receipt, t, problems, err);
    if (iv_ok(rc)) {
        write_members(out, &m);
    }
    iv_arena_deinit(&arena);
    return rc;
}
