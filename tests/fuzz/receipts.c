/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is a key or is refused; any map is a receipt that verifies or not, without failing.
 * Input: the key (base64 or PEM), an empty line, a JSON text. */
#include "target.h"

#include "event/decode.h"
#include "event/keyring.h"

static struct iv_catalogue *catalogue;
static struct iv_decoder *decoder;
static struct iv_arena arena;

static void set_up(void)
{
    struct iv_err err;
    IV_CHECK(iv_ok(iv_catalogue_new(&catalogue, &err)));
    IV_CHECK(iv_ok(iv_catalogue_freeze(catalogue, &err)));
    IV_CHECK(iv_ok(
        iv_decoder_new(&decoder, catalogue, &IV_DECODE_LIMITS_DEFAULT, (struct iv_hash_key){1, 2}, &err)));
    iv_arena_init(&arena, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="; /* RFC 8032 7.1, test 1 */
    static const struct iv_instant from = {0, 0};
    struct iv_str rest = input_of(data, size);
    const char *blank = memmem(rest.p, rest.n, "\n\n", 2);
    size_t n = blank == NULL ? rest.n : (size_t)(blank - rest.p) + 1;
    struct iv_key key = {
        .id = IV_STR("k"), .role = IV_STR("orchestrator"), .public_key = {rest.p, n}, .not_before = &from};
    struct iv_key other = {.id = IV_STR("known"),
                           .role = IV_STR("orchestrator"),
                           .public_key = IV_STR(known),
                           .not_before = &from};
    const struct iv_json_options options = {.as_doubles = true};
    struct iv_keyring *ring = NULL;
    struct iv_val receipt;
    struct iv_err err;
    if (catalogue == NULL) {
        set_up();
    }
    iv_arena_reset(&arena);
    IV_CHECK(iv_ok(iv_keyring_new(&ring, &err)) && iv_ok(iv_keyring_add(ring, &other, &err)));
    struct iv_rc_s rc = iv_keyring_add(ring, &key, &err);
    IV_CHECK(iv_ok(rc) || (rc.code == IV_E_REFUSED && err.text[0] != '\0'));
    struct iv_str json = {rest.p + n, rest.n - n};
    if (iv_ok(iv_json_parse(decoder, json, &options, &arena, &receipt, &err))) {
        bool by_any = iv_receipt_valid(ring, &receipt, (struct iv_str){NULL, 0});
        bool by_role = iv_receipt_valid(ring, &receipt, IV_STR("orchestrator"));
        IV_CHECK(by_any == by_role && !iv_receipt_valid(ring, &receipt, IV_STR("approver")));
    }
    iv_keyring_free(ring);
    return 0;
}
