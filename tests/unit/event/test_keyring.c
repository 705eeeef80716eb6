/* SPDX-License-Identifier: Apache-2.0 */
#include "decoding.h"

#include "base/alloc.h"
#include "base/encode.h"
#include "event/keyring.h"
#include "event/sign.h"

static struct decoding d;
static struct iv_keyring *ring;
static struct iv_signer *signer;
static struct iv_buf public_key; /* base64 */

static void setup(void)
{
    static const unsigned char seed[32] = {1, 2, 3};
    unsigned char bytes[32];
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
    cr_assert(iv_ok(iv_keyring_new(&ring, &d.err)));
    cr_assert(iv_ok(iv_signer_of_seed(&signer, seed, &d.err)));
    iv_signer_public_bytes(bytes, signer);
    iv_buf_init(&public_key, 64);
    iv_base64_encode(&public_key, (struct iv_str){(const char *)bytes, 32});
}

static void teardown(void)
{
    iv_buf_deinit(&public_key);
    iv_signer_free(signer);
    iv_keyring_free(ring);
    decoding_deinit(&d);
}

TestSuite(keyring, .init = setup, .fini = teardown);

static struct iv_instant at(const char *text)
{
    struct iv_instant t = {0};
    cr_assert(iv_instant_parse(&t, iv_str_of(text)));
    return t;
}

static void add_key(void)
{
    struct iv_instant from = at("2026-01-01T00:00:00Z");
    struct iv_instant to = at("2027-01-01T00:00:00Z");
    struct iv_key key = {.id = IV_STR("orch-1"),
                         .role = IV_STR("orchestrator"),
                         .public_key = iv_buf_slice(&public_key),
                         .not_before = &from,
                         .not_after = &to};
    cr_assert(iv_ok(iv_keyring_add(ring, &key, &d.err)), "%s", d.err.text);
}

Test(keyring, verifies_under_id_role_and_time)
{
    static const struct {
        const char *id;
        const char *role;
        const char *t;
        const char *message;
        bool valid;
    } rows[] = {
        {"orch-1", "orchestrator", "2026-05-01T00:00:00Z", "hello", true},
        {"orch-1", NULL, "2026-05-01T00:00:00Z", "hello", true},
        {"orch-1", NULL, "2026-01-01T00:00:00Z", "hello", true},
        {"orch-1", NULL, "2026-12-31T23:59:59.999999999Z", "hello", true},
        {"orch-1", NULL, "2027-01-01T00:00:00Z", "hello", false},
        {"orch-1", NULL, "2025-12-31T23:59:59.999999999Z", "hello", false},
        {"orch-1", "approver", "2026-05-01T00:00:00Z", "hello", false},
        {"orch-2", NULL, "2026-05-01T00:00:00Z", "hello", false},
        {"orch-1", NULL, "2026-05-01T00:00:00Z", "hell0", false},
    };
    unsigned char signature[64];
    add_key();
    iv_sign(signature, signer, IV_STR("hello"));
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_eq(iv_keyring_verify(ring, iv_str_of(rows[i].id), iv_str_of(rows[i].role), at(rows[i].t),
                                       iv_str_of(rows[i].message), (struct iv_str){(char *)signature, 64}),
                     rows[i].valid, "row %zu", i);
    }
    cr_expect(!iv_keyring_verify(ring, IV_STR("orch-1"), (struct iv_str){NULL, 0}, at("2026-05-01T00:00:00Z"),
                                 IV_STR("hello"), (struct iv_str){(char *)signature, 63}));
}

Test(keyring, takes_keys_as_pem_and_without_bounds)
{
    struct iv_buf pem;
    iv_buf_init(&pem, 4096);
    unsigned char signature[64];
    iv_sign(signature, signer, IV_STR("m"));
    cr_assert(iv_ok(iv_signer_public_pem(&pem, signer, &d.err)));
    struct iv_key key = {.id = IV_STR("k"), .role = IV_STR("policy"), .public_key = iv_buf_slice(&pem)};

    cr_assert(iv_ok(iv_keyring_add(ring, &key, &d.err)), "%s", d.err.text);

    cr_expect(iv_keyring_verify(ring, IV_STR("k"), IV_STR("policy"), at("9999-01-01T00:00:00Z"), IV_STR("m"),
                                (struct iv_str){(char *)signature, 64}));
    iv_buf_deinit(&pem);
}

