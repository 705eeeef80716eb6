/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include "base/guard.h"
#include "base/json_write.h"
#include "event/event.h"

#define RECORD_MAX_BYTES (16u << 10)

static void short_name(struct iv_json *json, struct dice *dice, const char *name, const char *prefix,
                       uint64_t n)
{
    char text[16] = {prefix[0], (char)('0' + dice_below(dice, n)), '\0'};
    iv_json_text(json, name, text);
}

static void fields(struct iv_json *json, struct dice *dice, iv_ns time)
{
    iv_json_open_object(json, "data");
    if (!dice_one_in(dice, 10)) {
        short_name(json, dice, "k", "k", 3);
    }
    if (!dice_one_in(dice, 8)) {
        iv_json_int(json, "j", (int64_t)dice_below(dice, 3));
    }
    if (!dice_one_in(dice, 8)) {
        iv_json_int(json, "n", (int64_t)dice_below(dice, 8) - (dice_one_in(dice, 6) ? 5 : 0));
    }
    if (!dice_one_in(dice, 6)) {
        iv_json_time(json, "t", time + dice_time(dice, 6 * IV_NS_PER_S) - IV_NS_PER_S);
    }
    if (!dice_one_in(dice, 6)) {
        iv_json_text(json, "d", DICE_PICK(dice, "0s", "0.5s", "1s", "2s", "4s"));
    }
    if (!dice_one_in(dice, 4)) {
        iv_json_bool(json, "f", dice_one_in(dice, 2));
    }
    if (!dice_one_in(dice, 4)) {
        short_name(json, dice, "v", "v", 3);
    }
    if (!dice_one_in(dice, 4)) {
        iv_json_real(json, "u", (double)dice_below(dice, 6) / 2.0);
    }
    if (!dice_one_in(dice, 3)) {
        iv_json_open_list(json, "s");
        for (uint64_t i = dice_below(dice, 3); i > 0; i--) {
            short_name(json, dice, NULL, "s", 3);
        }
        iv_json_close_list(json);
    }
    if (!dice_one_in(dice, 4)) {
        iv_json_text(json, "profile", DICE_PICK(dice, "p0", "p1"));
    }
}

/* The field that is an int in the types a and a string in the types b. */
static void mixed_field(struct iv_json *json, struct dice *dice, bool is_int)
{
    if (is_int) {
        iv_json_int(json, "m", (int64_t)dice_below(dice, 3));
    } else {
        iv_json_text(json, "m", DICE_PICK(dice, "0", "1", "2"));
    }
}

static void hash_attribute(struct iv_json *json, const char *name, int log, int64_t seq, int variant)
{
    struct iv_buf hex;
    iv_buf_init(&hex, 128);
    generate_place_hash(&hex, log, seq, variant);
    iv_json_str(json, name, iv_buf_slice(&hex));
    iv_buf_deinit(&hex);
}

static void place_attributes(struct iv_json *json, struct generated_place place)
{
    iv_json_text(json, "ledgerid", place.log == 0 ? "log0" : "log1");
    iv_json_int(json, "ledgerseq", place.seq);
    hash_attribute(json, "ledgerprev", place.log, place.seq - 1, place.before);
    hash_attribute(json, "ledgerhash", place.log, place.seq, place.variant);
}

static void note_field(struct iv_json *json, struct dice *dice, struct generated_place place)
{
    struct iv_buf note;
    iv_buf_init(&note, 64u << 10);
    generate_note(&note, dice, place);
    iv_json_open_object(json, "data");
    iv_json_str(json, "note", iv_buf_slice(&note));
    iv_json_close_object(json);
    iv_buf_deinit(&note);
}

static void chain_attributes(struct iv_json *json, int64_t sequence)
{
    char digest[97];
    for (size_t i = 0; i < 96; i++) {
        digest[i] = "0123456789abcdef"[(size_t)(sequence + 1) * (i % 7 + 1) % 16];
    }
    digest[96] = '\0';
    iv_json_text(json, "ledgerid", "log");
    iv_json_int(json, "ledgerseq", sequence);
    iv_json_text(json, "ledgerprev", digest);
    iv_json_text(json, "ledgerhash", digest);
}

struct arrival generate_event(struct dice *dice, const struct world *world, struct identity identity,
                              int64_t sequence, struct iv_arena *arena)
{
    bool ledger = world->partitions[IV_LEDGER] > 0 && dice_one_in(dice, 3);
    bool is_a = dice_one_in(dice, 2);
    struct iv_buf buf;
    iv_buf_init(&buf, RECORD_MAX_BYTES);
    struct iv_json json = iv_json_to(&buf);
    char source[] = {'s', (char)('0' + identity.source), '\0'};
    bool unknown = dice_one_in(dice, 20); /* a type of no catalogue */
    bool seals = ledger && world->trees && dice_one_in(dice, 3);
    char type[] = {unknown ? 'z' : ledger ? 'y' : 'x', '.', is_a ? 'a' : 'b', '\0'};
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "specversion", "1.0");
    iv_json_str(&json, "id", iv_arena_printf(arena, "e%u", (unsigned)identity.id));
    iv_json_text(&json, "source", source);
    iv_json_text(&json, "type", seals ? "ledger.checkpoint" : type);
    iv_json_time(&json, "time", identity.time);
    if (!dice_one_in(dice, 6)) {
        iv_json_text(&json, "subject", DICE_PICK(dice, "a1", "a12", "b1"));
    }
    if (!dice_one_in(dice, 6)) {
        short_name(&json, dice, "tenantid", "t", 3);
    }
    struct generated_place place = {0};
    if (ledger && world->trees) {
        place = generate_place(dice, world, identity.time);
        place_attributes(&json, place);
    } else if (ledger) {
        chain_attributes(&json, sequence);
    }
    if (seals) {
        note_field(&json, dice, place);
    } else {
        fields(&json, dice, identity.time);
        if (!dice_one_in(dice, 4)) {
            mixed_field(&json, dice, is_a);
        }
        iv_json_close_object(&json);
    }
    iv_json_close_object(&json);
    IV_CHECK(!iv_buf_failed(&buf));
    char *bytes = iv_arena_zalloc(arena, buf.n + IV_RECORD_PADDING);
    IV_CHECK(bytes != NULL);
    memcpy(bytes, buf.p, buf.n);
    struct arrival arrival = {.stream = ledger ? IV_LEDGER : IV_TELEMETRY,
                              .json = {bytes, buf.n},
                              .time = identity.time,
                              .identity = identity};
    iv_buf_deinit(&buf);
    return arrival;
}
