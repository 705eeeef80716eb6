/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with one lifetime: allocate often, free all at once.
 * Owner/thread: one owner, one thread. Reset keeps the blocks, so a batch in the steady state allocates
 * nothing.
 * Not here: freeing single objects, destructors. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_arena_block;

struct iv_arena {
    struct iv_arena_block *first;
    struct iv_arena_block *current;
    size_t used;        /* bytes used of the current block */
    size_t total_bytes; /* of all blocks */
    size_t max_bytes;   /* bound on total_bytes; 0: none */
    bool out_of_memory; /* the system refused a block once; an allocation that failed met the bound otherwise
                         */
};

void iv_arena_init(struct iv_arena *arena, size_t max_bytes);
void iv_arena_deinit(struct iv_arena *arena);
void iv_arena_wipe(
    struct iv_arena *arena); /* deinit of what held a secret: nothing of it stays in its memory */

/* Forgets everything that was allocated and keeps the blocks. */
void iv_arena_reset(struct iv_arena *arena);

/* Where the arena stands now; iv_arena_rewind forgets what was allocated since. */
struct iv_arena_mark {
    struct iv_arena_block *block;
    size_t used;
};
struct iv_arena_mark iv_arena_mark(const struct iv_arena *arena);
void iv_arena_rewind(struct iv_arena *arena, struct iv_arena_mark mark);

/* 16-byte aligned, not zeroed; NULL when memory or the bound is out. */
void *iv_arena_alloc(struct iv_arena *arena, size_t bytes) __attribute__((warn_unused_result));
void *iv_arena_zalloc(struct iv_arena *arena, size_t bytes) __attribute__((warn_unused_result));

/* A copy with a NUL behind it; p is NULL when memory is out. */
struct iv_str iv_arena_str(struct iv_arena *arena, struct iv_str s);
/* Puts such a copy in the place of *s, which stays as it is where p is NULL. False when memory is out. */
bool iv_arena_keep(struct iv_arena *arena, struct iv_str *s) __attribute__((warn_unused_result));
struct iv_str iv_arena_printf(struct iv_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