Test(keyring, refuses_what_is_no_key)
{
    static const char *const rows[] = {
        "",
        "AAAA",
        "not base64 at all",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", /* a point of low order */
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", /* the neutral element */
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC "
        "KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaXyhXJH5xq4uvpXJZsE2WQzRZ3kXcJzS4+mPVOnwzQ5dbRkZ\n"
        "-----END PUBLIC KEY-----\n",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_key key = {.id = IV_STR("k"), .role = IV_STR("r"), .public_key = iv_str_of(rows[i])};
        cr_expect_eq(iv_keyring_add(ring, &key, &d.err).code, IV_E_REFUSED, "%s", rows[i]);
    }
    add_key();
    struct iv_key again = {
        .id = IV_STR("orch-1"), .role = IV_STR("r"), .public_key = iv_buf_slice(&public_key)};
    cr_expect_eq(iv_keyring_add(ring, &again, &d.err).code, IV_E_REFUSED);
    cr_expect_str_eq(d.err.text, "key 'orch-1' stands twice");
}

static bool is_not_policy(void *ctx, const struct iv_key *key)
{
    (void)ctx;
    return !iv_str_eq(key->role, IV_STR("policy"));
}

Test(keyring, knows_one_key_under_two_ids)
{
    struct iv_key again = {
        .id = IV_STR("orch-2"), .role = IV_STR("r"), .public_key = iv_buf_slice(&public_key)};
    add_key();
    cr_expect(iv_keyring_twin(ring, IV_STR("orch-1")).p == NULL);

    cr_assert(iv_ok(iv_keyring_add(ring, &again, &d.err)), "%s", d.err.text);

    cr_expect(iv_keyring_same(ring, IV_STR("orch-1"), IV_STR("orch-2")));
    cr_expect(!iv_keyring_same(ring, IV_STR("orch-1"), IV_STR("orch-3")));
    cr_expect(iv_str_eq(iv_keyring_twin(ring, IV_STR("orch-1")), IV_STR("orch-2")));
    cr_expect(iv_str_eq(iv_keyring_twin(ring, IV_STR("orch-2")), IV_STR("orch-1")));
    cr_expect_eq(iv_keyring_count(ring, is_not_policy, NULL), 1);
}

/* The body with a signature over it as its last member. */
static struct iv_val receipt_of(const char *body)
{
    struct iv_buf text;
    struct iv_buf canonical;
    struct iv_val v = {0};
    const struct iv_json_options options = {.as_doubles = true};
    unsigned char signature[64];
    iv_buf_init(&text, 4096);
    iv_buf_init(&canonical, 4096);
    iv_buf_printf(&text, "{%s}", body);
    cr_assert(iv_ok(iv_jcs(&canonical, d.decoder, iv_buf_slice(&text), NULL, &d.err)), "%s", d.err.text);
    iv_sign(signature, signer, iv_buf_slice(&canonical));
    iv_buf_clear(&text);
    iv_buf_printf(&text, "{%s,\"signature\":\"", body);
    iv_base64_encode(&text, (struct iv_str){(char *)signature, 64});
    iv_buf_text(&text, "\"}");
    struct iv_str kept = iv_arena_str(&d.arena, iv_buf_slice(&text));
    cr_assert(iv_ok(iv_json_parse(d.decoder, kept, &options, &d.arena, &v, &d.err)), "%s", d.err.text);
    iv_buf_deinit(&text);
    iv_buf_deinit(&canonical);
    return v;
}

#define BODY                                                                                                 \
    "\"receipt_id\":\"r\",\"approvals\":[\"a\",\"b\"],\"risk\":1,\"issued_at\":\"2026-05-01T00:00:00Z\""

