/* SPDX-License-Identifier: Apache-2.0 */
/* Marks in order of event time: what one key has seen.
 * Purpose: append at the end, drop at the front, insert anywhere, find a time, in bounded steps also where
 * one key has a million marks: in place while there is one, a single block while there are few, then a row of
 * blocks.
 * Owner/thread: one engine. All memory is of the pool; the timeline itself is plain data in its lane.
 * Guarantee: marks of one time stand in order of insertion. A mark's address is valid until the next
 * insertion into, or removal from, the same timeline. */
#pragma once

#include "base/hash.h"
#include "base/time.h"
#include "engine/slab.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_mark {
    iv_ns time;
    uint32_t rec;  /* the event */
    uint32_t bits; /* the lane's rules that still wait for something on this event */
};

/* Of bits: this mark stands in place. Whoever changes bits leaves it as it is. */
#define IV_MARK_ALONE (UINT32_C(1) << 31)

/* A mark with a value, where the lane belongs to a limit or a same. */
struct iv_value_mark {
    struct iv_mark mark;
    struct iv_hash128 value;
};

struct iv_timeline {
    union {
        struct iv_mark one; /* where its bits have IV_MARK_ALONE */
        struct {
            uint32_t ref;    /* a block of marks; in a tall one the row of blocks */
            uint32_t count;  /* marks */
            uint32_t first;  /* of the block or row: the items before it were dropped */
            uint32_t blocks; /* 0: not tall; it shares its place with the bits of one */
        };
    };
};

static inline bool iv_timeline_is_one(const struct iv_timeline *line)
{
    return (line->blocks & IV_MARK_ALONE) != 0;
}

/* Marks. */
static inline uint32_t iv_timeline_count(const struct iv_timeline *line)
{
    return iv_timeline_is_one(line) ? 1 : line->count;
}

/* A place between marks; compare with the mark behind it by iv_timeline_get. */
struct iv_place {
    uint32_t block;
    uint32_t at;
};

/* stride is sizeof(struct iv_mark) or sizeof(struct iv_value_mark), the same for all calls on one timeline.
 * Insert: behind all marks of that time; only time is set; NULL when memory is out. */
struct iv_mark *iv_timeline_insert(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride,
                                   iv_ns time);
/* The first mark whose time is not below. */
struct iv_place iv_timeline_lower(const struct iv_timeline *line, const struct iv_pool *pool, uint32_t stride,
                                  iv_ns time);
/* NULL at the end. */
struct iv_mark *iv_timeline_get(struct iv_timeline *line, const struct iv_pool *pool, uint32_t stride,
                                struct iv_place *place);
/* How many marks stand before the place. */
uint64_t iv_timeline_rank(const struct iv_timeline *line, const struct iv_pool *pool, struct iv_place place);
/* The place as iv_timeline_get left it. */
void iv_timeline_remove(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride,
                        struct iv_place place);
void iv_timeline_clear(struct iv_timeline *line, struct iv_pool *pool);
