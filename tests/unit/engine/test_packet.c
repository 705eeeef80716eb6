/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange's packets: what is put in comes out, under another catalogue too; whatever is amiss with the
 * bytes is told, and nothing of them is used. */
#include "engine/packet.h"

#include "base/guard.h"
#include "base/hash.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static struct iv_catalogue *catalogue;
static struct iv_packet_writer writer;
static struct iv_buf bytes;
static struct iv_arena arena;
static struct iv_err err;

static const struct iv_field_decl fields[] = {
    {IV_STR_INIT("k"), IV_F_STRING, false},
    {IV_STR_INIT("n"), IV_F_INT, false},
    {IV_STR_INIT("l"), IV_F_LIST_DOUBLE, false},
};

static struct iv_catalogue *catalogue_of(size_t field_count)
{
    struct iv_catalogue *c = NULL;
    cr_assert(iv_ok(iv_catalogue_new(&c, &err)));
    cr_assert(iv_ok(iv_catalogue_declare(c, IV_STR("x.a"), IV_TELEMETRY, fields, field_count, &err)));
    cr_assert(iv_ok(iv_catalogue_freeze(c, &err)));
    return c;
}

static void setup(void)
{
    catalogue = catalogue_of(IV_COUNT(fields));
    iv_arena_init(&arena, 0);
    iv_buf_init(&bytes, 1u << 20);
    cr_assert(iv_ok(iv_packet_writer_init(&writer, iv_catalogue_types(catalogue) + 1, &err)));
}

static void teardown(void)
{
    iv_packet_writer_deinit(&writer);
    iv_buf_deinit(&bytes);
    iv_arena_deinit(&arena);
    iv_catalogue_free(catalogue);
}

TestSuite(packet, .init = setup, .fini = teardown);

static const struct iv_packet_head head = {
    .deployment = IV_STR_INIT("watch"),
    .source = 3,
    .share = 1,
    .shares = 4,
    .baseline = IV_STR_INIT("abcd"),
    .rules = {"12345678", 8},
    .read = {{IV_STR_INIT("ledger"), 5, 7}, {IV_STR_INIT("telemetry"), -1, 12}},
};

static void put_event(int64_t offset, iv_ns time, int64_t n)
{
    static const struct iv_val items[] = {{.kind = IV_KIND_DOUBLE, .d = 0.5}};
    const struct iv_event_type *type = iv_catalogue_find(catalogue, IV_STR("x.a"));
    const uint8_t slots[] = {IV_ATTR_ID, IV_ATTR_TENANT, type->fields[0].slot, type->fields[1].slot,
                             type->fields[2].slot};
    struct iv_val values[IV_ATTRS + 3] = {{0}};
    struct iv_record record = {.bytes = IV_STR("{}"), .written = time + 1};
    struct iv_seal seal = {.named = true, .content_id = {7}, .digest = {.n = 32, .bytes = {8}}};
    values[IV_ATTR_ID] = iv_val_str(IV_STR("e1"));
    values[IV_ATTR_SOURCE] = iv_val_str(IV_STR("s1"));
    values[IV_ATTR_TENANT] = iv_val_str(IV_STR("acme"));
    values[type->fields[0].slot] = iv_val_str(IV_STR("key"));
    values[type->fields[1].slot] = iv_val_int(n);
    values[type->fields[2].slot] = (struct iv_val){.kind = IV_KIND_LIST, .n = 1, .items = items};
    const struct iv_event event = {.type = type,
                                   .time = time,
                                   .origin = {IV_TELEMETRY, 3, offset, IV_STR("telemetry")},
                                   .record = &record,
                                   .slots = values,
                                   .hash_valid = -1,
                                   .seal = &seal};
    iv_packet_put_event(&writer, &event, slots, IV_COUNT(slots));
}

static void finish(void)
{
    put_event(8, -5, INT64_MIN);
    iv_packet_put_move(&writer, &(struct iv_packet_move){IV_PACKET_REACHED, IV_LEDGER, 6, INT64_MAX, NULL});
    put_event(11, INT64_MIN, 4);
    iv_packet_put_move(&writer, &(struct iv_packet_move){IV_PACKET_IDLE, IV_TELEMETRY, 12, 77, NULL});
    iv_packet_put_move(&writer, &(struct iv_packet_move){IV_PACKET_MIDWAY, IV_LEDGER, 7, 0, NULL});
    cr_assert(iv_ok(iv_packet_finish(&writer, &bytes, &head, &err)), "%s", err.text);
}

static struct iv_val field(const struct iv_event *event, const char *name)
{
    for (size_t i = 0; i < event->type->field_count; i++) {
        if (iv_str_eq(event->type->fields[i].name, iv_str_of(name))) {
            return event->slots[event->type->fields[i].slot];
        }
    }
    return (struct iv_val){0};
}

