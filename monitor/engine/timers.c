/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timers.h"

#include "base/alloc.h"

#include <stddef.h>

#define ARITY 4
#define CHUNK (IV_TIMER_BLOCK_BYTES / sizeof(struct iv_timer))
#define SHIFT (ARITY - 1) /* places left out in front, so that the siblings begin with a cache line */

#define BLOCK (CHUNK - 1)
struct iv_timer_block {
    struct iv_timer_block *next;
    uint64_t ref; /* its own */
    struct iv_timer items[BLOCK];
};

_Static_assert(sizeof(struct iv_timer_block) == IV_TIMER_BLOCK_BYTES, "a block is an item of the slab");

void iv_timers_init(struct iv_timers *timers, struct iv_slab *slab)
{
    *timers = (struct iv_timers){.slab = slab};
}

void iv_timers_deinit(struct iv_timers *timers)
{
    iv_free(timers->heap);
    *timers = (struct iv_timers){.slab = timers->slab};
}

static bool before(const struct iv_timer *a, const struct iv_timer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : (int32_t)(a->order - b->order) < 0;
}

static struct iv_timer *heap_at(const struct iv_timers *timers, uint32_t at)
{
    uint32_t place = at + SHIFT;
    return &timers->heap[place / CHUNK][place % CHUNK];
}

static bool make_heap_room(struct iv_timers *timers)
{
    if (timers->heap_count + SHIFT < timers->block_count * CHUNK) {
        return true;
    }
    if (timers->block_count == timers->block_capacity) {
        uint32_t capacity = timers->block_capacity == 0 ? 16 : timers->block_capacity * 2;
        struct iv_timer **heap = iv_realloc(timers->heap, capacity * sizeof *heap);
        if (heap == NULL) {
            return false;
        }
        timers->heap = heap;
        timers->block_capacity = capacity;
    }
    uint32_t ref = iv_slab_take(timers->slab);
    if (ref == 0) {
        return false;
    }
    timers->heap[timers->block_count++] = iv_slab_at(timers->slab, ref);
    return true;
}

static bool push_heap(struct iv_timers *timers, const struct iv_timer *item)
{
    if (!make_heap_room(timers)) {
        return false;
    }
    uint32_t at = timers->heap_count++;
    while (at > 0 && before(item, heap_at(timers, (at - 1) / ARITY))) {
        *heap_at(timers, at) = *heap_at(timers, (at - 1) / ARITY);
        at = (at - 1) / ARITY;
    }
    *heap_at(timers, at) = *item;
    return true;
}

static void pop_heap(struct iv_timers *timers)
{
    struct iv_timer item = *heap_at(timers, --timers->heap_count);
    uint32_t at = 0;
    for (;;) {
        uint32_t child = at * ARITY + 1;
        if (child >= timers->heap_count) {
            break;
        }
        uint32_t end = child + ARITY < timers->heap_count ? child + ARITY : timers->heap_count;
        uint32_t least = child;
        for (uint32_t i = child + 1; i < end; i++) {
            if (before(heap_at(timers, i), heap_at(timers, least))) {
                least = i;
            }
        }
        if (!before(heap_at(timers, least), &item)) {
            break;
        }
        *heap_at(timers, at) = *heap_at(timers, least);
        at = least;
    }
    *heap_at(timers, at) = item;
}

/* The run that ends closest before the timer; else an empty one; NULL: none. */
static struct iv_timer_run *run_for(struct iv_timers *timers, const struct iv_timer *item)
{
    struct iv_timer_run *best = NULL;
    for (int i = 0; i < IV_TIMER_RUNS; i++) {
        struct iv_timer_run *run = &timers->runs[i];
        if (run->head == NULL) {
            best = best == NULL ? run : best;
        } else if (!before(item, &run->last) &&
                   (best == NULL || best->head == NULL || before(&best->last, &run->last))) {
            best = run;
        }
    }
    return best;
}

static struct iv_timer_block *take_block(struct iv_timers *timers)
{
    uint32_t ref = iv_slab_take(timers->slab);
    struct iv_timer_block *block = ref == 0 ? NULL : iv_slab_at(timers->slab, ref);
    if (block != NULL) {
        block->next = NULL;
        block->ref = ref;
    }
    return block;
}

static bool push_run(struct iv_timers *timers, struct iv_timer_run *run, const struct iv_timer *item)
{
    if (run->head == NULL || run->tail_at == BLOCK) {
        struct iv_timer_block *block = take_block(timers);
        if (block == NULL) {
            return false;
        }
        if (run->head == NULL) {
            run->head = block;
            run->head_at = 0;
        } else {
            run->tail->next = block;
        }
        run->tail = block;
        run->tail_at = 0;
    }
    run->tail->items[run->tail_at++] = *item;
    run->last = *item;
    return true;
}

static void pop_run(struct iv_timers *timers, struct iv_timer_run *run)
{
    struct iv_timer_block *block = run->head;
    run->head_at++;
    bool empty = block == run->tail && run->head_at == run->tail_at;
    if (empty || run->head_at == BLOCK) {
        run->head = empty ? NULL : block->next;
        run->head_at = 0;
        iv_slab_give(timers->slab, (uint32_t)block->ref);
    }
}

bool iv_timers_push(struct iv_timers *timers, iv_ns deadline, uint64_t order, uint32_t ref)
{
    struct iv_timer item = {deadline, (uint32_t)order, ref};
    struct iv_timer_run *run = run_for(timers, &item);
    if (run != NULL ? !push_run(timers, run, &item) : !push_heap(timers, &item)) {
        return false;
    }
    /* The earliest of all stands first wherever it went, for it comes before whatever a run holds. */
    if (timers->count++ == 0 || before(&item, &timers->first)) {
        timers->first = item;
        timers->least = run != NULL ? (int)(run - timers->runs) : IV_TIMER_RUNS;
    }
    return true;
}

static const struct iv_timer *head_of(const struct iv_timers *timers, int run)
{
    if (run == IV_TIMER_RUNS) {
        return timers->heap_count == 0 ? NULL : heap_at(timers, 0);
    }
    const struct iv_timer_run *r = &timers->runs[run];
    return r->head == NULL ? NULL : &r->head->items[r->head_at];
}

void iv_timers_pop(struct iv_timers *timers)
{
    if (timers->least == IV_TIMER_RUNS) {
        pop_heap(timers);
    } else {
        pop_run(timers, &timers->runs[timers->least]);
    }
    timers->count--;
    const struct iv_timer *least = NULL;
    for (int run = 0; run <= IV_TIMER_RUNS; run++) {
        const struct iv_timer *head = head_of(timers, run);
        if (head != NULL && (least == NULL || before(head, least))) {
            least = head;
            timers->least = run;
        }
    }
    if (least != NULL) {
        timers->first = *least;
    }
}
