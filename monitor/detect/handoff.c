/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/handoff.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

struct iv_handoff {
    pthread_mutex_t lock;
    pthread_cond_t not_full;
    pthread_cond_t not_empty;
    size_t capacity;
    size_t first;
    size_t count;
    size_t bytes;
    size_t most_bytes;
    bool closed;
    struct {
        void *item;
        size_t bytes;
    } items[];
};

iv_rc iv_handoff_new(struct iv_handoff **out, size_t capacity, size_t most_bytes, struct iv_err *err)
{
    struct iv_handoff *q = iv_calloc(1, sizeof *q + capacity * sizeof q->items[0]);
    ENSURE(q != NULL, err, IV_E_NOMEM, "cannot allocate a queue of %zu", capacity);
    q->capacity = capacity;
    q->most_bytes = most_bytes == 0 ? SIZE_MAX : most_bytes;
    IV_CHECK(pthread_mutex_init(&q->lock, NULL) == 0);
    iv_monotonic_cond_init(&q->not_full);
    iv_monotonic_cond_init(&q->not_empty);
    *out = q;
    return IV_OK;
}

void iv_handoff_free(struct iv_handoff *queue)
{
    if (queue == NULL) {
        return;
    }
    IV_CHECK(queue->count == 0);
    (void)pthread_cond_destroy(&queue->not_empty);
    (void)pthread_cond_destroy(&queue->not_full);
    (void)pthread_mutex_destroy(&queue->lock);
    iv_free(queue);
}

static bool is_full(const struct iv_handoff *q)
{
    return q->count == q->capacity || q->bytes >= q->most_bytes;
}

bool iv_handoff_push(struct iv_handoff *queue, void *item, size_t bytes)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (is_full(queue) && !queue->closed) {
        (void)pthread_cond_wait(&queue->not_full, &queue->lock);
    }
    bool open = !queue->closed;
    if (open) {
        size_t last = (queue->first + queue->count) % queue->capacity;
        queue->items[last].item = item;
        queue->items[last].bytes = bytes;
        queue->count++;
        queue->bytes += bytes;
        (void)pthread_cond_signal(&queue->not_empty);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return open;
}

bool iv_handoff_full(struct iv_handoff *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool full = is_full(queue) && !queue->closed;
    (void)pthread_mutex_unlock(&queue->lock);
    return full;
}

void *iv_handoff_pop(struct iv_handoff *queue, iv_ns wait)
{
    struct timespec deadline;
    iv_monotonic_in(&deadline, wait);
    void *item = NULL;
    (void)pthread_mutex_lock(&queue->lock);
    int timed_out = 0;
    while (queue->count == 0 && !queue->closed && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&queue->not_empty, &queue->lock, &deadline);
    }
    if (queue->count > 0) {
        item = queue->items[queue->first].item;
        queue->bytes -= queue->items[queue->first].bytes;
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        (void)pthread_cond_signal(&queue->not_full);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return item;
}

void iv_handoff_close(struct iv_handoff *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->not_full);
    (void)pthread_cond_broadcast(&queue->not_empty);
    (void)pthread_mutex_unlock(&queue->lock);
}

bool iv_handoff_drained(struct iv_handoff *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool drained = queue->closed && queue->count == 0;
    (void)pthread_mutex_unlock(&queue->lock);
    return drained;
}
