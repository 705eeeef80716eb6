/* SPDX-License-Identifier: Apache-2.0 */
#include "decoding.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>

#define ENVELOPE "\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"time\":\"2026-01-02T03:04:05.5Z\""
#define TELEMETRY(type, rest) "{" ENVELOPE ",\"type\":\"" type "\"" rest "}"
#define CHAIN "\"ledgerid\":\"l\",\"ledgerseq\":0,\"ledgerprev\":\"00\",\"ledgerhash\":\"11\""
#define LEDGER(type, rest) "{" ENVELOPE "," CHAIN ",\"type\":\"" type "\"" rest "}"
#define ISSUED(fields) TELEMETRY("token.issued", ",\"data\":{" fields "}")
#define TOKEN "\"token_id\":\"t\",\"expires_at\":\"2026-01-02T03:09:05Z\""

static struct decoding d;

static void setup(void)
{
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
}

static void teardown(void)
{
    decoding_deinit(&d);
}

TestSuite(decode, .init = setup, .fini = teardown);

static void expect_reason(enum iv_stream stream, const char *text, const char *reason)
{
    struct iv_rc_s rc = decode_text(&d, stream, text);

    cr_expect_eq(rc.code, IV_E_MALFORMED, "%s: got %s", text, iv_code_name(rc.code));
    cr_expect_eq(strncmp(d.err.text, reason, strlen(reason)), 0, "%s:\n  got  '%s'\n  want '%s'", text,
                 d.err.text, reason);
}

Test(decode, reads_every_attribute)
{
    struct iv_rc_s rc = decode_text(
        &d, IV_LEDGER,
        LEDGER("tool.requested", ",\"subject\":\"a1\",\"tenantid\":\"acme\",\"traceparent\":\"00-ab\","
                                 "\"data\":{\"request_id\":\"r\",\"tool\":\"db\"}"));

    cr_assert(iv_ok(rc), "%s", d.err.text);
    static const struct {
        enum iv_attr attr;
        const char *want;
    } rows[] = {
        {IV_ATTR_ID, "i"},           {IV_ATTR_SOURCE, "s"},    {IV_ATTR_TYPE, "tool.requested"},
        {IV_ATTR_AGENT, "a1"},       {IV_ATTR_TENANT, "acme"}, {IV_ATTR_TRACE, "00-ab"},
        {IV_ATTR_TOPIC, "ledger"},   {IV_ATTR_LEDGER_ID, "l"}, {IV_ATTR_LEDGER_PREV, "00"},
        {IV_ATTR_LEDGER_HASH, "11"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_str_eq(iv_event_attr(&d.event, rows[i].attr), iv_str_of(rows[i].want)), "%s",
                  rows[i].want);
    }
    cr_expect_eq(d.event.slots[IV_ATTR_LEDGER_SEQ].i, 0);
    cr_expect_eq(d.event.time, INT64_C(1767323045500000000));
    cr_expect_eq(d.event.object.owner, &d.event);
}

Test(decode, reads_a_field_of_every_type)
{
    cr_assert(iv_ok(decode_text(
                  &d, IV_TELEMETRY,
                  TELEMETRY("tool.executed",
                            ",\"data\":{\"request_id\":\"r\\u00e9\\n\",\"tool\":\"t\",\"output_tier\":"
                            "-9223372036854775808,\"duration\":\"1.5s\",\"mutates\":true,"
                            "\"receipt\":{\"n\":3,\"x\":null,\"l\":[1,\"a\"],\"n\":4}}"))),
              "%s", d.err.text);

    cr_expect(iv_str_eq(iv_val_slice(field_of(&d, "request_id")), IV_STR("r\xc3\xa9\n")));
    cr_expect_eq(field_of(&d, "output_tier").i, INT64_MIN);
    cr_expect_eq(field_of(&d, "duration").i, 1);
    cr_expect_eq(field_of(&d, "duration").n, 500000000);
    cr_expect(field_of(&d, "mutates").b);
    struct iv_val receipt = field_of(&d, "receipt");
    struct iv_val name = iv_val_str(IV_STR("n"));
    cr_expect_eq(receipt.n, 3, "of two members of one name the last counts");
    cr_expect_eq(iv_val_map_get(&receipt, &name)->kind, IV_KIND_DOUBLE, "numbers in a map are doubles");
    cr_expect_eq(iv_val_map_get(&receipt, &name)->d, 4.0);
    name = iv_val_str(IV_STR("x"));
    cr_expect_eq(iv_val_map_get(&receipt, &name)->kind, IV_KIND_NULL, "null in a map is null");
}

