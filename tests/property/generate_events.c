/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include "base/guard.h"
#include "base/json_write.h"
#include "event/event.h"

#include <stdlib.h>

#define RECORD_MAX_BYTES (16u << 10)

static iv_ns on_grid(struct dice *dice, iv_ns below)
{
    return (iv_ns)dice_below(dice, (uint64_t)(below / WORLD_GRID_NS) + 1) * WORLD_GRID_NS;
}

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
        iv_json_time(json, "t", time + on_grid(dice, 6 * IV_NS_PER_S) - IV_NS_PER_S);
    }
    if (!dice_one_in(dice, 6)) {
        iv_json_text(json, "d", DICE_PICK(dice, "0s", "0.5s", "1s", "2s", "4s"));
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

/* What names an event, and when it was. */
struct identity {
    uint64_t source;
    uint64_t id;
    iv_ns time;
};

static struct arrival event(struct dice *dice, const struct world *world, struct identity identity,
                            int64_t sequence, struct iv_arena *arena)
{
    bool ledger = world->partitions[IV_LEDGER] > 0 && dice_one_in(dice, 3);
    bool is_a = dice_one_in(dice, 2);
    struct iv_buf buf;
    iv_buf_init(&buf, RECORD_MAX_BYTES);
    struct iv_json json = iv_json_to(&buf);
    char source[] = {'s', (char)('0' + identity.source), '\0'};
    bool unknown = dice_one_in(dice, 20); /* a type of no catalogue */
    char type[] = {unknown ? 'z' : ledger ? 'y' : 'x', '.', is_a ? 'a' : 'b', '\0'};
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "specversion", "1.0");
    iv_json_str(&json, "id", iv_arena_printf(arena, "e%u", (unsigned)identity.id));
    iv_json_text(&json, "source", source);
    iv_json_text(&json, "type", type);
    iv_json_time(&json, "time", identity.time);
    if (!dice_one_in(dice, 6)) {
        iv_json_text(&json, "subject", DICE_PICK(dice, "a1", "a12", "b1"));
    }
    if (!dice_one_in(dice, 6)) {
        short_name(&json, dice, "tenantid", "t", 3);
    }
    if (ledger) {
        chain_attributes(&json, sequence);
    }
    fields(&json, dice, identity.time);
    if (!dice_one_in(dice, 4)) {
        mixed_field(&json, dice, is_a);
    }
    iv_json_close_object(&json);
    iv_json_close_object(&json);
    IV_CHECK(!iv_buf_failed(&buf));
    char *bytes = iv_arena_zalloc(arena, buf.n + IV_RECORD_PADDING);
    IV_CHECK(bytes != NULL);
    memcpy(bytes, buf.p, buf.n);
    struct arrival arrival = {
        .stream = ledger ? IV_LEDGER : IV_TELEMETRY, .json = {bytes, buf.n}, .time = identity.time};
    iv_buf_deinit(&buf);
    return arrival;
}

/* A partition of its stream, and a place in it that lateness allows. */
static void place(struct dice *dice, const struct world *world, struct arrival *arrival)
{
    arrival->partition = (int32_t)dice_below(dice, (uint64_t)world->partitions[arrival->stream]);
    arrival->position = arrival->time + on_grid(dice, world->lateness[arrival->stream]);
}

static int by_position(const void *a, const void *b)
{
    const struct arrival *x = a;
    const struct arrival *y = b;
    if (x->position != y->position) {
        return x->position < y->position ? -1 : 1;
    }
    return x->time < y->time ? -1 : x->time > y->time;
}

/* Interleaves the partitions as they please, each kept in its own order. */
static void interleave(struct dice *dice, struct arrivals *arrivals, struct iv_arena *arena)
{
    qsort(arrivals->items, arrivals->count, sizeof *arrivals->items, by_position);
    struct arrival *rest = iv_arena_alloc(arena, arrivals->count * sizeof *rest);
    IV_CHECK(rest != NULL || arrivals->count == 0);
    memcpy(rest, arrivals->items, arrivals->count * sizeof *rest);
    size_t left = arrivals->count;
    for (size_t i = 0; i < arrivals->count; i++) {
        /* Any record may be next whose partition has none before it; whole runs, or partitions would keep in
         * step. */
        size_t next = dice_one_in(dice, 2) ? 0 : dice_below(dice, left);
        for (size_t j = 0; j < next; j++) {
            if (rest[j].stream == rest[next].stream && rest[j].partition == rest[next].partition) {
                next = j;
            }
        }
        arrivals->items[i] = rest[next];
        memmove(&rest[next], &rest[next + 1], (left - next - 1) * sizeof *rest);
        left--;
    }
}

struct arrivals generate_arrivals(struct dice *dice, const struct world *world, struct iv_arena *arena)
{
    struct arrivals out = {iv_arena_zalloc(arena, world->event_count * 4 * sizeof *out.items), 0};
    IV_CHECK(out.items != NULL);
    int64_t sequence = 0;
    for (size_t i = 0; i < world->event_count; i++) {
        struct identity identity = {dice_below(dice, 2), i,
                                    WORLD_EPOCH_S * IV_NS_PER_S + on_grid(dice, world->length)};
        struct arrival arrival = event(dice, world, identity, sequence++, arena);
        place(dice, world, &arrival);
        out.items[out.count++] = arrival;
        if (dice_one_in(dice, 8)) { /* the same once more */
            place(dice, world, &arrival);
            out.items[out.count++] = arrival;
        }
        /* The same name with another content, sometimes of the same time, sometimes with a third. */
        for (uint64_t more = dice_one_in(dice, 12) ? 1 + dice_below(dice, 2) : 0; more > 0; more--) {
            identity.time += dice_one_in(dice, 2) ? 0 : on_grid(dice, IV_NS_PER_S);
            arrival = event(dice, world, identity, sequence++, arena);
            place(dice, world, &arrival);
            out.items[out.count++] = arrival;
        }
    }
    interleave(dice, &out, arena);
    return out;
}

struct arrivals generate_rearrangement(struct dice *dice, const struct world *world,
                                       const struct arrivals *arrivals, struct iv_arena *arena)
{
    struct arrivals out = {iv_arena_zalloc(arena, arrivals->count * sizeof *out.items), arrivals->count};
    IV_CHECK(out.items != NULL || out.count == 0);
    for (size_t i = 0; i < arrivals->count; i++) {
        out.items[i] = arrivals->items[i];
        place(dice, world, &out.items[i]);
    }
    interleave(dice, &out, arena);
    return out;
}
