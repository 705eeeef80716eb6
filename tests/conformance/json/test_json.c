/* SPDX-License-Identifier: Apache-2.0 */
/* JSONTestSuite: y_* is JSON, n_* is not, i_* is up to the parser. */
#include "conformance/published.h"
#include "unit/event/decoding.h"

#define FOLDER "json/test_parsing"

static struct decoding d;

static void as_value(void *ctx, const char *name, struct iv_str text)
{
    const struct iv_json_options lenient = {.lenient_members = true};
    struct iv_val v = {0};
    (void)ctx;
    struct iv_rc_s rc = iv_json_parse(d.decoder, text, &lenient, &d.arena, &v, &d.err);
    cr_expect(name[0] != 'y' || iv_ok(rc), "%s: %s", name, d.err.text);
    cr_expect(name[0] != 'n' || rc.code == IV_E_SYNTAX || rc.code == IV_E_LIMIT, "%s was taken for JSON",
              name);
    iv_arena_reset(&d.arena);
}

static void as_record(void *ctx, const char *name, struct iv_str text)
{
    (void)ctx;
    for (int stream = 0; stream < IV_STREAMS; stream++) {
        struct iv_record record = {.origin = {(enum iv_stream)stream, 0, 0, IV_STR("t")}, .bytes = text};
        struct iv_rc_s rc = iv_decode(d.decoder, &record, &d.arena, &d.event, &d.err);
        cr_expect_eq(rc.code, IV_E_MALFORMED, "%s was taken for an event", name);
        cr_expect(name[0] != 'n' || strncmp(d.err.text, "record: ", 8) == 0, "%s: %s", name, d.err.text);
    }
    iv_arena_reset(&d.arena);
}

static void as_binary(void *ctx, const char *name, struct iv_str text)
{
    static const struct iv_header headers[] = {
        {IV_STR_INIT("ce_specversion"), IV_STR_INIT("1.0")},
        {IV_STR_INIT("ce_id"), IV_STR_INIT("i")},
        {IV_STR_INIT("ce_source"), IV_STR_INIT("s")},
        {IV_STR_INIT("ce_type"), IV_STR_INIT("agent.stopped")},
        {IV_STR_INIT("ce_time"), IV_STR_INIT("2026-01-02T03:04:05Z")},
    };
    (void)ctx;
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, 0, IV_STR("t")},
                               .bytes = text,
                               .headers = headers,
                               .header_count = IV_COUNT(headers)};
    struct iv_rc_s rc = iv_decode(d.decoder, &record, &d.arena, &d.event, &d.err);
    bool object = text.n > 0 && memchr(text.p, '{', text.n) == text.p;
    cr_expect(name[0] != 'y' || !object || iv_ok(rc), "%s: %s", name, d.err.text);
    cr_expect(name[0] != 'n' || rc.code == IV_E_MALFORMED, "%s was taken for data", name);
    iv_arena_reset(&d.arena);
}

static void each_file(void (*each)(void *, const char *, struct iv_str))
{
    if (!published_is_there(FOLDER)) {
        return;
    }
    decoding_init(&d, IV_DECODE_LIMITS_DEFAULT);
    cr_expect_gt(published_each(FOLDER, each, NULL), 300);
    decoding_deinit(&d);
}

Test(json, accepts_every_y_and_refuses_every_n)
{
    each_file(as_value);
}

Test(json, takes_none_for_an_event)
{
    each_file(as_record);
}

Test(json, reads_each_as_the_data_of_a_binary_record)
{
    each_file(as_binary);
}