Test(decode, reads_lists_doubles_and_timestamps)
{
    cr_assert(iv_ok(decode_text(&d, IV_TELEMETRY, ISSUED(TOKEN ",\"scopes\":[\"a\",\"b\"]"))), "%s",
              d.err.text);
    cr_expect_eq(field_of(&d, "scopes").n, 2);
    cr_expect(iv_str_eq(iv_val_slice(field_of(&d, "scopes").items[1]), IV_STR("b")));
    cr_expect_eq(field_of(&d, "expires_at").i, 1767323345);
    cr_assert(iv_ok(decode_text(&d, IV_TELEMETRY, ISSUED(TOKEN ",\"scopes\":[]"))), "%s", d.err.text);
    cr_expect_eq(field_of(&d, "scopes").kind, IV_KIND_LIST);
    cr_expect_eq(field_of(&d, "scopes").n, 0);

    cr_assert(iv_ok(
        decode_text(&d, IV_TELEMETRY,
                    TELEMETRY("resource.sampled", ",\"data\":{\"cpu_percent\":5,\"working_set_mb\":1e2}"))));
    cr_expect_eq(field_of(&d, "cpu_percent").d, 5.0);
    cr_expect_eq(field_of(&d, "working_set_mb").d, 100.0);

    cr_assert(iv_ok(decode_text(&d, IV_TELEMETRY,
                                TELEMETRY("my.sized", ",\"data\":{\"sizes\":[1,2],\"flags\":[true]}"))));
    cr_expect_eq(field_of(&d, "sizes").items[1].i, 2);
}

Test(decode, takes_null_for_absent)
{
    cr_assert(iv_ok(decode_text(&d, IV_TELEMETRY,
                                "{\"subject\":null,\"data_base64\":null," ENVELOPE
                                ",\"type\":\"agent.started\",\"data\":{\"profile\":null}}")),
              "%s", d.err.text);

    cr_expect_eq(d.event.slots[IV_ATTR_AGENT].kind, IV_KIND_ABSENT);
    cr_expect_eq(field_of(&d, "profile").kind, IV_KIND_ABSENT);
}

Test(decode, ignores_what_it_does_not_know)
{
    static const char *const rows[] = {
        TELEMETRY("agent.stopped", ""),
        TELEMETRY("agent.stopped", ",\"data\":null"),
        TELEMETRY("agent.stopped", ",\"x\":1,\"x\":2,\"y\":{\"z\":1e999}"),
        TELEMETRY("agent.stopped", ",\"data\":{\"size\":123456789012345678901234567890,\"size\":1}"),
        TELEMETRY("agent.stopped", ",\"ledgerid\":5,\"ledgerseq\":\"x\",\"ledgerhash\":null"),
        TELEMETRY("nobody.knows", ",\"data\":{\"a\":1,\"a\":2}"),
        TELEMETRY("nobody.knows", ",\"data\":\"text\""),
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_ok(decode_text(&d, IV_TELEMETRY, rows[i])), "%s: %s", rows[i], d.err.text);
    }
}

Test(decode, keeps_the_attributes_of_a_type_that_nobody_knows)
{
    cr_assert(iv_ok(decode_text(&d, IV_LEDGER, LEDGER("nobody.knows", ",\"data\":{\"a\":1}"))), "%s",
              d.err.text);

    cr_expect_eq(d.event.type, iv_catalogue_unknown(d.catalogue));
    cr_expect(iv_str_eq(iv_event_attr(&d.event, IV_ATTR_TYPE), IV_STR("nobody.knows")));
    cr_expect(iv_str_eq(iv_event_attr(&d.event, IV_ATTR_LEDGER_ID), IV_STR("l")));
}

