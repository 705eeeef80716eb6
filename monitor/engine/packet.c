/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/packet.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/packet_form.h"

#include <string.h>

const struct iv_frame iv_packet_frame = {
    .magic = "IVPACKET", .version = IV_PACKET_VERSION, .noun = "packet", .full = "a packet of the exchange"};

struct iv_rc_s iv_packet_writer_init(struct iv_packet_writer *writer, size_t types, struct iv_err *err)
{
    *writer = (struct iv_packet_writer){.number_count = types};
    iv_buf_init(&writer->types, IV_PACKET_MAX_BYTES);
    iv_buf_init(&writer->moves, IV_PACKET_MAX_BYTES);
    writer->numbers = iv_calloc(types, sizeof *writer->numbers);
    ENSURE(writer->numbers != NULL, err, IV_E_NOMEM, "cannot allocate a packet of %zu event types", types);
    return IV_OK;
}

void iv_packet_writer_deinit(struct iv_packet_writer *writer)
{
    iv_buf_deinit(&writer->types);
    iv_buf_deinit(&writer->moves);
    iv_free(writer->numbers);
    writer->numbers = NULL;
}

static void empty(struct iv_packet_writer *w)
{
    iv_buf_clear(&w->types);
    iv_buf_clear(&w->moves);
    memset(w->numbers, 0, w->number_count * sizeof *w->numbers);
    memset(w->offsets, 0, sizeof w->offsets);
    w->type_count = 0;
    w->time = 0;
    w->written = 0;
    w->move_count = 0;
    w->event_count = 0;
}

/* Differences wrap: whatever the numbers, adding them up again gives what was meant. */
static void put_difference(struct iv_buf *out, int64_t *last, int64_t n)
{
    iv_image_int(out, (int64_t)((uint64_t)n - (uint64_t)*last));
    *last = n;
}

static const struct iv_field *field_at(const struct iv_event_type *type, uint8_t slot)
{
    return slot < IV_ATTRS ? NULL : &type->fields[slot - IV_ATTRS];
}

static uint16_t type_number(struct iv_packet_writer *w, const struct iv_event_type *type,
                            const uint8_t *slots, uint16_t slot_count)
{
    if (w->numbers[type->index] != 0) {
        return w->numbers[type->index];
    }
    iv_image_str(&w->types, type->name);
    iv_image_uint(&w->types, slot_count);
    for (uint16_t i = 0; i < slot_count; i++) {
        const struct iv_field *field = field_at(type, slots[i]);
        iv_image_uint(&w->types, field == NULL ? slots[i] : IV_ATTRS);
        if (field != NULL) {
            iv_image_str(&w->types, field->name);
            iv_image_uint(&w->types, field->type);
        }
    }
    return w->numbers[type->index] = ++w->type_count;
}

static unsigned flags_of(const struct iv_event *event)
{
    return (event->hash_valid >= 0 ? IV_PACKET_HASH_KNOWN : 0U) |
           (event->hash_valid > 0 ? IV_PACKET_HASH_VALID : 0U) |
           (event->seal->digest.n > 0 ? IV_PACKET_DIGEST : 0U);
}

static void put_head(struct iv_packet_writer *w, enum iv_packet_kind kind, enum iv_stream stream,
                     unsigned flags)
{
    iv_buf_char(&w->moves, (char)(unsigned char)((unsigned)kind | (unsigned)stream << IV_PACKET_STREAM_SHIFT |
                                                 flags << IV_PACKET_FLAGS_SHIFT));
    w->move_count++;
}

/* Which of the slots have a value, a bit each, then the values. */
static void put_slots(struct iv_buf *out, const struct iv_event *event, const uint8_t *slots,
                      uint16_t slot_count)
{
    unsigned char presence[IV_PACKET_SLOTS_MAX / 8 + 1] = {0};
    for (uint16_t i = 0; i < slot_count; i++) {
        bool present = event->slots[slots[i]].kind != IV_KIND_ABSENT;
        presence[i / 8] = (unsigned char)(presence[i / 8] | (present ? 1U : 0U) << (i % 8));
    }
    iv_buf_add(out, presence, (slot_count + 7U) / 8);
    for (uint16_t i = 0; i < slot_count; i++) {
        if (event->slots[slots[i]].kind != IV_KIND_ABSENT) {
            iv_image_value(out, &event->slots[slots[i]]);
        }
    }
}

void iv_packet_put_event(struct iv_packet_writer *writer, const struct iv_event *event, const uint8_t *slots,
                         uint16_t slot_count)
{
    struct iv_packet_writer *w = writer;
    struct iv_buf *out = &w->moves;
    uint16_t type = type_number(w, event->type, slots, slot_count);
    put_head(w, IV_PACKET_EVENT, event->origin.stream, flags_of(event));
    put_difference(out, &w->offsets[event->origin.stream], event->origin.offset);
    put_difference(out, &w->time, event->time);
    put_difference(out, &w->written, event->record == NULL ? 0 : event->record->written);
    iv_image_uint(out, type);
    iv_buf_add(out, event->seal->content_id, sizeof event->seal->content_id);
    iv_buf_add(out, event->seal->digest.bytes, event->seal->digest.n > 0 ? IV_PACKET_DIGEST_BYTES : 0);
    iv_image_str(out, iv_event_attr(event, IV_ATTR_SOURCE));
    put_slots(out, event, slots, slot_count);
    w->event_count++;
}

void iv_packet_put_move(struct iv_packet_writer *writer, const struct iv_packet_move *move)
{
    put_head(writer, move->kind, move->stream, 0);
    put_difference(&writer->moves, &writer->offsets[move->stream], move->offset);
    if (iv_packet_has_time(move->kind)) {
        put_difference(&writer->moves, &writer->time, move->time);
    }
}

static void write_head(struct iv_buf *out, const struct iv_packet_head *head)
{
    size_t section = iv_image_open(out, IV_PACKET_SECTION_HEAD);
    iv_image_str(out, head->deployment);
    iv_image_uint(out, (uint64_t)head->source);
    iv_image_uint(out, head->share);
    iv_image_uint(out, head->shares);
    iv_image_str(out, head->baseline);
    iv_image_uint(out, head->rules.n / IV_PACKET_RULE_BYTES);
    iv_buf_str(out, head->rules);
    for (int s = 0; s < IV_STREAMS; s++) {
        iv_image_str(out, head->read[s].topic);
        iv_image_int(out, head->read[s].from);
        iv_image_int(out, head->read[s].next);
    }
    iv_image_close(out, section);
}

static void write_section(struct iv_buf *out, const char name[4], size_t count, const struct iv_buf *items)
{
    size_t section = iv_image_open(out, name);
    iv_image_uint(out, count);
    iv_buf_str(out, iv_buf_slice(items));
    iv_image_close(out, section);
    iv_buf_inherit(out, items);
}

struct iv_rc_s iv_packet_finish(struct iv_packet_writer *writer, struct iv_buf *out,
                                const struct iv_packet_head *head, struct iv_err *err)
{
    iv_buf_clear(out);
    size_t start = iv_frame_open(out, &iv_packet_frame);
    write_head(out, head);
    write_section(out, IV_PACKET_SECTION_TYPES, writer->type_count, &writer->types);
    write_section(out, IV_PACKET_SECTION_MOVES, writer->move_count, &writer->moves);
    empty(writer);
    return iv_frame_close(out, start, &iv_packet_frame, err);
}