Test(keyring, verifies_receipts)
{
    static const struct {
        const char *body;
        const char *role;
        bool valid;
    } rows[] = {
        {BODY ",\"key_id\":\"orch-1\"", NULL, true},
        {BODY ",\"key_id\":\"orch-1\"", "orchestrator", true},
        {BODY ",\"key_id\":\"orch-1\"", "approver", false},
        {BODY ",\"key_id\":\"orch-2\"", NULL, false},
        {BODY ",\"key_id\":5", NULL, false},
        {BODY, NULL, false},
        {"\"issued_at\":\"2027-05-01T00:00:00Z\",\"key_id\":\"orch-1\"", NULL, false},
        {"\"issued_at\":\"soon\",\"key_id\":\"orch-1\"", NULL, false},
        {"\"key_id\":\"orch-1\"", NULL, false},
    };
    add_key();
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_val receipt = receipt_of(rows[i].body);
        cr_expect_eq(iv_receipt_valid(ring, &receipt, iv_str_of(rows[i].role)), rows[i].valid, "row %zu", i);
    }
}

Test(keyring, finds_any_change_of_a_receipt)
{
    add_key();
    struct iv_val receipt = receipt_of(BODY ",\"key_id\":\"orch-1\"");
    struct iv_val items[16];
    memcpy(items, receipt.items, 2 * receipt.n * sizeof *items);
    struct iv_val changed = {.kind = IV_KIND_MAP, .n = receipt.n, .items = items};
    cr_assert(iv_receipt_valid(ring, &changed, (struct iv_str){NULL, 0}));

    items[1] = iv_val_str(IV_STR("s"));
    cr_expect(!iv_receipt_valid(ring, &changed, (struct iv_str){NULL, 0}), "another value");
    items[1] = (struct iv_val){.kind = IV_KIND_TIMESTAMP};
    cr_expect(!iv_receipt_valid(ring, &changed, (struct iv_str){NULL, 0}), "a value that is none of JSON's");
    items[1] = receipt.items[1];
    changed.n--;
    cr_expect(!iv_receipt_valid(ring, &changed, (struct iv_str){NULL, 0}), "no signature");
    changed = iv_val_str(IV_STR("receipt"));
    cr_expect(!iv_receipt_valid(ring, &changed, (struct iv_str){NULL, 0}), "no map");
}

Test(keyring, writes_and_reads_private_keys)
{
    struct iv_buf pem;
    struct iv_signer *back = NULL;
    unsigned char a[64];
    unsigned char b[64];
    iv_buf_init(&pem, 4096);

    cr_assert(iv_ok(iv_signer_private_pem(&pem, signer, &d.err)));
    cr_assert(iv_ok(iv_signer_of_pem(&back, iv_buf_slice(&pem), &d.err)), "%s", d.err.text);

    iv_sign(a, signer, IV_STR("m"));
    iv_sign(b, back, IV_STR("m"));
    cr_expect_arr_eq(a, b, 64);
    iv_signer_free(back);
    back = NULL;
    cr_expect_eq(iv_signer_of_pem(&back, IV_STR("nonsense"), &d.err).code, IV_E_REFUSED);
    cr_assert(iv_ok(iv_signer_generate(&back, &d.err)));
    iv_sign(b, back, IV_STR("m"));
    cr_expect_neq(memcmp(a, b, 64), 0);
    iv_signer_free(back);
    iv_buf_deinit(&pem);
}

Test(keyring, verifies_a_receipt_of_the_usual_size_without_an_allocation)
{
    struct iv_keyring_counts counts;
    add_key();
    struct iv_val receipt = receipt_of(BODY ",\"key_id\":\"orch-1\"");
    uint64_t before = iv_alloc_calls();

    cr_expect(iv_receipt_valid(ring, &receipt, IV_STR("orchestrator")));
    cr_expect(iv_receipt_valid(ring, &receipt, IV_STR("orchestrator")));

    cr_expect_eq(iv_alloc_calls(), before);
    iv_keyring_counts(ring, &counts);
    cr_expect_eq(counts.verified, 1);
    cr_expect_eq(counts.recalled, 1);
}