Test(decode, names_the_attribute_that_is_wrong)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"{}", "specversion: is required"},
        {"{\"specversion\":\"0.3\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "05Z\"}",
         "specversion: is \"0.3\", must be \"1.0\""},
        {"{\"specversion\":1.0,\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "05Z\"}",
         "specversion: is a number"},
        {"{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:05Z\"}",
         "id: is required"},
        {"{\"specversion\":\"1.0\",\"id\":null,\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "05Z\"}",
         "id: is required"},
        {"{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "05Z\"}",
         "id: is empty"},
        {"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "05Z\"}",
         "source: is empty"},
        {"{\"specversion\":\"1.0\",\"id\":5,\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "05Z\"}",
         "id: is an integer, must be a string"},
        {"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\"}", "time: is required"},
        {"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"time\":\"yesterday\"}",
         "time: \"yesterday\" is no RFC 3339 time"},
        {"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"time\":\"2026-01-02T03:04:"
         "60Z\"}",
         "time: "},
        {"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"time\":"
         "\"2026-01-02T03:04:05.1234567890Z\"}",
         "time: "},
        {"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"time\":\"1600-01-02T03:04:"
         "05Z\"}",
         "time: lies outside"},
        {TELEMETRY("agent.stopped", ",\"subject\":[]"), "subject: is a list, must be a string"},
        {TELEMETRY("agent.stopped", ",\"traceparent\":true"), "traceparent: is a boolean"},
        {TELEMETRY("agent.stopped", ",\"data_base64\":\"\""), "data_base64: is refused"},
        {TELEMETRY("agent.stopped", ",\"data\":[]"), "data: is a list, must be an object"},
        {TELEMETRY("agent.stopped", ",\"tenantid\":\"a\",\"tenantid\":null"), "tenantid: stands twice"},
        {TELEMETRY("agent.stopped", ",\"data\":{},\"data\":{}"), "data: stands twice"},
        {TELEMETRY("agent.stopped", ",\"i\\u0064\":\"i\""), "id: stands twice"},
        {TELEMETRY("tool.requested", ""), "type: 'tool.requested' is carried by the stream ledger"},
        {TELEMETRY("nobody.knows", ",\"subject\":1"), "subject: is an integer"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_reason(IV_TELEMETRY, rows[i].text, rows[i].reason);
    }
}

Test(decode, names_the_field_that_is_wrong)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {TELEMETRY("token.used", ""), "token_id: is required for token.used"},
        {TELEMETRY("token.used", ",\"data\":{\"token_id\":null}"), "token_id: is required"},
        {TELEMETRY("token.used", ",\"data\":{\"token_id\":7}"), "token_id: is an integer, must be a string"},
        {TELEMETRY("token.used", ",\"data\":{\"token_id\":\"a\",\"token_id\":\"a\"}"),
         "token_id: stands twice"},
        {ISSUED("\"token_id\":\"t\",\"expires_at\":\"soon\""), "expires_at: \"soon\" is no RFC 3339 time"},
        {ISSUED("\"token_id\":\"t\",\"expires_at\":5"), "expires_at: is an integer"},
        {ISSUED(TOKEN ",\"tier\":3.0"), "tier: is a number, must be an integer"},
        {ISSUED(TOKEN ",\"tier\":1e3"), "tier: is a number, must be an integer"},
        {ISSUED(TOKEN ",\"tier\":9223372036854775808"), "tier: is an integer beyond 64 bits"},
        {ISSUED(TOKEN ",\"single_use\":\"yes\""), "single_use: is a string, must be true or false"},
        {ISSUED(TOKEN ",\"scopes\":\"a\""), "scopes: is a string, must be a list"},
        {ISSUED(TOKEN ",\"scopes\":[\"a\",null]"), "scopes[1]: is null, must be a string"},
        {ISSUED(TOKEN ",\"scopes\":[\"a\",{\"b\":1},2]"), "scopes[1]: is an object, must be a string"},
        {TELEMETRY("resource.sampled", ",\"data\":{\"cpu_percent\":\"5\"}"), "cpu_percent: is a string"},
        {TELEMETRY("resource.sampled", ",\"data\":{\"cpu_percent\":1e999}"),
         "cpu_percent: is a number beyond"},
        {TELEMETRY("tool.executed", ",\"data\":{\"request_id\":\"r\",\"tool\":\"t\",\"duration\":\"-1s\"}"),
         "duration: is a duration below 0"},
        {TELEMETRY("tool.executed", ",\"data\":{\"request_id\":\"r\",\"tool\":\"t\",\"duration\":\"1d\"}"),
         "duration: \"1d\" is no duration"},
        {TELEMETRY("tool.executed", ",\"data\":{\"request_id\":\"r\",\"tool\":\"t\",\"receipt\":[]}"),
         "receipt: is a list, must be an object"},
        {TELEMETRY("tool.executed",
                   ",\"data\":{\"request_id\":\"r\",\"tool\":\"t\",\"receipt\":{\"a\":[0,-1e999]}}"),
         "receipt.a[1]: is a number beyond every double"},
        {TELEMETRY("my.sized", ",\"data\":{\"sizes\":[1,2.5]}"), "sizes[1]: is a number, must be an integer"},
        {TELEMETRY("my.sized", ",\"data\":{\"flags\":[0]}"),
         "flags[0]: is an integer, must be true or false"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_reason(IV_TELEMETRY, rows[i].text, rows[i].reason);
    }
}

