/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sqlite_memory.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <sanitizer/asan_interface.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 32 /* bytes of the first class; each has twice as many as the one before */
#define CLASSES 12  /* up to 64 KiB; larger ones are the C library's */
#define LARGE CLASSES
#define SLAB (1u << 20)

/* In front of each block. */
struct head {
    uint32_t class;
    uint32_t bytes; /* that the block has */
};

struct block {
    struct block *next;
};

static struct block *free_blocks[CLASSES];
static char *slab;
static size_t slab_left;
static size_t held;

static struct head *head_of(void *p)
{
    return (struct head *)p - 1;
}

static unsigned class_for(size_t bytes)
{
    unsigned class = 0;
    while (class < CLASSES && ((size_t)SMALLEST << class) < bytes) {
        class ++;
    }
    return class;
}

/* Slabs are never given back: the lists that hold their blocks live as long as the process. */
static void *carve(size_t bytes)
{
    static struct block *slabs;
    if (slab_left < bytes) {
        struct block *fresh = malloc(SLAB);
        IV_CHECK(fresh != NULL);
        fresh->next = slabs;
        slabs = fresh;
        slab = (char *)(fresh + 1);
        slab_left = SLAB - sizeof *fresh;
    }
    void *p = slab;
    slab += bytes;
    slab_left -= bytes;
    return p;
}

static void *allocate(int bytes)
{
    unsigned class = class_for((size_t)bytes);
    size_t room = class == LARGE ? (size_t)bytes : (size_t)SMALLEST << class;
    struct block *block = NULL;
    struct head *head = NULL;
    if (!iv_alloc_may()) {
        return NULL;
    }
    held++;
    if (class < LARGE && free_blocks[class] != NULL) {
        block = free_blocks[class];
        ASAN_UNPOISON_MEMORY_REGION(block, room);
        free_blocks[class] = block->next;
        return block;
    }
    head = class == LARGE ? malloc(sizeof *head + room) : carve(sizeof *head + room);
    IV_CHECK(head != NULL);
    *head = (struct head){class, (uint32_t)room};
    return head + 1;
}

static void release(void *p)
{
    if (p == NULL) {
        return;
    }
    struct head *head = head_of(p);
    held--;
    if (head->class == LARGE) {
        free(head);
        return;
    }
    struct block *block = p;
    block->next = free_blocks[head->class];
    free_blocks[head->class] = block;
    ASAN_POISON_MEMORY_REGION(p, head->bytes);
}

static int size_of(void *p)
{
    return p == NULL ? 0 : (int)head_of(p)->bytes;
}

static void *resize(void *p, int bytes)
{
    void *other = allocate(bytes);
    if (other != NULL) {
        memcpy(other, p, (size_t)(size_of(p) < bytes ? size_of(p) : bytes));
        release(p);
    }
    return other;
}

static int round_up(int bytes)
{
    return (bytes + 7) / 8 * 8;
}

static int init(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void shutdown(void *ctx)
{
    (void)ctx;
}

void sqlite_allocates_by_base(void)
{
    static const sqlite3_mem_methods methods = {allocate, release, resize,   size_of,
                                                round_up, init,    shutdown, NULL};
    IV_CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
    IV_CHECK(sqlite3_initialize() == SQLITE_OK);
}

size_t sqlite_blocks(void)
{
    return held;
}
