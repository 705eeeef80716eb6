/* SPDX-License-Identifier: Apache-2.0 */
#include "decoding.h"

#include "base/encode.h"

static struct decoding d;
static struct iv_digester *digester;

static void setup(void)
{
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
    cr_assert(iv_ok(iv_digester_new(&digester, &d.err)));
}

static void teardown(void)
{
    iv_digester_free(digester);
    decoding_deinit(&d);
}

TestSuite(chain, .init = setup, .fini = teardown);

/* An event of the ledger with this ledgerhash and these further members. */
static void decode_with(const char *hash, const char *rest)
{
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "{\"type\":\"tool.requested\",\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\","
        "\"time\":\"2026-01-02T03:04:05Z\",\"ledgerid\":\"l\",\"ledgerseq\":0,\"ledgerprev\":\"00\","
        "\"ledgerhash\":\"%s\",\"data\":{\"tool\":\"t\",\"request_id\":\"\xe2\x82\xac\",\"risk_tier\":null}%"
        "s}",
        hash, rest);
    cr_assert(iv_ok(decode_text(&d, IV_LEDGER, text)), "%s", d.err.text);
}

#define HASH384                                                                                              \
    "084f8e288f978d1495de5f83783a591c3e5ce55934f1e643"                                                       \
    "c10cceb35cc4b900d641cab2600aa422e1504cd24060a31d"

/* By hashlib over the canonical form, computed apart from this program. */
static const struct {
    const char *rest;
    const char *hash;
} published[] = {
    {"", HASH384},
    {",\"ledgeralg\":\"sha384\"",
     "26f650b83b90737c94c02017e2c4a05491b3ef9eac03fdf0890bcd85acb162311418addef38f66bb8af6308eefb238d3"},
    {",\"ledgeralg\":\"sha256\"", "185da836ed6d0bd22b0dca04b30a0c79e89bd4129b3de4cc22d63ce3ba732483"},
    {",\"ledgeralg\":\"sha3-256\"", "ca851e88bf4ddbbfe732b56f582308880e1e847ab91a178950bff63a62d4bf86"},
};

Test(chain, is_valid_for_each_digest_that_the_contract_names)
{
    for (size_t i = 0; i < IV_COUNT(published); i++) {
        decode_with(published[i].hash, published[i].rest);
        cr_expect(iv_chain_valid(&d.event, digester), "%s", published[i].rest);
        cr_expect_eq(d.event.hash_valid, 1);
    }
}

Test(chain, is_broken_by_any_change)
{
    static const struct {
        const char *hash;
        const char *rest;
    } rows[] = {
        {"", ""},
        {"00", ""},
        {"not hex", ""},
        {HASH384, ",\"more\":1"},
        {HASH384, ",\"ledgeralg\":\"sha256\""},
        {HASH384, ",\"ledgeralg\":\"md5\""},
        {HASH384 "00", ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        decode_with(rows[i].hash, rows[i].rest);
        cr_expect(!iv_chain_valid(&d.event, digester), "%s %s", rows[i].hash, rows[i].rest);
    }
}

Test(chain, is_no_matter_of_telemetry)
{
    cr_assert(
        iv_ok(decode_text(&d, IV_TELEMETRY,
                          "{\"type\":\"agent.stopped\",\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\","
                          "\"time\":\"2026-01-02T03:04:05Z\"}")));
    struct iv_digest digest;

    cr_expect(!iv_chain_valid(&d.event, digester));
    cr_expect_eq(iv_chain_digest(&digest, digester, &d.event, &d.err).code, IV_E_ABSENT);
}

Test(chain, omits_one_member_of_the_outermost_object_only)
{
    struct iv_buf out;
    iv_buf_init(&out, 1024);
    const char *text = "{\"signature\":\"x\",\"b\":{\"signature\":\"y\"},\"a\":[null,true]}";

    cr_assert(iv_ok(iv_jcs(&out, d.decoder, iv_str_of(text), "signature", &d.err)));
    cr_expect_str_eq(out.p, "{\"a\":[null,true],\"b\":{\"signature\":\"y\"}}");

    struct iv_val v = {0};
    const struct iv_json_options options = {0};
    cr_assert(iv_ok(iv_json_parse(d.decoder, iv_str_of(text), &options, &d.arena, &v, &d.err)));
    iv_buf_clear(&out);
    cr_assert(iv_ok(iv_jcs_value(&out, &v, "signature", &d.err)));
    cr_expect_str_eq(out.p, "{\"a\":[null,true],\"b\":{\"signature\":\"y\"}}");
    iv_buf_deinit(&out);
}

/*= RFC 8785 3.2.3 "sorted as arrays of UTF-16 code units" */
Test(chain, sorts_many_members_as_utf_16_does)
{
    struct iv_buf text;
    struct iv_buf out;
    iv_buf_init(&text, 1u << 16);
    iv_buf_init(&out, 1u << 16);
    iv_buf_text(&text, "{\"\xef\xac\xb3\":1,\"\xf0\x9f\x98\x82\":2,\"\xee\x80\x80\":3,\"\xed\x9f\xbf\":4");
    for (int i = 99; i >= 0; i--) {
        iv_buf_printf(&text, ",\"name%02d\":%d", i, i);
    }
    iv_buf_char(&text, '}');

    cr_assert(iv_ok(iv_jcs(&out, d.decoder, iv_buf_slice(&text), NULL, &d.err)), "%s", d.err.text);

    cr_expect_eq(strncmp(out.p, "{\"name00\":0,\"name01\":1,", 23), 0, "%s", out.p);
    cr_expect_not_null(strstr(out.p,
                              ",\"name99\":99,\"\xed\x9f\xbf\":4,\"\xf0\x9f\x98\x82\":2,\"\xee\x80\x80\":3,"
                              "\"\xef\xac\xb3\":1}"));
    iv_buf_deinit(&text);
    iv_buf_deinit(&out);
}
