/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/slab.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

#define CHUNK_BYTES (UINT32_C(64) * 1024)

void iv_slab_init(struct iv_slab *slab, uint32_t item_bytes)
{
    *slab = (struct iv_slab){.item_bytes = item_bytes, .next = 1};
    while (slab->shift < 12 && ((size_t)2 << slab->shift) * item_bytes <= CHUNK_BYTES) {
        slab->shift++;
    }
}

void iv_slab_deinit(struct iv_slab *slab)
{
    for (uint32_t i = 0; i < slab->chunk_count; i++) {
        iv_free(slab->chunks[i]);
    }
    iv_free(slab->chunks);
    slab->chunks = NULL;
    slab->chunk_count = 0;
}

static bool add_chunk(struct iv_slab *slab)
{
    if (slab->chunk_count == slab->chunk_capacity) {
        uint32_t capacity = slab->chunk_capacity == 0 ? 16 : slab->chunk_capacity * 2;
        unsigned char **chunks = iv_realloc(slab->chunks, capacity * sizeof *chunks);
        if (chunks == NULL) {
            return false;
        }
        slab->chunks = chunks;
        slab->chunk_capacity = capacity;
    }
    unsigned char *chunk = iv_malloc((size_t)slab->item_bytes << slab->shift);
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

uint64_t iv_slab_bytes(const struct iv_slab *slab)
{
    return ((uint64_t)slab->chunk_count * slab->item_bytes << slab->shift) +
           slab->chunk_capacity * sizeof *slab->chunks;
}

/* 32 << k and 48 << k in turn. */
static uint32_t class_bytes(uint32_t class)
{
    return (class % 2 == 0 ? UINT32_C(32) : UINT32_C(48)) << class / 2;
}

static uint32_t class_of(size_t bytes)
{
    if (bytes <= 32) {
        return 0;
    }
    uint32_t log2 =
        63 - (uint32_t)__builtin_clzll((unsigned long long)bytes - 1); /* 2^log2 < bytes <= 2^(log2+1) */
    size_t half = (size_t)3 << (log2 - 1);
    return 2 * (log2 - 5) + (bytes <= half ? 1 : 2);
}

void iv_pool_init(struct iv_pool *pool)
{
    for (uint32_t i = 0; i < IV_POOL_CLASSES; i++) {
        iv_slab_init(&pool->classes[i], class_bytes(i));
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
