/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timeline.h"

#include <string.h>

/* A block of more marks than this is cut in two. */
#define BLOCK_MARKS 64

struct block {
    iv_ns least; /* time of the first mark */
    uint32_t ref;
    uint16_t first; /* marks before it were dropped */
    uint16_t count;
};

static struct block *row(const struct iv_timeline *line, const struct iv_pool *pool)
{
    return (struct block *)iv_pool_at(pool, line->ref) + line->first;
}

static struct iv_mark *mark_in(const struct iv_pool *pool, uint32_t ref, uint32_t stride, uint32_t at)
{
    return (struct iv_mark *)(void *)((unsigned char *)iv_pool_at(pool, ref) + (size_t)at * stride);
}

/* The first of n marks from `from` on whose time is not below (or, strictly, is above) the time. */
static uint32_t search(const struct iv_pool *pool, uint32_t ref, uint32_t stride, uint32_t from, uint32_t n,
                       iv_ns time, bool above)
{
    uint32_t low = from;
    uint32_t high = from + n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        iv_ns t = mark_in(pool, ref, stride, middle)->time;
        if (above ? t > time : t >= time) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Opens a gap at a position of a block whose marks [first, first + count) leave room. */
static struct iv_mark *open_gap(struct iv_pool *pool, uint32_t ref, uint32_t stride, uint32_t at,
                                uint32_t end)
{
    struct iv_mark *gap = mark_in(pool, ref, stride, at);
    memmove((unsigned char *)gap + stride, gap, (size_t)(end - at) * stride);
    memset(gap, 0, stride);
    return gap;
}

/* Moves count marks to the beginning of a block that holds at least `room`; 0 when memory is out. */
static uint32_t move_to(struct iv_pool *pool, uint32_t ref, uint32_t stride, uint32_t first, uint32_t count,
                        uint32_t room)
{
    uint32_t fresh = iv_pool_take(pool, (size_t)room * stride);
    if (fresh != 0) {
        memcpy(iv_pool_at(pool, fresh), mark_in(pool, ref, stride, first), (size_t)count * stride);
    }
    return fresh;
}

/* Makes room behind the last mark of a short timeline: by closing up, or in a larger block. */
static bool make_room(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride)
{
    if (line->ref == 0) {
        line->ref = iv_pool_take(pool, stride);
        return line->ref != 0;
    }
    uint32_t capacity = (uint32_t)(iv_pool_size(pool, line->ref) / stride);
    if (line->first + line->count < capacity) {
        return true;
    }
    if (line->first > line->count) {
        memmove(iv_pool_at(pool, line->ref), mark_in(pool, line->ref, stride, line->first),
                (size_t)line->count * stride);
        line->first = 0;
        return true;
    }
    uint32_t room = line->count < 4 ? line->count + 2 : line->count * 2;
    uint32_t fresh = move_to(pool, line->ref, stride, line->first, line->count, room);
    if (fresh == 0) {
        return false;
    }
    iv_pool_give(pool, line->ref);
    line->ref = fresh;
    line->first = 0;
    return true;
}

static bool make_tall(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride)
{
    uint32_t ref = iv_pool_take(pool, 8 * sizeof(struct block));
    if (ref == 0) {
        return false;
    }
    *(struct block *)iv_pool_at(pool, ref) =
        (struct block){.least = mark_in(pool, line->ref, stride, line->first)->time,
                       .ref = line->ref,
                       .first = (uint16_t)line->first,
                       .count = (uint16_t)line->count};
    line->ref = ref;
    line->first = 0;
    line->blocks = 1;
    return true;
}

static bool make_row_room(struct iv_timeline *line, struct iv_pool *pool)
{
    size_t capacity = iv_pool_size(pool, line->ref) / sizeof(struct block);
    if (line->first + line->blocks < capacity) {
        return true;
    }
    if (line->first > line->blocks) {
        memmove(iv_pool_at(pool, line->ref), row(line, pool), line->blocks * sizeof(struct block));
        line->first = 0;
        return true;
    }
    uint32_t fresh = iv_pool_take(pool, 2 * (size_t)line->blocks * sizeof(struct block));
    if (fresh == 0) {
        return false;
    }
    memcpy(iv_pool_at(pool, fresh), row(line, pool), line->blocks * sizeof(struct block));
    iv_pool_give(pool, line->ref);
    line->ref = fresh;
    line->first = 0;
    return true;
}

/* Puts an empty block, or the upper half of the block before, at a position of the row. */
static bool add_block(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride, uint32_t at,
                      uint32_t taken)
{
    uint32_t fresh = iv_pool_take(pool, (size_t)BLOCK_MARKS * stride);
    if (fresh == 0 || !make_row_room(line, pool)) {
        iv_pool_give(pool, fresh);
        return false;
    }
    struct block *b = row(line, pool);
    memmove(&b[at + 1], &b[at], (line->blocks - at) * sizeof *b);
    line->blocks++;
    b[at] = (struct block){.ref = fresh, .count = (uint16_t)taken};
    if (taken > 0) {
        b[at - 1].count = (uint16_t)(b[at - 1].count - taken);
        memcpy(iv_pool_at(pool, fresh),
               mark_in(pool, b[at - 1].ref, stride, b[at - 1].first + b[at - 1].count),
               (size_t)taken * stride);
        b[at].least = mark_in(pool, fresh, stride, 0)->time;
    }
    return true;
}

/* Moves the mark that stands in place to a block, where another has room behind it. */
static bool make_short(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride)
{
    uint32_t ref = iv_pool_take(pool, 2 * (size_t)stride);
    if (ref == 0) {
        return false;
    }
    struct iv_mark *mark = iv_pool_at(pool, ref);
    *mark = line->one;
    mark->bits &= ~IV_MARK_ALONE;
    *line = (struct iv_timeline){.ref = ref, .count = 1};
    return true;
}

/* The last block whose first mark is not above the time; the first block where there is none. */
static uint32_t block_for(const struct iv_timeline *line, const struct iv_pool *pool, iv_ns time, bool above)
{
    const struct block *b = row(line, pool);
    uint32_t low = 1;
    uint32_t high = line->blocks;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (above ? b[middle].least <= time : b[middle].least < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

static struct iv_mark *insert_tall(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride,
                                   iv_ns time)
{
    uint32_t at = block_for(line, pool, time, true);
    struct block *b = row(line, pool) + at;
    if (b->count >= BLOCK_MARKS) {
        bool last =
            at + 1 == line->blocks && mark_in(pool, b->ref, stride, b->first + b->count - 1U)->time <= time;
        if (!add_block(line, pool, stride, at + 1, last ? 0 : b->count / 2U)) {
            return NULL;
        }
        b = row(line, pool) + at;
        at += last || b[1].least <= time ? 1 : 0;
        b = row(line, pool) + at;
    }
    if ((size_t)(b->first + b->count + 1U) * stride > iv_pool_size(pool, b->ref)) {
        memmove(iv_pool_at(pool, b->ref), mark_in(pool, b->ref, stride, b->first), (size_t)b->count * stride);
        b->first = 0;
    }
    uint32_t end = (uint32_t)b->first + b->count;
    uint32_t position = search(pool, b->ref, stride, b->first, b->count, time, true);
    struct iv_mark *mark = open_gap(pool, b->ref, stride, position, end);
    b->count++;
    mark->time = time;
    b->least = mark_in(pool, b->ref, stride, b->first)->time;
    line->count++;
    return mark;
}

struct iv_mark *iv_timeline_insert(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride,
                                   iv_ns time)
{
    if (iv_timeline_is_one(line)) {
        if (!make_short(line, pool, stride)) {
            return NULL;
        }
    } else if (line->count == 0 && stride == sizeof line->one) {
        line->one = (struct iv_mark){.time = time, .bits = IV_MARK_ALONE};
        return &line->one;
    }
    if (line->blocks == 0 && line->count >= BLOCK_MARKS && !make_tall(line, pool, stride)) {
        return NULL;
    }
    if (line->blocks > 0) {
        return insert_tall(line, pool, stride, time);
    }
    if (!make_room(line, pool, stride)) {
        return NULL;
    }
    uint32_t end = line->first + line->count;
    uint32_t at = search(pool, line->ref, stride, line->first, line->count, time, true);
    struct iv_mark *mark = open_gap(pool, line->ref, stride, at, end);
    mark->time = time;
    line->count++;
    return mark;
}

struct iv_place iv_timeline_lower(const struct iv_timeline *line, const struct iv_pool *pool, uint32_t stride,
                                  iv_ns time)
{
    if (iv_timeline_is_one(line)) {
        return (struct iv_place){0, line->one.time < time ? 1 : 0};
    }
    if (line->count == 0) {
        return (struct iv_place){0, 0};
    }
    if (line->blocks == 0) {
        uint32_t at = search(pool, line->ref, stride, line->first, line->count, time, false);
        return (struct iv_place){0, at - line->first};
    }
    uint32_t block = block_for(line, pool, time, false);
    const struct block *b = row(line, pool) + block;
    uint32_t at = search(pool, b->ref, stride, b->first, b->count, time, false);
    return (struct iv_place){block, at - b->first};
}

struct iv_mark *iv_timeline_get(struct iv_timeline *line, const struct iv_pool *pool, uint32_t stride,
                                struct iv_place *place)
{
    if (iv_timeline_is_one(line)) {
        return place->at > 0 ? NULL : &line->one;
    }
    if (line->blocks == 0) {
        return place->at >= line->count ? NULL : mark_in(pool, line->ref, stride, line->first + place->at);
    }
    const struct block *b = row(line, pool);
    while (place->block < line->blocks && place->at >= b[place->block].count) {
        place->at -= b[place->block].count;
        place->block++;
    }
    return place->block >= line->blocks
               ? NULL
               : mark_in(pool, b[place->block].ref, stride, b[place->block].first + place->at);
}

uint64_t iv_timeline_rank(const struct iv_timeline *line, const struct iv_pool *pool, struct iv_place place)
{
    uint64_t rank = place.at;
    uint32_t blocks = iv_timeline_is_one(line) ? 0 : line->blocks;
    for (uint32_t i = 0; i < blocks && i < place.block; i++) {
        rank += row(line, pool)[i].count;
    }
    return rank;
}

static void close_gap(struct iv_pool *pool, uint32_t ref, uint32_t stride, uint32_t at, uint32_t end)
{
    struct iv_mark *gap = mark_in(pool, ref, stride, at);
    memmove(gap, (unsigned char *)gap + stride, (size_t)(end - at - 1) * stride);
}

static void remove_tall(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride,
                        struct iv_place place)
{
    struct block *b = row(line, pool) + place.block;
    if (place.at == 0) {
        b->first++;
    } else {
        close_gap(pool, b->ref, stride, b->first + place.at, (uint32_t)b->first + b->count);
    }
    b->count--;
    if (b->count > 0) {
        b->least = mark_in(pool, b->ref, stride, b->first)->time;
        return;
    }
    iv_pool_give(pool, b->ref);
    if (place.block == 0) {
        line->first++;
    } else {
        memmove(b, b + 1, (line->blocks - place.block - 1) * sizeof *b);
    }
    line->blocks--;
}

void iv_timeline_remove(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride,
                        struct iv_place place)
{
    if (iv_timeline_is_one(line)) {
        *line = (struct iv_timeline){.ref = 0};
        return;
    }
    line->count--;
    if (line->count == 0) {
        iv_timeline_clear(line, pool);
        return;
    }
    if (line->blocks > 0) {
        remove_tall(line, pool, stride, place);
    } else if (place.at == 0) {
        line->first++;
    } else {
        close_gap(pool, line->ref, stride, line->first + place.at, line->first + line->count + 1);
    }
}

void iv_timeline_clear(struct iv_timeline *line, struct iv_pool *pool)
{
    if (!iv_timeline_is_one(line)) {
        for (uint32_t i = 0; i < line->blocks; i++) {
            iv_pool_give(pool, row(line, pool)[i].ref);
        }
        iv_pool_give(pool, line->ref);
    }
    *line = (struct iv_timeline){.ref = 0};
}
