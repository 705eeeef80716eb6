/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/fair.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define THREADS 4
#define ROUNDS 1000

struct queue {
    struct iv_fair fair;
    int came[THREADS]; /* in this order; guarded by fair */
    int count;
};

struct asker {
    struct queue *queue;
    int number;
    pthread_t thread;
};

static void *ask_once(void *argument)
{
    struct asker *a = argument;
    iv_fair_take(&a->queue->fair);
    a->queue->came[a->queue->count++] = a->number;
    iv_fair_give(&a->queue->fair);
    return NULL;
}

static uint64_t asked(struct iv_fair *fair)
{
    (void)pthread_mutex_lock(&fair->lock);
    uint64_t count = fair->next;
    (void)pthread_mutex_unlock(&fair->lock);
    return count;
}

Test(fair, who_asks_first_has_it_first)
{
    struct queue q = {.count = 0};
    struct asker askers[THREADS];
    iv_fair_init(&q.fair);
    iv_fair_take(&q.fair);
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.queue = &q, .number = i};
        cr_assert(pthread_create(&askers[i].thread, NULL, ask_once, &askers[i]) == 0);
        while (asked(&q.fair) < (uint64_t)i + 2) {
            iv_pause(IV_NS_PER_MS);
        }
    }

    iv_fair_give(&q.fair);

    for (int i = 0; i < THREADS; i++) {
        cr_assert(pthread_join(askers[i].thread, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        cr_expect(eq(int, q.came[i], i));
    }
    iv_fair_deinit(&q.fair);
}

static void *ask_often(void *argument)
{
    struct queue *q = argument;
    for (int i = 0; i < ROUNDS; i++) {
        iv_fair_take(&q->fair);
        q->count++;
        iv_fair_give(&q->fair);
    }
    return NULL;
}

Test(fair, only_one_has_it)
{
    struct queue q = {.count = 0};
    pthread_t threads[THREADS];
    iv_fair_init(&q.fair);

    for (int i = 0; i < THREADS; i++) {
        cr_assert(pthread_create(&threads[i], NULL, ask_often, &q) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        cr_assert(pthread_join(threads[i], NULL) == 0);
    }

    cr_expect(eq(int, q.count, THREADS *ROUNDS));
    iv_fair_deinit(&q.fair);
}
