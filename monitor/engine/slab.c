/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/slab.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

#define CHUNK_BYTES (UINT32_C(128) * 1024)
#define LINE ((size_t)64)

void iv_ground_init(struct iv_ground *ground)
{
    *ground = (struct iv_ground){0};
}

void iv_ground_deinit(struct iv_ground *ground)
{
    for (uint32_t i = 0; i < ground->count; i++) {
        iv_free(ground->regions[i]);
    }
    iv_free(ground->regions);
    *ground = (struct iv_ground){0};
}

static unsigned char *add_region(struct iv_ground *ground, size_t bytes)
{
    if (ground->count == ground->capacity) {
        uint32_t capacity = ground->capacity == 0 ? 16 : ground->capacity * 2;
        void **regions = iv_realloc(ground->regions, capacity * sizeof *regions);
        if (regions == NULL) {
            return NULL;
        }
        ground->regions = regions;
        ground->capacity = capacity;
    }
    size_t pages = (bytes + IV_REGION_BYTES - 1) / IV_REGION_BYTES * IV_REGION_BYTES;
    unsigned char *region = iv_malloc_aligned(LINE, pages);
    if (region != NULL) {
        ground->regions[ground->count++] = region;
        ground->bytes += pages;
    }
    return region;
}

/* What does not fit into the last region begins the next, or has one of its own. */
void *iv_ground_take(struct iv_ground *ground, size_t bytes)
{
    bytes = (bytes + LINE - 1) / LINE * LINE;
    if (bytes > IV_REGION_BYTES / 4) {
        return add_region(ground, bytes);
    }
    if (bytes > ground->left) {
        unsigned char *region = add_region(ground, IV_REGION_BYTES);
        if (region == NULL) {
            return NULL;
        }
        ground->at = region;
        ground->left = IV_REGION_BYTES;
    }
    unsigned char *at = ground->at;
    ground->at += bytes;
    ground->left -= bytes;
    return at;
}

void iv_slab_init(struct iv_slab *slab, struct iv_ground *ground, uint32_t item_bytes)
{
    *slab = (struct iv_slab){.ground = ground, .item_bytes = item_bytes, .next = 1};
    while (slab->shift < 12 && ((size_t)2 << slab->shift) * item_bytes <= CHUNK_BYTES) {
        slab->shift++;
    }
}

void iv_slab_deinit(struct iv_slab *slab)
{
    slab->chunks = NULL;
    slab->chunk_count = 0;
}

static bool add_chunk(struct iv_slab *slab)
{
    if (slab->chunk_count == slab->chunk_capacity) {
        uint32_t capacity = slab->chunk_capacity == 0 ? 16 : slab->chunk_capacity * 2;
        unsigned char **chunks = iv_ground_take(slab->ground, capacity * sizeof *chunks);
        if (chunks == NULL) {
            return false;
        }
        if (slab->chunk_count > 0) {
            memcpy(chunks, slab->chunks, slab->chunk_count * sizeof *chunks);
        }
        slab->chunks = chunks;
        slab->chunk_capacity = capacity;
    }
    unsigned char *chunk = iv_ground_take(slab->ground, (size_t)slab->item_bytes << slab->shift);
    if (chunk == NULL) {
        return false;
    }
    slab->chunks[slab->chunk_count++] = chunk;
    return true;
}

uint32_t iv_slab_take(struct iv_slab *slab)
{
    uint32_t ref = slab->free;
    if (ref != 0) {
        memcpy(&slab->free, iv_slab_at(slab, ref), sizeof slab->free);
        slab->live++;
        return ref;
    }
    if (slab->next >= UINT32_C(1) << IV_POOL_CLASS_SHIFT) {
        return 0;
    }
    if (slab->next >> slab->shift >= slab->chunk_count && !add_chunk(slab)) {
        return 0;
    }
    /* Where a chunk is one item, the first chunk is that of reference 0, which is never handed out. */
    if (slab->next >> slab->shift >= slab->chunk_count && !add_chunk(slab)) {
        return 0;
    }
    slab->live++;
    return slab->next++;
}

void iv_slab_give(struct iv_slab *slab, uint32_t ref)
{
    memcpy(iv_slab_at(slab, ref), &slab->free, sizeof slab->free);
    slab->free = ref;
    slab->live--;
}

