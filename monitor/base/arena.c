/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_BLOCK_BYTES ((size_t)2 * 1024) /* blocks double from here: many arenas hold next to nothing */
#define BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGN ((size_t)16)

struct iv_arena_block {
    struct iv_arena_block *next;
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

void iv_arena_init(struct iv_arena *arena, size_t max_bytes)
{
    *arena = (struct iv_arena){.max_bytes = max_bytes};
}

void iv_arena_deinit(struct iv_arena *arena)
{
    for (struct iv_arena_block *b = arena->first; b != NULL;) {
        struct iv_arena_block *next = b->next;
        iv_free(b);
        b = next;
    }
    *arena = (struct iv_arena){.max_bytes = arena->max_bytes};
}

void iv_arena_wipe(struct iv_arena *arena)
{
    for (struct iv_arena_block *b = arena->first; b != NULL; b = b->next) {
        explicit_bzero(b->bytes, b->size);
    }
    iv_arena_deinit(arena);
}

void iv_arena_reset(struct iv_arena *arena)
{
    arena->current = arena->first;
    arena->used = 0;
}

struct iv_arena_mark iv_arena_mark(const struct iv_arena *arena)
{
    return (struct iv_arena_mark){arena->current, arena->used};
}

void iv_arena_rewind(struct iv_arena *arena, struct iv_arena_mark mark)
{
    arena->current = mark.block == NULL ? arena->first : mark.block;
    arena->used = mark.used;
}

/* Moves on to the next block that holds the bytes, a kept one if it is large enough. */
static struct iv_arena_block *next_block(struct iv_arena *arena, size_t bytes)
{
    struct iv_arena_block **link = arena->current == NULL ? &arena->first : &arena->current->next;
    if (*link != NULL && (*link)->size >= bytes) {
        return *link;
    }
    size_t size = arena->total_bytes < FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : arena->total_bytes;
    size = size > BLOCK_BYTES ? BLOCK_BYTES : size;
    size = bytes > size ? bytes : size;
    if (arena->max_bytes != 0 && (size > arena->max_bytes || arena->total_bytes > arena->max_bytes - size)) {
        return NULL;
    }
    struct iv_arena_block *b = iv_malloc(sizeof *b + size);
    if (b == NULL) {
        arena->out_of_memory = true;
        return NULL;
    }
    b->size = size;
    b->next = *link;
    *link = b;
    arena->total_bytes += size;
    return b;
}

void *iv_arena_alloc(struct iv_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_t need = (bytes + ALIGN - 1) & ~(ALIGN - 1);
    if (arena->current == NULL || arena->current->size - arena->used < need) {
        struct iv_arena_block *b = next_block(arena, need);
        if (b == NULL) {
            return NULL;
        }
        arena->current = b;
        arena->used = 0;
    }
    void *p = arena->current->bytes + arena->used;
    arena->used += need;
    return p;
}

void *iv_arena_zalloc(struct iv_arena *arena, size_t bytes)
{
    void *p = iv_arena_alloc(arena, bytes);
    if (p != NULL) {
        memset(p, 0, bytes);
    }
    return p;
}

struct iv_str iv_arena_str(struct iv_arena *arena, struct iv_str s)
{
    char *copy = iv_arena_alloc(arena, s.n + 1);
    if (copy == NULL) {
        return (struct iv_str){NULL, 0};
    }
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = '\0';
    return (struct iv_str){copy, s.n};
}

bool iv_arena_keep(struct iv_arena *arena, struct iv_str *s)
{
    if (s->p == NULL) {
        return true;
    }
    *s = iv_arena_str(arena, *s);
    return s->p != NULL;
}

struct iv_str iv_arena_printf(struct iv_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : iv_arena_alloc(arena, (size_t)n + 1);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)n + 1, format, again);
    }
    va_end(again);
    return (struct iv_str){text, text == NULL ? 0 : (size_t)n};
}