Test(decode, is_strict_all_over_a_ledger_event)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"{" ENVELOPE ",\"type\":\"x\",\"ledgerseq\":0,\"ledgerprev\":\"0\",\"ledgerhash\":\"1\"}",
         "ledgerid: is required on the ledger"},
        {"{" ENVELOPE ",\"type\":\"x\",\"ledgerid\":\"l\",\"ledgerprev\":\"0\",\"ledgerhash\":\"1\"}",
         "ledgerseq: is required on the ledger"},
        {"{" ENVELOPE ",\"type\":\"x\",\"ledgerid\":\"l\",\"ledgerseq\":0,\"ledgerhash\":\"1\"}",
         "ledgerprev: is required on the ledger"},
        {"{" ENVELOPE ",\"type\":\"x\",\"ledgerid\":\"l\",\"ledgerseq\":0,\"ledgerprev\":\"0\"}",
         "ledgerhash: is required on the ledger"},
        {"{" ENVELOPE
         ",\"type\":\"x\",\"ledgerid\":\"l\",\"ledgerseq\":\"0\",\"ledgerprev\":\"0\",\"ledgerhash\":"
         "\"1\"}",
         "ledgerseq: is a string"},
        {LEDGER("x", ",\"ledgeralg\":1"), "ledgeralg: is an integer"},
        {LEDGER("x", ",\"other\":1,\"other\":1"), "other: stands twice"},
        {LEDGER("x", ",\"data\":{\"a\":{\"b\":1,\"c\":2,\"b\":3}}"), "a.b: stands twice"},
        {LEDGER("receipt.issued",
                ",\"data\":{\"request_id\":\"r\",\"receipt\":{\"key_id\":\"a\",\"key_id\":\"b\"}}"),
         "receipt.key_id: stands twice"},
        {LEDGER("x", ",\"data\":{\"n\":[1,9007199254740993]}"), "n[1]: is an integer beyond 2^53"},
        {LEDGER("x", ",\"data\":{\"n\":-9007199254740993}"), "n: is an integer beyond 2^53"},
        {LEDGER("x", ",\"data\":{\"n\":123456789012345678901234567890}"), "n: is an integer beyond 2^53"},
        {LEDGER("x", ",\"n\":1e999"), "n: is a number beyond every double"},
        {TELEMETRY("token.used", ""), "type: 'token.used' is carried by the stream telemetry, not by ledger"},
        {LEDGER("token.used", ",\"data\":{\"token_id\":\"t\"}"),
         "type: 'token.used' is carried by the stream"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_reason(IV_LEDGER, rows[i].text, rows[i].reason);
    }
    cr_expect(
        iv_ok(decode_text(&d, IV_LEDGER, LEDGER("x", ",\"data\":{\"n\":-9007199254740992,\"m\":1e300}"))));
}

Test(decode, blames_the_record_where_it_is_no_json_object)
{
    static const char *const rows[] = {
        "",
        " ",
        "[]",
        "\"x\"",
        "nul",
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\x01\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00x\"}",
        "{\"a\":\"\\ud800\\ud800\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":tru}",
        "{\"a\":truex}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":[1,]}",
        "{\"a\":[1}",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        expect_reason(IV_TELEMETRY, rows[i], "record: ");
    }
}

