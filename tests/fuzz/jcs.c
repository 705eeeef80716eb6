/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON text has one canonical form, which is its own, whether it is made from the text or from the value.
 * Input: the text. */
#include "target.h"

#include "event/chain.h"
#include "event/decode.h"

#define BYTES_MAX (16u << 20)

static struct iv_catalogue *catalogue;
static struct iv_decoder *decoder;
static struct iv_arena arena;
static struct iv_buf once;
static struct iv_buf twice;

static void set_up(void)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct iv_err err;
    limits.record_bytes = BYTES_MAX;
    IV_CHECK(iv_ok(iv_catalogue_new(&catalogue, &err)));
    IV_CHECK(iv_ok(iv_catalogue_freeze(catalogue, &err)));
    IV_CHECK(iv_ok(iv_decoder_new(&decoder, catalogue, &limits, (struct iv_hash_key){1, 2}, &err)));
    iv_arena_init(&arena, 0);
    iv_buf_init(&once, BYTES_MAX);
    iv_buf_init(&twice, BYTES_MAX);
}

/* Without the member that chain hashes and signatures leave out. */
static void omits(struct iv_str json, struct iv_val *value)
{
    struct iv_err err;
    iv_buf_clear(&once);
    iv_buf_clear(&twice);
    IV_CHECK(iv_ok(iv_jcs(&once, decoder, json, "signature", &err)));
    IV_CHECK(iv_ok(iv_jcs_value(&twice, value, "signature", &err)));
    IV_CHECK(iv_str_eq(iv_buf_slice(&once), iv_buf_slice(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_str json = input_of(data, size);
    const struct iv_json_options as_json = {.as_doubles = true};
    struct iv_val value;
    struct iv_err err;
    if (catalogue == NULL) {
        set_up();
    }
    iv_arena_reset(&arena);
    iv_buf_clear(&once);
    bool parses = iv_ok(iv_json_parse(decoder, json, &as_json, &arena, &value, &err));
    bool has_form = iv_ok(iv_jcs(&once, decoder, json, NULL, &err));
    IV_CHECK(has_form == parses);
    if (!has_form) {
        return 0;
    }
    IV_CHECK(!iv_buf_failed(&once) && iv_utf8_valid(iv_buf_slice(&once)));

    iv_buf_clear(&twice);
    IV_CHECK(iv_ok(iv_jcs(&twice, decoder, iv_buf_slice(&once), NULL, &err)));
    IV_CHECK(iv_str_eq(iv_buf_slice(&once), iv_buf_slice(&twice)));
    iv_buf_clear(&twice);
    IV_CHECK(iv_ok(iv_jcs_value(&twice, &value, NULL, &err)));
    IV_CHECK(iv_str_eq(iv_buf_slice(&once), iv_buf_slice(&twice)));
    omits(json, &value);
    return 0;
}
