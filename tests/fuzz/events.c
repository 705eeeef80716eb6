/* SPDX-License-Identifier: Apache-2.0 */
/* Any record is an event, or malformed with one reason that begins with a field's name.
 * Input: a line of letters (l: of the ledger, s: with small limits), the record's headers as lines
 * "name: value", an empty line, the record. */
#include "target.h"

#include "base/digest.h"
#include "base/json_write.h"
#include "event/chain.h"
#include "event/decode.h"

#define HEADERS_MAX 64
#define BYTES_MAX (16u << 20)

static struct iv_catalogue *catalogue;
static struct iv_decoder *plain;
static struct iv_decoder *small;
static struct iv_digester *digester;
static struct iv_arena arena;
static struct iv_buf text;

static void set_up(void)
{
    static const struct iv_field_decl fields[] = {
        {IV_STR_INIT("sizes"), IV_F_LIST_INT, false},    {IV_STR_INIT("flags"), IV_F_LIST_BOOL, false},
        {IV_STR_INIT("reals"), IV_F_LIST_DOUBLE, false}, {IV_STR_INIT("took"), IV_F_DURATION, true},
        {IV_STR_INIT("more"), IV_F_MAP, false},          {IV_STR_INIT("at"), IV_F_TIMESTAMP, false},
    };
    const struct iv_decode_limits limits = {512, 4, 8, 16};
    const struct iv_hash_key key = {1, 2};
    struct iv_err err;
    IV_CHECK(iv_ok(iv_catalogue_new(&catalogue, &err)));
    IV_CHECK(
        iv_ok(iv_catalogue_declare(catalogue, IV_STR("my.x"), IV_TELEMETRY, fields, IV_COUNT(fields), &err)));
    IV_CHECK(
        iv_ok(iv_catalogue_declare(catalogue, IV_STR("my.y"), IV_LEDGER, fields, IV_COUNT(fields), &err)));
    IV_CHECK(iv_ok(iv_catalogue_freeze(catalogue, &err)));
    IV_CHECK(iv_ok(iv_decoder_new(&plain, catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)));
    IV_CHECK(iv_ok(iv_decoder_new(&small, catalogue, &limits, key, &err)));
    IV_CHECK(iv_ok(iv_digester_new(&digester, &err)));
    iv_arena_init(&arena, 0);
    iv_buf_init(&text, BYTES_MAX);
}

static struct iv_record record_of(struct iv_str rest, enum iv_stream stream, struct iv_header *headers)
{
    struct iv_record record = {.origin = {stream, 0, 7, iv_str_of(iv_stream_name(stream))},
                               .headers = headers};
    for (struct iv_str line = take_line(&rest); line.n > 0; line = take_line(&rest)) {
        const char *colon = memmem(line.p, line.n, ": ", 2);
        if (colon != NULL && record.header_count < HEADERS_MAX) {
            size_t n = (size_t)(colon - line.p);
            headers[record.header_count++] = (struct iv_header){{line.p, n}, {colon + 2, line.n - n - 2}};
        }
    }
    record.bytes = rest;
    return record;
}

static void is_refused(const struct iv_record *record, const struct iv_err *err)
{
    IV_CHECK(err->code == IV_E_MALFORMED && strstr(err->text, ": ") != NULL);
    iv_buf_clear(&text);
    iv_dead_letter_json(&text, record, iv_str_of(err->text));
    IV_CHECK(!iv_buf_failed(&text) && iv_utf8_valid(iv_buf_slice(&text)));
}

/* The canonical form, with its hash put back, is a structured record of the same content; unless a double
 * beyond 2^53 is written there as an integer, which a ledger event must not hold. */
static void stands_for_itself(struct iv_decoder *decoder, const struct iv_event *event)
{
    struct iv_event again;
    struct iv_err err;
    IV_CHECK(event->canonical.n > 2 && event->canonical.p[0] == '{');
    iv_buf_clear(&text);
    iv_buf_text(&text, "{\"ledgerhash\":");
    iv_json_string(&text, iv_event_attr(event, IV_ATTR_LEDGER_HASH));
    iv_buf_char(&text, ',');
    iv_buf_str(&text, (struct iv_str){event->canonical.p + 1, event->canonical.n - 1});
    struct iv_record record = {.origin = event->origin, .bytes = iv_arena_str(&arena, iv_buf_slice(&text))};
    if (!iv_ok(iv_decode(decoder, &record, &arena, &again, &err))) {
        IV_CHECK(strstr(err.text, "is an integer beyond 2^53") != NULL);
        return;
    }
    IV_CHECK(again.content.lo == event->content.lo && again.content.hi == event->content.hi);
    IV_CHECK(iv_str_eq(again.canonical, event->canonical));
}

static void is_event(struct iv_decoder *decoder, struct iv_event *event)
{
    IV_CHECK(event->type != NULL && event->object.slots == event->slots);
    for (uint8_t i = 0; i < event->type->slot_count; i++) {
        iv_buf_clear(&text);
        iv_val_json(&text, &event->slots[i]);
        IV_CHECK(!iv_buf_failed(&text) && iv_utf8_valid(iv_buf_slice(&text)));
    }
    bool valid = iv_chain_valid(event, digester);
    IV_CHECK(!valid || event->origin.stream == IV_LEDGER);
    if (event->origin.stream == IV_LEDGER && decoder == plain && event->canonical.n < 64u << 10) {
        stands_for_itself(decoder, event);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_str rest = input_of(data, size);
    struct iv_header headers[HEADERS_MAX];
    struct iv_event event;
    struct iv_event again;
    struct iv_err err;
    if (catalogue == NULL) {
        set_up();
    }
    struct iv_str letters = take_line(&rest);
    struct iv_decoder *decoder = line_has(letters, 's') ? small : plain;
    struct iv_record record = record_of(rest, line_has(letters, 'l') ? IV_LEDGER : IV_TELEMETRY, headers);
    iv_arena_reset(&arena);
    if (!iv_ok(iv_decode(decoder, &record, &arena, &event, &err))) {
        is_refused(&record, &err);
        return 0;
    }
    IV_CHECK(iv_ok(iv_decode(decoder, &record, &arena, &again, &err)));
    IV_CHECK(again.content.lo == event.content.lo && again.content.hi == event.content.hi);
    is_event(decoder, &event);
    return 0;
}
