/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that the engine's state lives in, addressed by 32-bit references instead of pointers.
 * Purpose: in the steady state nothing is allocated, and what is scattered over many items lies in few large
 * pages. Owner/thread: one engine, one thread. An item's address is stable until the item is given back. Not
 * here: what the items mean. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IV_REGION_BYTES ((size_t)2 << 20)

/* What the slabs of one engine are cut from: regions that are given back all at once. */
struct iv_ground {
    void **regions;
    uint32_t count;
    uint32_t capacity;
    unsigned char *at; /* the rest of the last region */
    size_t left;
    uint64_t bytes;
};

void iv_ground_init(struct iv_ground *ground);
/* Frees what all slabs on it hold. */
void iv_ground_deinit(struct iv_ground *ground);
/* Bytes that are given back with the ground alone; they begin with a cache line. NULL when memory is out. */
void *iv_ground_take(struct iv_ground *ground, size_t bytes);

/* Items of one size, on a ground that outlives them. Reference 0 is none. Those of 64 bytes, or of a
 * multiple, begin with a cache line. */
struct iv_slab {
    struct iv_ground *ground;
    unsigned char **chunks; /* of the ground, too */
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t item_bytes;
    uint32_t shift; /* a chunk holds 1 << shift items */
    uint32_t next;  /* references from here on were never handed out */
    uint32_t free;  /* the first of a list of items that were given back */
    uint32_t live;
};

void iv_slab_init(struct iv_slab *slab, struct iv_ground *ground, uint32_t item_bytes);
void iv_slab_deinit(struct iv_slab *slab);
/* Not zeroed; 0 when memory is out. */
uint32_t iv_slab_take(struct iv_slab *slab);
void iv_slab_give(struct iv_slab *slab, uint32_t ref);
/* Which references are handed out, a bit for each up to slab->next; from iv_malloc, NULL when memory is out.
 */
uint64_t *iv_slab_taken(const struct iv_slab *slab);
uint64_t iv_slab_bytes(const struct iv_slab *slab);

static inline void *iv_slab_at(const struct iv_slab *slab, uint32_t ref)
{
    return slab->chunks[ref >> slab->shift] +
           (size_t)(ref & ((UINT32_C(1) << slab->shift) - 1)) * slab->item_bytes;
}

/* Blocks of any size up to some megabytes, rounded up to the next of 32, 48, 64, … 512 bytes, then four to a
 * doubling, and two from 4 KiB on. Each size is a slab; the upper bits of a reference name it. */
#define IV_POOL_CLASSES 64
#define IV_POOL_CLASS_SHIFT 26

struct iv_pool {
    struct iv_slab classes[IV_POOL_CLASSES];
};

void iv_pool_init(struct iv_pool *pool, struct iv_ground *ground);
void iv_pool_deinit(struct iv_pool *pool);
/* Not zeroed; 0 when memory is out or no class is that large. */
uint32_t iv_pool_take(struct iv_pool *pool, size_t bytes);
void iv_pool_give(struct iv_pool *pool, uint32_t ref);
uint64_t iv_pool_bytes(const struct iv_pool *pool);

static inline void *iv_pool_at(const struct iv_pool *pool, uint32_t ref)
{
    return iv_slab_at(&pool->classes[ref >> IV_POOL_CLASS_SHIFT],
                      ref & ((UINT32_C(1) << IV_POOL_CLASS_SHIFT) - 1));
}

/* What the block really holds. */
static inline size_t iv_pool_size(const struct iv_pool *pool, uint32_t ref)
{
    return pool->classes[ref >> IV_POOL_CLASS_SHIFT].item_bytes;
}
