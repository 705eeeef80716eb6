/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timers.h"

#include "base/alloc.h"

#include <stddef.h>

#define ARITY 4

void iv_timers_deinit(struct iv_timers *timers)
{
    iv_free(timers->heap);
    *timers = (struct iv_timers){0};
}

static bool before(const struct iv_timer *a, const struct iv_timer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

bool iv_timers_push(struct iv_timers *timers, iv_ns deadline, uint64_t order, uint32_t ref)
{
    if (timers->count == timers->capacity) {
        uint32_t capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
        struct iv_timer *heap = iv_realloc(timers->heap, capacity * sizeof *heap);
        if (heap == NULL) {
            return false;
        }
        timers->heap = heap;
        timers->capacity = capacity;
    }
    struct iv_timer item = {deadline, order, ref};
    uint32_t at = timers->count++;
    while (at > 0 && before(&item, &timers->heap[(at - 1) / ARITY])) {
        timers->heap[at] = timers->heap[(at - 1) / ARITY];
        at = (at - 1) / ARITY;
    }
    timers->heap[at] = item;
    return true;
}

const struct iv_timer *iv_timers_first(const struct iv_timers *timers)
{
    return timers->count == 0 ? NULL : timers->heap;
}

void iv_timers_pop(struct iv_timers *timers)
{
    struct iv_timer item = timers->heap[--timers->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = at * ARITY + 1;
        if (child >= timers->count) {
            break;
        }
        uint32_t end = child + ARITY < timers->count ? child + ARITY : timers->count;
        uint32_t least = child;
        for (uint32_t i = child + 1; i < end; i++) {
            if (before(&timers->heap[i], &timers->heap[least])) {
                least = i;
            }
        }
        if (!before(&timers->heap[least], &item)) {
            break;
        }
        timers->heap[at] = timers->heap[least];
        at = least;
    }
    timers->heap[at] = item;
}
