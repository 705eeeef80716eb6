/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of pointers between threads: back-pressure instead of growth.
 * Owner/thread: any number of threads push and pop. What is in it belongs to whoever pops it. */
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_handoff;

/* At most so many items, and no more once they weigh so much; 0: whatever they weigh. */
iv_rc iv_handoff_new(struct iv_handoff **out, size_t capacity, size_t most_bytes, struct iv_err *err);
/* The queue must be empty: its owner pops what is left first. */
void iv_handoff_free(struct iv_handoff *queue);

/* Waits while the queue is full; false when it was closed, and the caller keeps the item. */
bool iv_handoff_push(struct iv_handoff *queue, void *item, size_t bytes);

/* Waits up to this long for an item; NULL when there is none, or when the queue was closed and is empty. */
void *iv_handoff_pop(struct iv_handoff *queue, iv_ns wait);

/* Whoever pushes now waits. */
bool iv_handoff_full(struct iv_handoff *queue);
/* Nothing more comes in; what is in it can still be popped. */
void iv_handoff_close(struct iv_handoff *queue);
/* Closed and empty: nothing will ever come again. */
bool iv_handoff_drained(struct iv_handoff *queue);
