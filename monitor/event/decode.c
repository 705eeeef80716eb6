/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decode.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "event/binary.h"
#include "event/canonical.h"
#include "event/content.h"
#include "event/decoder.h"

#include <stdarg.h>
#include <stdio.h>

iv_rc iv_decoder_new(struct iv_decoder **out, const struct iv_catalogue *catalogue,
                     const struct iv_decode_limits *limits, struct iv_hash_key key, struct iv_err *err)
{
    IV_AUTO(iv_decoder_freep) struct iv_decoder *d = iv_calloc(1, sizeof *d);
    ENSURE(d != NULL, err, IV_E_NOMEM, "cannot allocate a decoder");
    d->catalogue = catalogue;
    d->limits = *limits;
    d->key = key;
    iv_arena_init(&d->own, 0);
    iv_buf_init(&d->scratch, SIZE_MAX);
    TRY(iv_tape_init(&d->tape, limits->depth, limits->members, err));
    *out = TAKE(d);
    return IV_OK;
}

void iv_decoder_free(struct iv_decoder *d)
{
    if (d != NULL) {
        iv_tape_deinit(&d->tape);
        iv_buf_deinit(&d->scratch);
        iv_arena_deinit(&d->own);
        iv_free(d->keys);
        iv_free(d);
    }
}

void iv_decoder_freep(struct iv_decoder **d)
{
    iv_decoder_free(*d);
}

