/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fair.h"

#include "base/guard.h"

void iv_fair_init(struct iv_fair *fair)
{
    *fair = (struct iv_fair){.next = 0};
    IV_CHECK(pthread_mutex_init(&fair->lock, NULL) == 0);
    IV_CHECK(pthread_cond_init(&fair->passed, NULL) == 0);
}

void iv_fair_deinit(struct iv_fair *fair)
{
    (void)pthread_cond_destroy(&fair->passed);
    (void)pthread_mutex_destroy(&fair->lock);
}

void iv_fair_take(struct iv_fair *fair)
{
    (void)pthread_mutex_lock(&fair->lock);
    uint64_t number = fair->next++;
    while (fair->serving != number) {
        (void)pthread_cond_wait(&fair->passed, &fair->lock);
    }
    (void)pthread_mutex_unlock(&fair->lock);
}

/* All are woken, for only one of them knows that it is his turn; they are few. */
void iv_fair_give(struct iv_fair *fair)
{
    (void)pthread_mutex_lock(&fair->lock);
    fair->serving++;
    (void)pthread_cond_broadcast(&fair->passed);
    (void)pthread_mutex_unlock(&fair->lock);
}