/* An envelope, then data that is the text repeated, between two ends. */
static struct iv_str repeated(struct iv_buf *out, const char *front, const char *text, size_t count,
                              const char *end)
{
    iv_buf_init(out, 4u << 20);
    iv_buf_text(out, front);
    for (size_t i = 0; i < count; i++) {
        iv_buf_text(out, text);
    }
    iv_buf_text(out, end);
    return iv_buf_slice(out);
}

static void expect_limit(struct iv_str text, bool accepted, const char *reason)
{
    struct iv_rc_s rc = decode_record(&d, IV_TELEMETRY, text, NULL, 0);

    cr_expect_eq(iv_ok(rc), accepted, "%s", d.err.text);
    cr_expect(accepted || strncmp(d.err.text, reason, strlen(reason)) == 0, "%s", d.err.text);
}

Test(decode, holds_the_limits_to_the_last_unit)
{
    struct iv_buf text;
    const char *open = "{" ENVELOPE ",\"type\":\"agent.stopped\",\"x\":";
    for (size_t depth = 31; depth <= 32; depth++) { /* and the record itself */
        struct iv_buf closed;
        struct iv_str closing = repeated(&closed, "", "]", depth, "}");
        expect_limit(repeated(&text, open, "[", depth, closing.p), depth == 31,
                     "record: nests deeper than 32");
        iv_buf_deinit(&text);
        iv_buf_deinit(&closed);
    }
    for (size_t members = 1023; members <= 1024; members++) { /* and a last one */
        char front[256];
        (void)snprintf(front, sizeof front, "%s{", open);
        expect_limit(repeated(&text, front, "\"a\":1,", members, "\"b\":1}}"), members == 1023,
                     "record: has an object with more than 1024 members");
        iv_buf_deinit(&text);
        expect_limit(repeated(&text, front, "\"a\":\"x\",", members, "\"b\":1}}"), members == 1023,
                     "record: has an object with more than 1024 members");
        iv_buf_deinit(&text);
    }
    for (size_t n = 4096; n <= 4097; n++) {
        expect_limit(
            repeated(&text, "{" ENVELOPE ",\"type\":\"agent.stopped\",\"subject\":\"", "a", n, "\"}"),
            n == 4096, "subject: has 4097 bytes, at most 4096");
        iv_buf_deinit(&text);
        expect_limit(repeated(&text, "{" ENVELOPE ",\"type\":\"token.used\",\"data\":{\"token_id\":\"", "a",
                              n, "\"}}"),
                     n == 4096, "token_id: has 4097 bytes, at most 4096");
        iv_buf_deinit(&text);
    }
    size_t around = strlen(open) + 3;
    for (size_t n = (1u << 20) - around; n <= (1u << 20) - around + 1; n++) {
        char front[256];
        (void)snprintf(front, sizeof front, "%s\"", open);
        expect_limit(repeated(&text, front, "a", n, "\"}"), n == (1u << 20) - around,
                     "record: has 1048577 bytes");
        iv_buf_deinit(&text);
    }
}

/* Plain members are taken in a run where no escape stands in the text; with one, each goes the long way. */
Test(decode, reads_plain_members_alike_with_and_without_escapes)
{
    static const char *const rows[] = {
        "{\"a\":\"x\",\"b\":\"y\",\"c\":\"z\"}",
        "{\"a\":\"x\" ,\"b\": \"y\", \"c\" :\"z\"}",
        "{\"a\":\"x\",\"b\":1,\"c\":\"z\",\"d\":null}",
        "{\"\":\"\",\"b\":\"\",\"c\":{\"d\":\"\",\"e\":\"\"},\"f\":\"\"}",
        "{\"a\":\"x\",}",
        "{\"a\":\"x\",\"b\"}",
        "{\"a\":\"x\",\"b\":\"y\"\"c\":\"z\"}",
        "{\"a\":\"x\",\"b\",\"c\":\"z\",\"d\":\"z\"}",
        "{\"a\":\"x\",1:\"c\",\"d\":\"z\",\"e\":\"z\"}",
        "{\"a\":\"x\",\"b\":\"c\":\"d\",\"e\":\"z\"}",
    };
    const struct iv_json_options options = {0};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_buf escaped;
        struct iv_val plain = {0};
        struct iv_val pair = {0};
        struct iv_str text = repeated(&escaped, "[\"\\n\",", rows[i], 1, "]");

        bool a = iv_ok(iv_json_parse(d.decoder, iv_str_of(rows[i]), &options, &d.arena, &plain, &d.err));
        bool b = iv_ok(iv_json_parse(d.decoder, text, &options, &d.arena, &pair, &d.err));

        cr_expect_eq(a, b, "%s", rows[i]);
        cr_expect_eq(a, i < 4, "%s", rows[i]);
        cr_expect(!a || !b || iv_val_eq(&plain, &pair.items[1]), "%s", rows[i]);
        iv_buf_deinit(&escaped);
    }
}

