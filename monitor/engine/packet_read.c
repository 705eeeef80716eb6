/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/packet.h"
#include "engine/packet_form.h"

#include "base/guard.h"

#include <string.h>

/* A slot as the packet has it. */
struct sent_slot {
    uint8_t slot; /* in the type at hand; IV_NO_SLOT: there is no such field */
    enum iv_ftype type;
};

struct sent_type {
    const struct iv_event_type *type; /* at hand; the unknown one where there is none of that name */
    struct iv_str name;
    struct sent_slot *slots;
    size_t slot_count;
};

struct reading {
    struct iv_packet *out;
    const struct iv_catalogue *catalogue;
    struct iv_arena *arena;
    struct sent_type *types;
    size_t type_count;
    int64_t offsets[IV_STREAMS];
    iv_ns time;
    iv_ns written;
};

static iv_rc damaged(const char *what, struct iv_err *err)
{
    return iv_err_set(err, IV_E_MALFORMED, "the packet is damaged: %s does not fit", what);
}

static iv_rc no_memory(struct iv_err *err)
{
    return iv_err_set(err, IV_E_NOMEM, "cannot allocate the events of a packet");
}

static iv_rc read_head(struct iv_packet_head *head, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_PACKET_SECTION_HEAD);
    head->deployment = iv_image_get_str(&section);
    head->source = (int32_t)iv_image_get_below(&section, INT32_MAX);
    head->share = (uint32_t)iv_image_get_below(&section, UINT32_MAX);
    head->shares = (uint32_t)iv_image_get_below(&section, UINT32_MAX);
    head->baseline = iv_image_get_str(&section);
    size_t rules = iv_image_get_count(&section);
    head->rules = (struct iv_str){(const char *)section.at, rules * IV_PACKET_RULE_BYTES};
    for (size_t i = 0; i < rules && !section.bad; i++) {
        (void)iv_image_get_u64(&section);
    }
    for (int s = 0; s < IV_STREAMS; s++) {
        head->read[s].topic = iv_image_get_str(&section);
        head->read[s].from = iv_image_get_int(&section);
        head->read[s].next = iv_image_get_int(&section);
    }
    return iv_image_done(&section) && head->share < head->shares ? IV_OK : damaged("its head", err);
}

/* The slot of an attribute by its number, or of a field by its name where it has the type that it had. */
static struct sent_slot find_slot(struct iv_image *in, const struct iv_event_type *type)
{
    uint64_t attribute = iv_image_get_below(in, IV_ATTRS);
    if (attribute < IV_ATTRS) {
        bool moves = attribute != IV_ATTR_SOURCE && attribute != IV_ATTR_TIME && attribute != IV_ATTR_TOPIC;
        return (struct sent_slot){moves ? (uint8_t)attribute : IV_NO_SLOT, iv_attr_defs[attribute].type};
    }
    struct iv_str name = iv_image_get_str(in);
    enum iv_ftype sent = (enum iv_ftype)iv_image_get_below(in, IV_F_MAP);
    for (size_t i = 0; i < type->field_count; i++) {
        if (iv_str_eq(type->fields[i].name, name)) {
            return (struct sent_slot){type->fields[i].type == sent ? type->fields[i].slot : IV_NO_SLOT, sent};
        }
    }
    return (struct sent_slot){IV_NO_SLOT, sent};
}

static iv_rc read_type(struct reading *r, struct iv_image *in, struct sent_type *type, struct iv_err *err)
{
    type->name = iv_image_get_str(in);
    const struct iv_event_type *found =
        type->name.n == 0 ? NULL : iv_catalogue_find(r->catalogue, type->name);
    type->type = found != NULL ? found : iv_catalogue_unknown(r->catalogue);
    type->slot_count = (size_t)iv_image_get_below(in, IV_PACKET_SLOTS_MAX);
    type->slots = iv_arena_zalloc(r->arena, (type->slot_count + 1) * sizeof *type->slots);
    if (type->slots == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < type->slot_count && !in->bad; i++) {
        type->slots[i] = find_slot(in, type->type);
    }
    return IV_OK;
}

