/* SPDX-License-Identifier: Apache-2.0 */
/* From a hash to 32-bit references: open addressing with tags, in segments under a directory (extendible
 * hashing).
 * Purpose: growing splits one segment of some hundred slots, so no insertion ever pauses for a whole table.
 * Owner/thread: one engine. The caller compares keys: two entries may have one hash.
 * Source: Fagin et al., "Extendible hashing" (1979). */
#pragma once

#include "base/guard.h"
#include "engine/slab.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_SEGMENT_SLOTS UINT32_C(256)

/* A slot is the tag above the reference; 0 is empty, for no reference is 0. The tag is the hash's upper half:
 * its upper bits chose the segment, so a split needs nothing but the slots. */
struct iv_segment {
    uint64_t slots[IV_SEGMENT_SLOTS];
};

/* What is asked of a segment at each change, apart from it: those of all segments stay in the cache. */
struct iv_segment_head {
    uint16_t count;
    uint16_t depth;
};

struct iv_table {
    struct iv_slab segments;
    struct iv_segment_head *heads; /* by segment */
    uint32_t head_capacity;
    uint32_t *directory; /* 1 << depth segments, by the hash's upper bits */
    uint32_t depth;
    uint32_t count;
};

void iv_table_init(struct iv_table *table, struct iv_ground *ground);
void iv_table_deinit(struct iv_table *table);

/* The candidates for a hash, one by one; 0 when there is no more. Nothing may be added
 * or removed in between. */
struct iv_probe {
    const uint64_t *slots;
    uint32_t tag;
    uint32_t at;
};
extern const uint64_t iv_table_nothing[IV_SEGMENT_SLOTS];

static inline uint32_t iv_table_segment(const struct iv_table *table, uint32_t tag)
{
    return table->directory[(uint64_t)tag << table->depth >> 32];
}

static inline struct iv_segment *iv_table_segment_at(const struct iv_table *table, uint32_t segment)
{
    return iv_slab_at(&table->segments, segment);
}

static inline struct iv_probe iv_table_probe(const struct iv_table *table, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    const uint64_t *slots = table->directory == NULL
                                ? iv_table_nothing
                                : iv_table_segment_at(table, iv_table_segment(table, tag))->slots;
    return (struct iv_probe){slots, tag, tag % IV_SEGMENT_SLOTS};
}

static inline uint32_t iv_probe_next(struct iv_probe *probe)
{
    for (;;) {
        uint64_t slot = probe->slots[probe->at];
        if (slot == 0) {
            return 0;
        }
        probe->at = (probe->at + 1) % IV_SEGMENT_SLOTS;
        if ((uint32_t)(slot >> 32) == probe->tag) {
            return (uint32_t)slot;
        }
    }
}

/* Asks the memory for the first slot of a hash. */
static inline void iv_table_prefetch(const struct iv_table *table, uint64_t hash)
{
    struct iv_probe probe = iv_table_probe(table, hash);
    IV_PREFETCH(&probe.slots[probe.at]);
}

/* False when memory is out. */
bool iv_table_add(struct iv_table *table, uint64_t hash, uint32_t ref);
/* Removes the entry with this hash and reference, which is there. */
void iv_table_remove(struct iv_table *table, uint64_t hash, uint32_t ref);
/* Another reference takes the place of an entry that is there. */
void iv_table_replace(struct iv_table *table, uint64_t hash, uint32_t ref, uint32_t with);
uint64_t iv_table_bytes(const struct iv_table *table);