Test(decode, keeps_integers_at_64_bits)
{
    cr_assert(iv_ok(decode_text(&d, IV_TELEMETRY, ISSUED(TOKEN ",\"tier\":9223372036854775807"))));
    cr_expect_eq(field_of(&d, "tier").i, INT64_MAX);
    cr_assert(iv_ok(decode_text(&d, IV_TELEMETRY, ISSUED(TOKEN ",\"tier\":-0"))));
    cr_expect_eq(field_of(&d, "tier").i, 0);
}

Test(decode, accepts_white_space_and_lower_case_time)
{
    cr_expect(iv_ok(decode_text(
                  &d, IV_TELEMETRY,
                  " {\t\"specversion\" : \"1.0\" ,\r\n\"id\":\"i\" , \"source\":\"s\",\"type\" : "
                  "\"agent.stopped\"  ,\"time\":\"2026-01-02t03:04:05+01:00\" , \"x\" : [ 1 , true ] } \n")),
              "%s", d.err.text);
}

Test(decode, allocates_nothing_in_the_steady_state)
{
    const char *text = ISSUED(TOKEN ",\"scopes\":[\"a\",\"b\"],\"tier\":2,\"enclave_id\":\"e\\u00e9\"");
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, 0, IV_STR("telemetry")}, .bytes = iv_str_of(text)};
    for (int round = 0; round < 2; round++) {
        iv_arena_reset(&d.arena);
        uint64_t before = iv_alloc_calls();
        for (int i = 0; i < 100; i++) {
            cr_assert(iv_ok(iv_decode(d.decoder, &record, &d.arena, &d.event, &d.err)));
        }
        cr_expect(round == 0 || iv_alloc_calls() == before, "allocated %d times",
                  (int)(iv_alloc_calls() - before));
    }
}

Test(decode, writes_a_dead_letter)
{
    struct iv_buf out;
    iv_buf_init(&out, 4096);
    cr_assert(!iv_ok(decode_text(&d, IV_LEDGER, "{\"a\"")));

    iv_dead_letter_json(&out, &d.record, iv_str_of("id: \"\xc3"));

    cr_expect_str_eq(out.p, "{\"topic\":\"ledger\",\"partition\":0,\"offset\":7,\"reason\":\"id: \\\"?\","
                            "\"record\":\"eyJhIg==\"}");
    iv_buf_deinit(&out);
}

Test(decode, parses_any_json_to_a_value)
{
    struct iv_val v = {0};
    const struct iv_json_options strict = {0};
    const struct iv_json_options lenient = {.lenient_members = true};

    cr_assert(iv_ok(iv_json_parse(d.decoder, IV_STR("{\"a\":[1,2.5,18446744073709551616]}"), &strict,
                                  &d.arena, &v, &d.err)));
    cr_expect_eq(v.items[1].items[0].kind, IV_KIND_INT);
    cr_expect_eq(v.items[1].items[2].kind, IV_KIND_DOUBLE);
    cr_expect(!iv_ok(iv_json_parse(d.decoder, IV_STR("{\"a\":1,\"a\":2}"), &strict, &d.arena, &v, &d.err)));
    cr_expect_str_eq(d.err.text, "a: stands twice");
    cr_assert(iv_ok(iv_json_parse(d.decoder, IV_STR("{\"a\":1,\"a\":2}"), &lenient, &d.arena, &v, &d.err)));
    cr_expect_eq(v.items[1].i, 2);
}