static iv_rc read_types(struct reading *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_PACKET_SECTION_TYPES);
    r->type_count = iv_image_get_count(&section);
    r->types = iv_arena_zalloc(r->arena, (r->type_count + 1) * sizeof *r->types);
    if (r->types == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < r->type_count && !section.bad; i++) {
        TRY(read_type(r, &section, &r->types[i], err));
    }
    return iv_image_done(&section) ? IV_OK : damaged("its list of types", err);
}

static int64_t get_difference(struct iv_image *in, int64_t *last)
{
    *last = (int64_t)((uint64_t)*last + (uint64_t)iv_image_get_int(in));
    return *last;
}

/* An event, its record, seal and slots in one piece. */
struct sent_event {
    struct iv_event event;
    struct iv_record record;
    struct iv_seal seal;
    struct iv_val slots[];
};

/* False when memory is out. */
static bool read_slots(struct reading *r, struct iv_image *in, const struct sent_type *type,
                       struct iv_val *slots)
{
    unsigned char presence[IV_PACKET_SLOTS_MAX / 8 + 1] = {0};
    iv_image_get_bytes(in, presence, (type->slot_count + 7) / 8);
    for (size_t i = 0; i < type->slot_count && !in->bad; i++) {
        struct iv_val value = {0};
        if ((presence[i / 8] >> (i % 8) & 1) == 0) {
            continue;
        }
        if (!iv_image_get_value(in, r->arena, &value)) {
            return false;
        }
        in->bad = in->bad || !iv_image_fits(type->slots[i].type, &value);
        if (type->slots[i].slot != IV_NO_SLOT) {
            slots[type->slots[i].slot] = value;
        }
    }
    return true;
}

static void read_seal(struct iv_image *in, struct iv_seal *seal, unsigned flags)
{
    seal->named = true;
    iv_image_get_bytes(in, seal->content_id, sizeof seal->content_id);
    seal->digest.n = (flags & IV_PACKET_DIGEST) != 0 ? IV_PACKET_DIGEST_BYTES : 0;
    iv_image_get_bytes(in, seal->digest.bytes, seal->digest.n);
}

/* What is not sent because it is known; no event is without a source and an id, and what follows relies on
 * them. */
static void fill_in(struct iv_image *in, struct sent_event *sent, const struct sent_type *type,
                    struct iv_str source)
{
    struct iv_val *slots = sent->slots;
    slots[IV_ATTR_SOURCE] = iv_val_str(source);
    slots[IV_ATTR_TIME] = iv_val_timestamp(iv_instant_of_ns(sent->event.time));
    slots[IV_ATTR_TOPIC] = iv_val_str(iv_str_of(iv_stream_name(sent->event.origin.stream)));
    if (type->name.n > 0) {
        slots[IV_ATTR_TYPE] = iv_val_str(type->name);
    }
    in->bad = in->bad || source.n == 0 || slots[IV_ATTR_ID].kind != IV_KIND_STRING ||
              slots[IV_ATTR_ID].n == 0 ||
              (type->type->name.n > 0 && type->type->stream != sent->event.origin.stream);
}

