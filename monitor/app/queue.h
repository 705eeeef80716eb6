/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of pointers between threads: back-pressure instead of growth.
 * Owner/thread: any number of threads push and pop. What is in it belongs to whoever pops it. */
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_queue;

iv_rc iv_queue_new(struct iv_queue **out, size_t capacity, struct iv_err *err);
/* The queue must be empty: its owner pops what is left first. */
void iv_queue_free(struct iv_queue *queue);

/* Waits while the queue is full; false when it was closed, and the caller keeps the item. */
bool iv_queue_push(struct iv_queue *queue, void *item);

/* Waits up to this long for an item; NULL when there is none, or when the queue was closed and is empty. */
void *iv_queue_pop(struct iv_queue *queue, iv_ns wait);

/* Nothing more comes in; what is in it can still be popped. */
void iv_queue_close(struct iv_queue *queue);
/* Closed and empty: nothing will ever come again. */
bool iv_queue_drained(struct iv_queue *queue);
size_t iv_queue_length(struct iv_queue *queue);
