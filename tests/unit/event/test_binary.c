/* SPDX-License-Identifier: Apache-2.0 */
#include "decoding.h"

static struct decoding d;

static void setup(void)
{
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
}

static void teardown(void)
{
    decoding_deinit(&d);
}

TestSuite(binary, .init = setup, .fini = teardown);

#define H(name, value)                                                                                       \
    {                                                                                                        \
        IV_STR_INIT(name), IV_STR_INIT(value)                                                                \
    }
#define ENVELOPE                                                                                             \
    H("ce_specversion", "1.0"), H("ce_id", "i"), H("ce_source", "s"), H("ce_time", "2026-01-02T03:04:05Z")

static struct iv_rc_s decode(enum iv_stream stream, const char *value, const struct iv_header *headers,
                             size_t count)
{
    return decode_record(&d, stream, iv_str_of(value), headers, count);
}

Test(binary, takes_attributes_from_headers_and_data_from_the_value)
{
    static const struct iv_header headers[] = {ENVELOPE,
                                               H("ce_type", "token.used"),
                                               H("ce_subject", "a \"1\""),
                                               H("ce_tenantid", "acme"),
                                               H("content-type", "application/json"),
                                               H("other", "\xff")};

    struct iv_rc_s rc = decode(IV_TELEMETRY, " {\"token_id\":\"t\"} ", headers, IV_COUNT(headers));

    cr_assert(iv_ok(rc), "%s", d.err.text);
    cr_expect(iv_str_eq(iv_event_attr(&d.event, IV_ATTR_AGENT), IV_STR("a \"1\"")));
    cr_expect(iv_str_eq(iv_event_attr(&d.event, IV_ATTR_TENANT), IV_STR("acme")));
    cr_expect(iv_str_eq(iv_val_slice(field_of(&d, "token_id")), IV_STR("t")));
}

Test(binary, stands_for_the_structured_event)
{
    static const struct iv_header headers[] = {ENVELOPE,
                                               H("ce_type", "tool.requested"),
                                               H("ce_ledgerid", "l"),
                                               H("ce_ledgerseq", "7"),
                                               H("ce_ledgerprev", "00"),
                                               H("ce_ledgerhash", "11"),
                                               H("content-type", "application/json"),
                                               H("ce_note", "tab\there")};
    const char *structured = "{\"data\":{\"tool\":\"t\",\"request_id\":\"r\"},\"datacontenttype\":"
                             "\"application/json\",\"id\":\"i\","
                             "\"ledgerhash\":\"11\",\"ledgerid\":\"l\",\"ledgerprev\":\"00\",\"ledgerseq\":7,"
                             "\"note\":\"tab\\there\","
                             "\"source\":\"s\",\"specversion\":\"1.0\",\"time\":\"2026-01-02T03:04:05Z\","
                             "\"type\":\"tool.requested\"}";

    cr_assert(iv_ok(decode(IV_LEDGER, "{\"request_id\":\"r\",\"tool\":\"t\"}", headers, IV_COUNT(headers))),
              "%s", d.err.text);
    struct iv_event binary = d.event;
    cr_assert(iv_ok(decode(IV_LEDGER, structured, NULL, 0)), "%s", d.err.text);

    cr_expect(iv_str_eq(binary.canonical, d.event.canonical), IV_STR_FMT, IV_STR_ARG(binary.canonical));
    cr_expect_eq(binary.content.lo, d.event.content.lo);
    cr_expect_eq(binary.slots[IV_ATTR_LEDGER_SEQ].i, 7);
}