static iv_rc read_event(struct reading *r, struct iv_image *in, struct iv_packet_move *move, unsigned flags,
                        struct iv_err *err)
{
    iv_ns written = get_difference(in, &r->written);
    uint64_t number = iv_image_get_uint(in);
    if (number == 0 || number > r->type_count) {
        return damaged("a type", err);
    }
    const struct sent_type *type = &r->types[number - 1];
    size_t slot_count = type->type->slot_count;
    struct sent_event *sent = iv_arena_zalloc(r->arena, sizeof *sent + slot_count * sizeof(struct iv_val));
    if (sent == NULL) {
        return no_memory(err);
    }
    read_seal(in, &sent->seal, flags);
    struct iv_str source = iv_image_get_str(in);
    if (!read_slots(r, in, type, sent->slots)) {
        return no_memory(err);
    }
    struct iv_origin origin = {move->stream, r->out->head.source, move->offset,
                               r->out->head.read[move->stream].topic};
    sent->record = (struct iv_record){.origin = origin, .bytes = {"", 0}, .written = written};
    sent->event = (struct iv_event){.type = type->type,
                                    .time = move->time,
                                    .origin = origin,
                                    .record = &sent->record,
                                    .slots = sent->slots,
                                    .object = {type->type->slot_of, sent->slots, &sent->event},
                                    .digest_alg = -1,
                                    .hash_valid = -1,
                                    .seal = &sent->seal};
    if ((flags & IV_PACKET_HASH_KNOWN) != 0) {
        sent->event.hash_valid = (flags & IV_PACKET_HASH_VALID) != 0;
    }
    fill_in(in, sent, type, source);
    bool known = type->type->name.n > 0 || move->stream == IV_LEDGER;
    move->event = known ? &sent->event : NULL;
    return IV_OK;
}

static iv_rc read_move(struct reading *r, struct iv_image *in, struct iv_packet_move *move,
                       struct iv_err *err)
{
    unsigned first = iv_image_get_byte(in);
    unsigned flags = first >> IV_PACKET_FLAGS_SHIFT;
    unsigned kind = first & IV_PACKET_KIND_MASK;
    in->bad = in->bad || kind >= IV_PACKET_KINDS;
    *move = (struct iv_packet_move){.kind = in->bad ? IV_PACKET_REACHED : (enum iv_packet_kind)kind};
    move->stream = (first >> IV_PACKET_STREAM_SHIFT & 1) != 0 ? IV_TELEMETRY : IV_LEDGER;
    in->bad = in->bad || flags > (move->kind == IV_PACKET_EVENT ? IV_PACKET_FLAGS : 0);
    move->offset = get_difference(in, &r->offsets[move->stream]);
    in->bad = in->bad || move->offset < 0 || r->out->head.read[move->stream].topic.n == 0;
    if (iv_packet_has_time(move->kind)) {
        move->time = get_difference(in, &r->time);
    }
    return move->kind == IV_PACKET_EVENT && !in->bad ? read_event(r, in, move, flags, err) : IV_OK;
}

static iv_rc read_moves(struct reading *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_PACKET_SECTION_MOVES);
    size_t count = iv_image_get_count(&section);
    struct iv_packet *p = r->out;
    p->moves = iv_arena_alloc(r->arena, (count + 1) * sizeof *p->moves);
    if (p->moves == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < count && !section.bad; i++) {
        struct iv_packet_move *move = &p->moves[p->move_count];
        TRY(read_move(r, &section, move, err));
        p->move_count += move->kind == IV_PACKET_EVENT && move->event == NULL ? 0 : 1;
    }
    return iv_image_done(&section) ? IV_OK : damaged("its moves", err);
}

struct iv_rc_s iv_packet_read(struct iv_packet *out, struct iv_str bytes,
                              const struct iv_catalogue *catalogue, struct iv_arena *arena,
                              struct iv_err *err)
{
    struct iv_packet packet = {.move_count = 0};
    struct reading r = {.out = &packet, .catalogue = catalogue, .arena = arena};
    struct iv_image in = {NULL, NULL, false};
    TRY(iv_frame_read(&in, bytes, &iv_packet_frame, err));
    TRY(read_head(&packet.head, &in, err));
    TRY(read_types(&r, &in, err));
    TRY(read_moves(&r, &in, err));
    if (!iv_image_done(&in)) {
        return damaged("what stands behind it", err);
    }
    *out = packet;
    return IV_OK;
}
