/* SPDX-License-Identifier: Apache-2.0 */
/* The way from the workers' cells to the store.
 * Purpose: all cells of a process share one queue to one store, and each wants to know when what it found is
 * durable: commits are numbered in the order in which they lie in the queue.
 * Owner/thread: any thread. */
#pragma once

#include "detect/handoff.h"
#include "judge/commit.h"

#include <pthread.h>
#include <stdatomic.h>

struct iv_outlet {
    struct iv_handoff *commits;
    const atomic_uint_fast64_t *kept; /* how many of them are durable */
    pthread_mutex_t lock;
    uint64_t handed;
};

void iv_outlet_init(struct iv_outlet *outlet, struct iv_handoff *commits, const atomic_uint_fast64_t *kept);
void iv_outlet_deinit(struct iv_outlet *outlet);

/* Takes the commit; waits while the queue is full. Answers the number that iv_outlet_kept reaches when it is
 * durable: never, if the queue was closed. */
uint64_t iv_outlet_push(struct iv_outlet *outlet, struct iv_commit *commit);

static inline uint64_t iv_outlet_kept(const struct iv_outlet *outlet)
{
    return atomic_load(outlet->kept);
}