Test(binary, tells_the_modes_apart)
{
    static const char *const structured = "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":"
                                          "\"agent.stopped\",\"time\":\"2026-01-02T03:04:05Z\"}";
    static const struct {
        struct iv_header header;
        const char *reason; /* NULL: taken as structured */
    } rows[] = {
        {H("content-type", "application/cloudevents+json"), NULL},
        {H("Content-Type", "Application/CloudEvents+JSON; charset=UTF-8"), NULL},
        {H("content-type", "application/cloudevents"), NULL},
        {H("content-type", "application/json"), NULL},
        {H("content-type", "application/cloudevents-batch+json"), "record: is a batch"},
        {H("content-type", "application/cloudevents-batch"), "record: is a batch"},
        {H("content-type", "APPLICATION/CLOUDEVENTS-BATCH+JSON; charset=UTF-8"), "record: is a batch"},
        {H("content-type", "application/cloudevents+avro"), "record: its content-type"},
        {H("ce_specversion", "1.0"), "id: is required"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_rc_s rc = decode(IV_TELEMETRY, structured, &rows[i].header, 1);
        cr_expect_eq(iv_ok(rc), rows[i].reason == NULL, "row %zu: %s", i, d.err.text);
        cr_expect(rows[i].reason == NULL || strncmp(d.err.text, rows[i].reason, strlen(rows[i].reason)) == 0,
                  "%s", d.err.text);
    }
}

Test(binary, refuses_what_stands_for_no_event)
{
    static const struct {
        const char *value;
        struct iv_header header;
        const char *reason;
    } rows[] = {
        {"", H("x", ""), "record: is empty, a tombstone"},
        {"[]", H("x", ""), "record: is a list, must be an object"},
        {"{\"a\":", H("x", ""), "record: is not JSON"},
        {"{}", H("ce_subject", "\xff"), "subject: is not UTF-8"},
        {"{}", H("ce_id", "again"), "id: stands twice"},
        {"{}", H("ce_data", "x"), "data: stands twice"},
        {"{}", H("ce_data_base64", "eA=="), "data_base64: is refused"},
        {"{\"reason\":5}", H("x", ""), "reason: is an integer, must be a string"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_header headers[] = {ENVELOPE, H("ce_type", "agent.stopped"), rows[i].header};
        struct iv_rc_s rc = decode(IV_TELEMETRY, rows[i].value, headers, IV_COUNT(headers));
        cr_expect_eq(rc.code, IV_E_MALFORMED, "row %zu", i);
        cr_expect_eq(strncmp(d.err.text, rows[i].reason, strlen(rows[i].reason)), 0, "got '%s', want '%s'",
                     d.err.text, rows[i].reason);
    }
}

Test(binary, reads_the_sequence_as_an_integer_only_if_it_is_one)
{
    static const struct {
        const char *value;
        bool accepted;
    } rows[] = {{"0", true}, {"12", true},  {"007", false}, {"1.0", false},
                {"", false}, {"+1", false}, {"x", false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_header headers[] = {ENVELOPE,
                                            H("ce_type", "x"),
                                            H("ce_ledgerid", "l"),
                                            H("ce_ledgerprev", "0"),
                                            H("ce_ledgerhash", "1"),
                                            {IV_STR_INIT("ce_ledgerseq"), iv_str_of(rows[i].value)}};
        struct iv_rc_s rc = decode(IV_LEDGER, "{}", headers, IV_COUNT(headers));
        cr_expect_eq(iv_ok(rc), rows[i].accepted, "'%s': %s", rows[i].value, d.err.text);
    }
}

Test(binary, takes_a_header_without_a_value_for_absent)
{
    const struct iv_header headers[] = {
        ENVELOPE, H("ce_type", "agent.stopped"), {IV_STR_INIT("ce_subject"), {NULL, 0}}};

    cr_assert(iv_ok(decode(IV_TELEMETRY, "{}", headers, IV_COUNT(headers))), "%s", d.err.text);

    cr_expect_eq(d.event.slots[IV_ATTR_AGENT].kind, IV_KIND_ABSENT);
}

Test(binary, counts_headers_into_the_size_of_a_record)
{
    struct iv_buf big;
    iv_buf_init(&big, 2u << 20);
    for (size_t i = 0; i < 1u << 20; i++) {
        iv_buf_char(&big, 'a');
    }
    const struct iv_header headers[] = {
        ENVELOPE, H("ce_type", "agent.stopped"), {IV_STR_INIT("x"), iv_buf_slice(&big)}};

    cr_expect_eq(decode(IV_TELEMETRY, "{}", headers, IV_COUNT(headers)).code, IV_E_MALFORMED);
    cr_expect_eq(strncmp(d.err.text, "record: has ", 12), 0, "%s", d.err.text);
    iv_buf_deinit(&big);
}

Test(binary, says_what_is_wrong_with_an_attribute_however_long_its_name)
{
    char name[2000] = "ce_";
    memset(name + 3, 'a', sizeof name - 3);
    const struct iv_header headers[] = {
        ENVELOPE, H("ce_type", "agent.stopped"), {{name, sizeof name}, IV_STR_INIT("\xff")}};

    cr_expect_eq(decode(IV_TELEMETRY, "{}", headers, IV_COUNT(headers)).code, IV_E_MALFORMED);

    cr_expect_str_eq(d.err.text,
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...: is not UTF-8");
}
