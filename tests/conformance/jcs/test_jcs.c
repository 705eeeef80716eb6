/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8785: the published inputs become the published outputs, from a text and from a value. */
#include "base/encode.h"
#include "conformance/published.h"
#include "unit/event/decoding.h"

static struct decoding d;

/* The digits of an outhex file without their spaces. */
static void expect_hex(const char *name, struct iv_str got)
{
    char file[64];
    (void)snprintf(file, sizeof file, "%.*s.txt", (int)(strlen(name) - strlen(".json")), name);
    struct iv_str want = published_file("jcs/outhex", file);
    struct iv_buf digits;
    struct iv_buf hex;
    iv_buf_init(&digits, 1u << 20);
    iv_buf_init(&hex, 1u << 20);
    for (size_t i = 0; i < want.n; i++) {
        iv_buf_add(&digits, want.p + i, want.p[i] > ' ' ? 1 : 0);
    }
    iv_hex_encode(&hex, got);
    cr_expect(iv_str_eq(iv_buf_slice(&hex), iv_buf_slice(&digits)), "%s", file);
    iv_buf_deinit(&digits);
    iv_buf_deinit(&hex);
    published_free(want);
}

static void canonicalise(void *ctx, const char *name, struct iv_str text)
{
    struct iv_str want = published_file("jcs/output", name);
    struct iv_buf out;
    struct iv_val v = {0};
    const struct iv_json_options options = {.as_doubles = true};
    (void)ctx;
    iv_buf_init(&out, 1u << 20);

    cr_assert(iv_ok(iv_jcs(&out, d.decoder, text, NULL, &d.err)), "%s: %s", name, d.err.text);
    cr_expect(iv_str_eq(iv_buf_slice(&out), want), "%s:\n  got  %s\n  want " IV_STR_FMT, name, out.p,
              IV_STR_ARG(want));

    expect_hex(name, iv_buf_slice(&out));
    iv_buf_clear(&out);
    cr_assert(iv_ok(iv_json_parse(d.decoder, text, &options, &d.arena, &v, &d.err)), "%s: %s", name,
              d.err.text);
    cr_assert(iv_ok(iv_jcs_value(&out, &v, NULL, &d.err)), "%s: %s", name, d.err.text);
    cr_expect(iv_str_eq(iv_buf_slice(&out), want), "%s, as a value:\n  got  %s", name, out.p);
    iv_buf_deinit(&out);
    published_free(want);
}

Test(jcs, turns_every_input_into_its_output)
{
    if (!published_is_there("jcs/input")) {
        return;
    }
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
    cr_expect_gt(published_each("jcs/input", canonicalise, NULL), 4);
    decoding_deinit(&d);
}

/*= RFC 8785 appendix B "Number Serialization Samples" */
Test(jcs, writes_the_numbers_of_the_appendix)
{
    static const struct {
        uint64_t bits;
        const char *want;
    } rows[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    struct iv_buf out;
    iv_buf_init(&out, 64);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_val v = {.kind = IV_KIND_DOUBLE};
        memcpy(&v.d, &rows[i].bits, sizeof v.d);
        iv_buf_clear(&out);
        cr_assert(iv_ok(iv_jcs_value(&out, &v, NULL, NULL)));
        cr_expect_str_eq(out.p, rows[i].want);
    }
    iv_buf_deinit(&out);
}

Test(jcs, has_no_form_for_what_is_not_i_json)
{
    static const char *const rows[] = {"{\"a\":1,\"b\":2,\"a\":1}", "[1e400]", "[\"\\ud800\"]", "[1,", ""};
    struct iv_buf out;
    iv_buf_init(&out, 4096);
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_rc_s rc = iv_jcs(&out, d.decoder, iv_str_of(rows[i]), NULL, &d.err);
        cr_expect_eq(rc.code, IV_E_SYNTAX, "%s", rows[i]);
    }
    decoding_deinit(&d);
    iv_buf_deinit(&out);
}
