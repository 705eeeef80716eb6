/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of arrival. */
#include "generate.h"

#include "base/guard.h"

#include <stdlib.h>
#include <string.h>

/* A partition of its stream, and a place in it that lateness allows. */
static void place(struct dice *dice, const struct world *world, struct arrival *arrival)
{
    arrival->partition = (int32_t)dice_below(dice, (uint64_t)world->partitions[arrival->stream]);
    arrival->position = arrival->time + dice_time(dice, world->lateness[arrival->stream]);
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
                                    WORLD_EPOCH_S * IV_NS_PER_S + dice_time(dice, world->length)};
        struct arrival arrival = generate_event(dice, world, identity, sequence++, arena);
        place(dice, world, &arrival);
        out.items[out.count++] = arrival;
        if (dice_one_in(dice, 8)) { /* the same once more */
            place(dice, world, &arrival);
            out.items[out.count++] = arrival;
        }
        /* The same name with another content, sometimes of the same time, sometimes with a third. */
        for (uint64_t more = dice_one_in(dice, 12) ? 1 + dice_below(dice, 2) : 0; more > 0; more--) {
            identity.time += dice_one_in(dice, 2) ? 0 : dice_time(dice, IV_NS_PER_S);
            arrival = generate_event(dice, world, identity, sequence++, arena);
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

static struct arrivals room_for(size_t count, struct iv_arena *arena)
{
    struct arrivals out = {iv_arena_zalloc(arena, (count + 1) * sizeof *out.items), 0};
    IV_CHECK(out.items != NULL);
    return out;
}

/* How far the partition has been read. */
static iv_ns read_until(const struct arrivals *arrivals, enum iv_stream stream, int32_t partition)
{
    iv_ns greatest = IV_NS_MIN;
    for (size_t i = 0; i < arrivals->count; i++) {
        const struct arrival *a = &arrivals->items[i];
        if (a->stream == stream && a->partition == partition && a->time > greatest) {
            greatest = a->time;
        }
    }
    return greatest;
}

/* The least watermark of all streams; one that carries nothing holds none back. */
static iv_ns least_watermark(const struct world *world, const struct arrivals *arrivals)
{
    iv_ns least = IV_NS_MAX;
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            iv_ns mark = iv_ns_add(read_until(arrivals, (enum iv_stream)s, p), -world->lateness[s]);
            least = mark < least ? mark : least;
        }
    }
    return least;
}

struct arrivals generate_repetition(struct dice *dice, const struct world *world,
                                    const struct arrivals *arrivals, struct iv_arena *arena)
{
    struct arrivals out = room_for(arrivals->count * 2, arena);
    for (size_t i = 0; i < arrivals->count; i++) {
        out.items[out.count++] = arrivals->items[i];
        struct arrival again = out.items[dice_below(dice, out.count)];
        again.partition = (int32_t)dice_below(dice, (uint64_t)world->partitions[again.stream]);
        bool read = again.time <= read_until(&out, again.stream, again.partition);
        bool known = iv_ns_add(again.time, world->dedup) >= least_watermark(world, &out);
        if (dice_one_in(dice, 2) && read && known) {
            out.items[out.count++] = again;
        }
    }
    return out;
}

static bool may_follow(const struct world *world, const struct arrivals *before, const struct arrival *next)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct arrival *a = &before->items[i];
        bool repeats = iv_str_eq(a->json, next->json);
        if (a->identity.source == next->identity.source && a->identity.id == next->identity.id &&
            (!repeats || world->dedup != WORLD_DEDUP_LONG_NS)) {
            return false;
        }
    }
    return true;
}

struct arrivals generate_distinct(const struct world *world, const struct arrivals *arrivals,
                                  struct iv_arena *arena)
{
    struct arrivals out = room_for(arrivals->count, arena);
    for (size_t i = 0; i < arrivals->count; i++) {
        if (may_follow(world, &out, &arrivals->items[i])) {
            out.items[out.count++] = arrivals->items[i];
        }
    }
    return out;
}

struct arrivals generate_lateness(struct dice *dice, const struct arrivals *arrivals, struct iv_arena *arena)
{
    struct arrivals out = room_for(arrivals->count, arena);
    out.count = arrivals->count;
    memcpy(out.items, arrivals->items, out.count * sizeof *out.items);
    for (size_t i = 0; i + 1 < out.count; i++) {
        if (dice_one_in(dice, 3)) {
            size_t by = dice_below(dice, out.count - i);
            struct arrival moved = out.items[i];
            memmove(&out.items[i], &out.items[i + 1], by * sizeof moved);
            out.items[i + by] = moved;
        }
    }
    return out;
}
