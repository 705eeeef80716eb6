/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/table.h"

#include "base/guard.h"

#include <string.h>

#define SLOTS IV_SEGMENT_SLOTS
#define FULL (SLOTS * 3 / 4)
#define HEADS_LEAST 64
#define DEPTH_MAX 24 /* the tag's lower bits choose the slot */

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static uint32_t directory_index(uint32_t tag, uint32_t depth)
{
    return depth == 0 ? 0 : tag >> (32 - depth);
}

void iv_table_init(struct iv_table *table, struct iv_ground *ground)
{
    *table = (struct iv_table){0};
    iv_slab_init(&table->segments, ground, sizeof(struct iv_segment));
}

void iv_table_deinit(struct iv_table *table)
{
    iv_slab_deinit(&table->segments);
    table->directory = NULL; /* of the ground, as are the heads */
}

const uint64_t iv_table_nothing[SLOTS];

static void put(struct iv_segment *s, uint64_t slot)
{
    uint32_t at = tag_of(slot) % SLOTS;
    while (s->slots[at] != 0) {
        at = (at + 1) % SLOTS;
    }
    s->slots[at] = slot;
}

static bool double_directory(struct iv_table *table)
{
    uint32_t n = UINT32_C(1) << table->depth;
    uint32_t *directory = iv_ground_take(table->segments.ground, 2 * (size_t)n * sizeof *directory);
    if (directory == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        directory[2 * i] = directory[2 * i + 1] = table->directory[i];
    }
    table->directory = directory;
    table->depth++;
    return true;
}

/* A segment without entries; 0 when memory is out. Segments are never given back, so the next one is the
 * last. */
static uint32_t take_segment(struct iv_table *table)
{
    if (table->segments.next >= table->head_capacity) {
        uint32_t capacity = table->head_capacity == 0 ? HEADS_LEAST : table->head_capacity * 2;
        struct iv_segment_head *heads =
            iv_ground_take(table->segments.ground, capacity * sizeof *table->heads);
        if (heads == NULL) {
            return 0;
        }
        if (table->head_capacity > 0) {
            memcpy(heads, table->heads, table->head_capacity * sizeof *heads);
        }
        table->heads = heads;
        table->head_capacity = capacity;
    }
    uint32_t ref = iv_slab_take(&table->segments);
    if (ref != 0) {
        memset(iv_table_segment_at(table, ref), 0, sizeof(struct iv_segment));
        table->heads[ref] = (struct iv_segment_head){0};
    }
    return ref;
}

/* Parts a full segment in two by the next bit of the tags. */
static bool split(struct iv_table *table, uint32_t tag)
{
    uint32_t lower = iv_table_segment(table, tag);
    if (table->heads[lower].depth == table->depth &&
        (table->depth == DEPTH_MAX || !double_directory(table))) {
        return false;
    }
    uint32_t upper = take_segment(table);
    if (upper == 0) {
        return false;
    }
    struct iv_segment *s = iv_table_segment_at(table, lower);
    struct iv_segment old = *s;
    uint32_t depth = table->heads[lower].depth + 1U;
    memset(s, 0, sizeof *s);
    table->heads[lower] = table->heads[upper] = (struct iv_segment_head){.depth = (uint16_t)depth};
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (old.slots[i] != 0) {
            uint32_t half = tag_of(old.slots[i]) >> (32 - depth) & 1 ? upper : lower;
            put(iv_table_segment_at(table, half), old.slots[i]);
            table->heads[half].count++;
        }
    }
    uint32_t width = UINT32_C(1) << (table->depth - depth);
    uint32_t first = directory_index(tag, depth) | 1;
    for (uint32_t i = 0; i < width; i++) {
        table->directory[first * width + i] = upper;
    }
    return true;
}

static bool begin(struct iv_table *table)
{
    uint32_t *directory = iv_ground_take(table->segments.ground, sizeof *directory);
    uint32_t ref = directory == NULL ? 0 : take_segment(table);
    if (ref == 0) {
        return false;
    }
    directory[0] = ref;
    table->directory = directory;
    return true;
}

bool iv_table_add(struct iv_table *table, uint64_t hash, uint32_t ref)
{
    if (table->directory == NULL && !begin(table)) {
        return false;
    }
    uint32_t tag = tag_of(hash);
    uint32_t segment = iv_table_segment(table, tag);
    while (table->heads[segment].count >= FULL) {
        if (!split(table, tag)) {
            return false;
        }
        segment = iv_table_segment(table, tag);
    }
    put(iv_table_segment_at(table, segment), (uint64_t)tag << 32 | ref);
    table->heads[segment].count++;
    table->count++;
    return true;
}

/* Closes the gap by moving back what probing would no longer find. */
static void close_gap(struct iv_segment *s, uint32_t gap)
{
    for (uint32_t at = (gap + 1) % SLOTS; s->slots[at] != 0; at = (at + 1) % SLOTS) {
        uint32_t home = tag_of(s->slots[at]) % SLOTS;
        if ((at - home) % SLOTS >= (at - gap) % SLOTS) {
            s->slots[gap] = s->slots[at];
            gap = at;
        }
    }
    s->slots[gap] = 0;
}

static uint32_t slot_of(const struct iv_segment *s, uint32_t tag, uint32_t ref)
{
    uint64_t slot = (uint64_t)tag << 32 | ref;
    uint32_t at = tag % SLOTS;
    while (s->slots[at] != slot) {
        IV_CHECK(s->slots[at] != 0);
        at = (at + 1) % SLOTS;
    }
    return at;
}

void iv_table_remove(struct iv_table *table, uint64_t hash, uint32_t ref)
{
    uint32_t tag = tag_of(hash);
    uint32_t segment = iv_table_segment(table, tag);
    struct iv_segment *s = iv_table_segment_at(table, segment);
    close_gap(s, slot_of(s, tag, ref));
    table->heads[segment].count--;
    table->count--;
}

void iv_table_replace(struct iv_table *table, uint64_t hash, uint32_t ref, uint32_t with)
{
    uint32_t tag = tag_of(hash);
    struct iv_segment *s = iv_table_segment_at(table, iv_table_segment(table, tag));
    s->slots[slot_of(s, tag, ref)] = (uint64_t)tag << 32 | with;
}

uint64_t iv_table_bytes(const struct iv_table *table)
{
    return iv_slab_bytes(&table->segments) + table->head_capacity * sizeof *table->heads +
           (table->directory == NULL ? 0 : sizeof *table->directory << table->depth);
}