uint64_t *iv_slab_taken(const struct iv_slab *slab)
{
    size_t words = slab->next / 64 + 1U;
    uint64_t *taken = iv_malloc(words * sizeof *taken);
    if (taken == NULL) {
        return NULL;
    }
    memset(taken, 0xff, words * sizeof *taken);
    taken[0] &= ~UINT64_C(1);
    for (uint32_t ref = slab->next; ref < words * 64; ref++) {
        taken[ref / 64] &= ~(UINT64_C(1) << (ref % 64));
    }
    for (uint32_t ref = slab->free; ref != 0; memcpy(&ref, iv_slab_at(slab, ref), sizeof ref)) {
        taken[ref / 64] &= ~(UINT64_C(1) << (ref % 64));
    }
    return taken;
}

uint64_t iv_slab_bytes(const struct iv_slab *slab)
{
    return ((uint64_t)slab->chunk_count * slab->item_bytes << slab->shift) +
           slab->chunk_capacity * sizeof *slab->chunks;
}

#define FINE_STEP 16
#define FINE_LEAST 32
#define FINE_MOST 512 /* class 30 */
#define FINE_CLASSES ((FINE_MOST - FINE_LEAST) / FINE_STEP + 1)
#define COARSE_LOG2 12 /* 4096: class 42 */
#define COARSE_FIRST (FINE_CLASSES - 1 + 4 * (COARSE_LOG2 - 9))

static uint32_t class_bytes(uint32_t class)
{
    if (class < FINE_CLASSES) {
        return FINE_LEAST + FINE_STEP * class;
    }
    if (class < COARSE_FIRST) {
        uint32_t quarters = class - FINE_CLASSES + 1; /* beyond 512 */
        return (FINE_MOST / 4 << quarters / 4) * (4 + quarters % 4);
    }
    return (class - COARSE_FIRST) % 2 == 0 ? UINT32_C(4096) << (class - COARSE_FIRST) / 2
                                           : UINT32_C(6144) << (class - COARSE_FIRST) / 2;
}

static uint32_t class_of(size_t bytes)
{
    if (bytes <= FINE_MOST) {
        return bytes <= FINE_LEAST ? 0 : (uint32_t)((bytes - FINE_LEAST + FINE_STEP - 1) / FINE_STEP);
    }
    /* 2^log2 < bytes <= 2^(log2+1) */
    uint32_t log2 = 63 - (uint32_t)__builtin_clzll((unsigned long long)bytes - 1);
    if (log2 < COARSE_LOG2) {
        return FINE_CLASSES + 4 * (log2 - 9) + (uint32_t)((bytes - 1) >> (log2 - 2) & 3);
    }
    size_t half = (size_t)3 << (log2 - 1);
    return COARSE_FIRST + 2 * (log2 - COARSE_LOG2) + (bytes <= half ? 1 : 2);
}

_Static_assert(IV_POOL_CLASSES <= 1 << (32 - IV_POOL_CLASS_SHIFT), "a reference has room for the class");

void iv_pool_init(struct iv_pool *pool, struct iv_ground *ground)
{
    for (uint32_t i = 0; i < IV_POOL_CLASSES; i++) {
        iv_slab_init(&pool->classes[i], ground, class_bytes(i));
    }
}

void iv_pool_deinit(struct iv_pool *pool)
{
    for (uint32_t i = 0; i < IV_POOL_CLASSES; i++) {
        iv_slab_deinit(&pool->classes[i]);
    }
}

uint32_t iv_pool_take(struct iv_pool *pool, size_t bytes)
{
    uint32_t class = class_of(bytes);
    if (class >= IV_POOL_CLASSES) {
        return 0;
    }
    uint32_t item = iv_slab_take(&pool->classes[class]);
    return item == 0 ? 0 : class << IV_POOL_CLASS_SHIFT | item;
}

void iv_pool_give(struct iv_pool *pool, uint32_t ref)
{
    if (ref != 0) {
        iv_slab_give(&pool->classes[ref >> IV_POOL_CLASS_SHIFT],
                     ref & ((UINT32_C(1) << IV_POOL_CLASS_SHIFT) - 1));
    }
}

uint64_t iv_pool_bytes(const struct iv_pool *pool)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < IV_POOL_CLASSES; i++) {
        sum += iv_slab_bytes(&pool->classes[i]);
    }
    return sum;
}