iv_rc iv_malformed(const struct iv_decoding *d, uint32_t node, const char *format, ...)
{
    struct iv_buf path;
    iv_buf_init(&path, 1024);
    iv_tape_path(&path, d->tape, node);
    char what[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    struct iv_rc_s rc =
        iv_err_set(d->err, IV_E_MALFORMED, IV_STR_FMT ": %s", IV_STR_ARG(iv_buf_slice(&path)), what);
    iv_buf_deinit(&path);
    return rc;
}

/* Turns a fault of reading into the reason of a malformed record. */
static struct iv_rc_s as_reason(struct iv_rc_s rc, struct iv_err *err)
{
    if (rc.code != IV_E_SYNTAX && rc.code != IV_E_LIMIT) {
        return rc;
    }
    iv_err_wrap(err, "record");
    if (err != NULL) {
        err->code = IV_E_MALFORMED;
    }
    return (struct iv_rc_s){IV_E_MALFORMED};
}

static iv_rc check_size(const struct iv_decoding *d)
{
    size_t n = d->record->bytes.n;
    for (size_t i = 0; i < d->record->header_count; i++) {
        n += d->record->headers[i].name.n + d->record->headers[i].value.n;
    }
    ENSURE(n <= d->decoder->limits.record_bytes, d->err, IV_E_MALFORMED,
           "record: has %zu bytes, at most %zu are allowed", n, d->decoder->limits.record_bytes);
    return IV_OK;
}

/* Puts the structured event, or the one that a binary record stands for, on the tape. */
static iv_rc read_record(struct iv_decoding *d)
{
    struct iv_tape *tape = &d->decoder->tape;
    tape->count = 0;
    enum iv_mode_of_record mode = IV_MODE_STRUCTURED;
    TRY(iv_record_mode(&mode, d->record, d->err));
    if (mode == IV_MODE_BINARY) {
        return as_reason(iv_binary_read(tape, d->record, d->arena, d->err), d->err);
    }
    TRY(as_reason(iv_tape_read(tape, d->record->bytes, 0, d->arena, d->err), d->err));
    ENSURE(tape->nodes[0].kind == IV_NODE_MAP, d->err, IV_E_MALFORMED, "record: is %s, must be an object",
           iv_node_kind_name(tape->nodes[0].kind));
    return IV_OK;
}

/* The attributes move to slots of the type's number, in the arena. */
static iv_rc settle_slots(struct iv_decoding *d)
{
    struct iv_event *e = d->event;
    struct iv_val *slots = iv_arena_alloc(d->arena, e->type->slot_count * sizeof *slots);
    ENSURE(slots != NULL, d->err, IV_E_NOMEM, "cannot allocate an event of %u fields", e->type->slot_count);
    memcpy(slots, e->slots, IV_ATTRS * sizeof *slots);
    memset(slots + IV_ATTRS, 0, e->type->field_count * sizeof *slots);
    e->slots = slots;
    e->object = (struct iv_object){.slot_of = e->type->slot_of, .slots = slots, .owner = e};
    return IV_OK;
}

/* A ledger event has a canonical form, or is malformed: no member twice, no integer beyond 2^53, at any
 * depth. */
static iv_rc take_canonical(struct iv_decoding *d)
{
    struct iv_buf *scratch = &d->decoder->scratch;
    struct iv_canonical c = {.omit = IV_STR("ledgerhash"), .strict_integers = true};
    struct iv_rc_s rc = iv_canonical_write(scratch, d->decoder, 0, &c, d->err);
    if (c.fault.what != NULL) {
        return iv_malformed(d, c.fault.node, "%s", c.fault.what);
    }
    TRY(rc);
    ENSURE(!iv_buf_failed(scratch), d->err, IV_E_NOMEM, "cannot allocate the canonical form of an event");
    d->event->canonical = iv_arena_str(d->arena, iv_buf_slice(scratch));
    ENSURE(d->event->canonical.p != NULL, d->err, IV_E_NOMEM,
           "cannot allocate the canonical form of an event");
    return IV_OK;
}

static iv_rc take_content(struct iv_decoding *d)
{
    struct iv_buf *scratch = &d->decoder->scratch;
    iv_buf_clear(scratch);
    if (d->record->origin.stream == IV_LEDGER) {
        TRY(take_canonical(d));
        iv_buf_str(scratch, iv_event_attr(d->event, IV_ATTR_LEDGER_HASH));
    } else {
        iv_event_content_bytes(scratch, d->event);
    }
    ENSURE(!iv_buf_failed(scratch), d->err, IV_E_NOMEM, "cannot allocate the content of an event");
    d->event->content = iv_hash128(d->decoder->key, iv_buf_slice(scratch));
    return IV_OK;
}

static iv_rc decode(struct iv_decoding *d)
{
    TRY(check_size(d));
    TRY(read_record(d));
    struct iv_val attributes[IV_ATTRS] = {{0}};
    d->event->slots = attributes;
    TRY(iv_envelope_read(d));
    TRY(settle_slots(d));
    TRY(iv_fields_read(d));
    return take_content(d);
}

iv_rc iv_decode(struct iv_decoder *decoder, const struct iv_record *record, struct iv_arena *arena,
                struct iv_event *out, struct iv_err *err)
{
    *out = (struct iv_event){.origin = record->origin, .record = record, .digest_alg = -1, .hash_valid = -1};
    struct iv_decoding d = {.decoder = decoder,
                            .tape = &decoder->tape,
                            .record = record,
                            .arena = arena,
                            .event = out,
                            .err = err};
    decoder->key_count = 0;
    return decode(&d);
}

iv_rc iv_json_parse(struct iv_decoder *decoder, struct iv_str text, const struct iv_json_options *options,
                    struct iv_arena *arena, struct iv_val *out, struct iv_err *err)
{
    ENSURE(text.n <= decoder->limits.record_bytes, err, IV_E_LIMIT, "has %zu bytes, at most %zu are allowed",
           text.n, decoder->limits.record_bytes);
    decoder->tape.count = 0;
    decoder->key_count = 0;
    TRY(iv_tape_read(&decoder->tape, text, 0, arena, err));
    struct iv_fault fault = {0};
    struct iv_rc_s rc = iv_node_value(out, &fault, decoder, 0, options, arena, err);
    if (fault.what != NULL) {
        struct iv_decoding d = {.tape = &decoder->tape, .err = err};
        (void)iv_ok(iv_malformed(&d, fault.node, "%s", fault.what));
        return (struct iv_rc_s){IV_E_SYNTAX};
    }
    return rc;
}

/* A reason quotes pieces of the record, which may be cut inside a character. */
static void put_reason(struct iv_buf *out, struct iv_str reason)
{
    for (size_t i = 0; i < reason.n; i++) {
        iv_buf_char(out, (unsigned char)reason.p[i] < 0x80 ? reason.p[i] : '?');
    }
}

void iv_dead_letter_json(struct iv_buf *out, const struct iv_record *record, struct iv_str reason)
{
    struct iv_json j = iv_json_to(out);
    struct iv_buf clean;
    iv_buf_init(&clean, 4096);
    if (!iv_utf8_valid(reason)) {
        put_reason(&clean, reason);
        reason = iv_buf_slice(&clean);
    }
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "topic", record->origin.topic);
    iv_json_int(&j, "partition", record->origin.partition);
    iv_json_int(&j, "offset", record->origin.offset);
    iv_json_str(&j, "reason", reason);
    iv_buf_text(out, ",\"record\":");
    iv_json_base64(out, record->bytes);
    iv_json_close_object(&j);
    iv_buf_deinit(&clean);
}
