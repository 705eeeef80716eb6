/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519: Wycheproof's verdicts, and our answers on CCTV's edge cases, which are those of cctv.answers
 * whichever way the verifier is called. */
#include "base/encode.h"
#include "conformance/published.h"
#include "event/ed25519.h"
#include "event/keyring.h"
#include "unit/event/decoding.h"

#define FOLDER "ed25519"

static struct decoding d;

static struct iv_val parse(const char *name)
{
    struct iv_str text = published_file(FOLDER, name);
    struct iv_str kept = iv_arena_str(&d.arena, text);
    const struct iv_json_options options = {0};
    struct iv_val v = {0};
    cr_assert(iv_ok(iv_json_parse(d.decoder, kept, &options, &d.arena, &v, &d.err)), "%s: %s", name,
              d.err.text);
    published_free(text);
    return v;
}

static const struct iv_val *member(const struct iv_val *map, const char *name)
{
    struct iv_val key = iv_val_str(iv_str_of(name));
    const struct iv_val *v = iv_val_map_get(map, &key);
    cr_assert_not_null(v, "%s", name);
    return v;
}

static struct iv_str text_of(const struct iv_val *map, const char *name)
{
    return iv_val_slice(*member(map, name));
}

static struct iv_str bytes_of(const struct iv_val *map, const char *name)
{
    struct iv_str hex = text_of(map, name);
    unsigned char *bytes = iv_arena_alloc(&d.arena, hex.n / 2);
    cr_assert(bytes != NULL && iv_hex_decode(bytes, hex.n / 2, hex));
    return (struct iv_str){(char *)bytes, hex.n / 2};
}

static bool verify_raw(struct iv_str key, struct iv_str message, struct iv_str signature)
{
    const unsigned char *k = (const unsigned char *)key.p;
    return key.n == IV_ED25519_KEY_BYTES && iv_ed25519_key_valid(k) &&
           iv_ed25519_verify(k, message, signature);
}

static bool verify_by_keyring(struct iv_str key, struct iv_str message, struct iv_str signature)
{
    struct iv_keyring *ring = NULL;
    struct iv_buf base64;
    struct iv_str any = {NULL, 0};
    iv_buf_init(&base64, 4096);
    iv_base64_encode(&base64, key);
    cr_assert(iv_ok(iv_keyring_new(&ring, &d.err)));
    struct iv_key k = {.id = IV_STR("k"), .role = IV_STR("r"), .public_key = iv_buf_slice(&base64)};
    struct iv_instant t = {0, 0};
    bool valid = iv_ok(iv_keyring_add(ring, &k, &d.err)) &&
                 iv_keyring_verify(ring, IV_STR("k"), any, t, message, signature);
    cr_expect_eq(iv_keyring_verify(ring, IV_STR("k"), any, t, message, signature), valid, "when asked again");
    bool again = iv_keyring_verify(ring, IV_STR("k"), any, (struct iv_instant){0, 0}, message, signature);
    cr_assert_eq(valid, again, "what it remembers is what it found");
    iv_keyring_free(ring);
    iv_buf_deinit(&base64);
    return valid;
}

static void setup(void)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    limits.record_bytes = 16u << 20;
    decoding_init(&d, limits);
    cr_assert(iv_ed25519_init());
}

static void teardown(void)
{
    decoding_deinit(&d);
}

TestSuite(ed25519, .init = setup, .fini = teardown);

static size_t check_group(const struct iv_val *group)
{
    const struct iv_val *tests = member(group, "tests");
    struct iv_str key = bytes_of(member(group, "publicKey"), "pk");
    for (size_t i = 0; i < tests->n; i++) {
        const struct iv_val *test = &tests->items[i];
        struct iv_str message = bytes_of(test, "msg");
        struct iv_str signature = bytes_of(test, "sig");
        bool want = iv_str_eq(text_of(test, "result"), IV_STR("valid"));
        cr_expect_eq(verify_raw(key, message, signature), want, "test %d", (int)member(test, "tcId")->i);
        cr_expect_eq(verify_by_keyring(key, message, signature), want, "test %d",
                     (int)member(test, "tcId")->i);
    }
    return tests->n;
}

Test(ed25519, agrees_with_every_verdict_of_wycheproof)
{
    if (!published_is_there(FOLDER)) {
        return;
    }
    struct iv_val file = parse("wycheproof.json");
    const struct iv_val *groups = member(&file, "testGroups");
    size_t count = 0;
    for (size_t i = 0; i < groups->n; i++) {
        count += check_group(&groups->items[i]);
    }
    cr_expect_eq((int64_t)count, member(&file, "numberOfTests")->i);
}

Test(ed25519, gives_its_own_answers_on_edge_cases)
{
    if (!published_is_there(FOLDER)) {
        return;
    }
    struct iv_val file = parse("cctv.json");
    FILE *answers = fopen(IV_SOURCE_DIR "/tests/conformance/ed25519/cctv.answers", "r");
    cr_assert(answers != NULL);
    for (size_t i = 0; i < file.n; i++) {
        const struct iv_val *test = &file.items[i];
        struct iv_str key = bytes_of(test, "key");
        struct iv_str signature = bytes_of(test, "sig");
        struct iv_str message = text_of(test, "msg");
        int number = -1;
        char want[16] = "";
        cr_assert_eq(fscanf(answers, "%d %15s", &number, want), 2, "no answer for case %zu", i);
        cr_assert_eq(number, (int)member(test, "number")->i);
        bool accepted = verify_raw(key, message, signature);
        cr_expect_str_eq(accepted ? "accept" : "refuse", want, "case %d", number);
        cr_expect_eq(verify_by_keyring(key, message, signature), accepted, "case %d", number);
    }
    (void)fclose(answers);
}