Test(packet, gives_back_what_was_put_in)
{
    struct iv_packet p;

    finish();
    cr_assert(iv_ok(iv_packet_read(&p, iv_buf_slice(&bytes), catalogue, &arena, &err)), "%s", err.text);

    cr_expect(p.head.source == 3 && p.head.share == 1 && p.head.shares == 4);
    cr_expect(p.head.read[IV_LEDGER].from == 5 && p.head.read[IV_TELEMETRY].from == -1);
    cr_expect(p.head.read[IV_TELEMETRY].next == 12);
    cr_expect(iv_str_eq(p.head.rules, IV_STR("12345678")));
    cr_assert(eq(sz, p.move_count, 5));
    const struct iv_event *e = p.moves[0].event;
    cr_expect(e->time == -5 && e->origin.offset == 8 && e->origin.partition == 3);
    cr_expect(iv_str_eq(iv_event_attr(e, IV_ATTR_ID), IV_STR("e1")));
    cr_expect(iv_str_eq(iv_event_attr(e, IV_ATTR_SOURCE), IV_STR("s1")));
    cr_expect(iv_str_eq(iv_event_attr(e, IV_ATTR_TENANT), IV_STR("acme")));
    cr_expect(iv_str_eq(iv_event_attr(e, IV_ATTR_TYPE), IV_STR("x.a")));
    cr_expect(iv_str_eq(iv_val_slice(field(e, "k")), IV_STR("key")));
    cr_expect(field(e, "n").i == INT64_MIN);
    cr_expect(field(e, "l").n == 1 && field(e, "l").items[0].d == 0.5);
    cr_expect(e->seal->named && e->seal->content_id[0] == 7 && e->seal->digest.bytes[0] == 8);
    cr_expect(e->record->written == -4);
    cr_expect(p.moves[1].kind == IV_PACKET_REACHED && p.moves[1].time == INT64_MAX);
    cr_expect(p.moves[2].event->time == INT64_MIN && p.moves[2].offset == 11);
    cr_expect(p.moves[3].kind == IV_PACKET_IDLE && p.moves[3].offset == 12 && p.moves[3].time == 77);
    cr_expect(p.moves[4].kind == IV_PACKET_MIDWAY && p.moves[4].stream == IV_LEDGER);
}

Test(packet, leaves_out_what_the_reader_does_not_know)
{
    struct iv_packet p;
    struct iv_catalogue *fewer = catalogue_of(1);
    struct iv_catalogue *none = NULL;

    finish();
    cr_assert(iv_ok(iv_packet_read(&p, iv_buf_slice(&bytes), fewer, &arena, &err)));
    cr_expect(iv_str_eq(iv_val_slice(field(p.moves[0].event, "k")), IV_STR("key")));
    cr_expect(field(p.moves[0].event, "n").kind == IV_KIND_ABSENT);

    cr_assert(iv_ok(iv_catalogue_new(&none, &err)) && iv_ok(iv_catalogue_freeze(none, &err)));
    cr_assert(iv_ok(iv_packet_read(&p, iv_buf_slice(&bytes), none, &arena, &err)));
    cr_expect(eq(sz, p.move_count, 3), "an unknown type of telemetry is no event");
    iv_catalogue_free(fewer);
    iv_catalogue_free(none);
}

Test(packet, refuses_any_byte_that_was_changed_and_any_that_is_missing)
{
    struct iv_packet p;

    finish();
    for (size_t i = 0; i < bytes.n; i++) {
        bytes.p[i] = (char)(bytes.p[i] ^ 0x10);
        struct iv_rc_s rc = iv_packet_read(&p, iv_buf_slice(&bytes), catalogue, &arena, &err);
        cr_expect(rc.code == IV_E_MALFORMED && err.text[0] != '\0', "byte %zu", i);
        bytes.p[i] = (char)(bytes.p[i] ^ 0x10);
        rc = iv_packet_read(&p, (struct iv_str){bytes.p, i}, catalogue, &arena, &err);
        cr_expect(rc.code == IV_E_MALFORMED, "of %zu bytes", i);
    }
    cr_expect(iv_ok(iv_packet_read(&p, iv_buf_slice(&bytes), catalogue, &arena, &err)));
}

Test(packet, names_its_version_to_one_that_reads_another)
{
    struct iv_packet p;

    finish();
    bytes.p[8]++;
    cr_expect(iv_packet_read(&p, iv_buf_slice(&bytes), catalogue, &arena, &err).code == IV_E_MALFORMED);
    cr_expect(eq(str, err.text, "the packet is of version 3, and this program reads version 2"));
}

/* With a sum that is right, what stands in the packet is looked at byte by byte. */
Test(packet, survives_any_byte_under_a_right_sum)
{
    struct iv_packet p;

    finish();
    size_t n = bytes.n - 16;
    for (size_t i = 20; i < n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.p[i] = (char)(bytes.p[i] ^ 1 << bit);
            struct iv_hash128 sum = iv_hash128((struct iv_hash_key){0}, (struct iv_str){bytes.p, n});
            memcpy(bytes.p + n, &sum, sizeof sum);
            struct iv_rc_s rc = iv_packet_read(&p, iv_buf_slice(&bytes), catalogue, &arena, &err);
            cr_expect(iv_ok(rc) || rc.code == IV_E_MALFORMED, "byte %zu", i);
            bytes.p[i] = (char)(bytes.p[i] ^ 1 << bit);
            iv_arena_reset(&arena);
        }
    }
}

Test(packet, is_empty_again_once_it_is_finished)
{
    struct iv_packet p;

    finish();
    cr_assert(iv_ok(iv_packet_finish(&writer, &bytes, &head, &err)));
    cr_assert(iv_ok(iv_packet_read(&p, iv_buf_slice(&bytes), catalogue, &arena, &err)));
    cr_expect(eq(sz, p.move_count, 0));
}
