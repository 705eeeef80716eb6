/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines in order of (deadline, insertion).
 * Purpose: no cascades, no growth in one piece, so no pause; ties are deterministic. Deadlines of one length
 * arrive nearly in their order: such ones form runs, which cost an append and a step forward. What fits no
 * run goes to a heap of arity four, whose siblings share a cache line. Owner/thread: one engine. A timer that
 * is no longer wanted stays until its deadline: whoever pops it looks. Memory comes in blocks of one size
 * from a slab that several may share, so that what one of them lets go of serves the others. */
#pragma once

#include "base/time.h"
#include "engine/slab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_timer {
    iv_ns deadline;
    uint32_t order; /* of insertion; it may begin again from 0, for ties are never half of it apart */
    uint32_t ref;
};

/* Timers that came in their order. */
#define IV_TIMER_RUNS 8
struct iv_timer_block;
struct iv_timer_run {
    struct iv_timer_block *head; /* NULL: empty */
    struct iv_timer_block *tail;
    uint32_t head_at;
    uint32_t tail_at;
    struct iv_timer last;
};

/* A block's bytes: what the slab's items are. */
#define IV_TIMER_BLOCK_BYTES 4096

struct iv_timers {
    struct iv_slab *slab;
    struct iv_timer_run runs[IV_TIMER_RUNS];
    struct iv_timer **heap; /* blocks */
    uint32_t heap_count;
    uint32_t block_count;
    uint32_t block_capacity;
    uint32_t count;        /* all of them */
    int least;             /* the run that has the earliest; IV_TIMER_RUNS: the heap */
    struct iv_timer first; /* that one */
};

void iv_timers_init(struct iv_timers *timers, struct iv_slab *slab);
/* The blocks go with the slab. */
void iv_timers_deinit(struct iv_timers *timers);
/* False when memory is out. */
bool iv_timers_push(struct iv_timers *timers, iv_ns deadline, uint64_t order, uint32_t ref);
/* NULL when empty; the earliest otherwise, valid until the next call. */
static inline const struct iv_timer *iv_timers_first(const struct iv_timers *timers)
{
    return timers->count == 0 ? NULL : &timers->first;
}
void iv_timers_pop(struct iv_timers *timers);
