/* SPDX-License-Identifier: Apache-2.0 */
/* A lock that goes from one to the next in the order in which they asked.
 * Purpose: where threads hold it for long and come back at once, a plain mutex is taken again by whoever has
 * just let it go, before the one that it was let go for has woken; that one waits for as long as there is
 * work. Owner/thread: any; who has it does not ask for it again. */
#pragma once

#include <pthread.h>
#include <stdint.h>

struct iv_fair {
    pthread_mutex_t lock;
    pthread_cond_t passed;
    uint64_t next;    /* the number that the next one to ask gets */
    uint64_t serving; /* whose it is, or who gets it */
};

void iv_fair_init(struct iv_fair *fair);
void iv_fair_deinit(struct iv_fair *fair);
void iv_fair_take(struct iv_fair *fair);
void iv_fair_give(struct iv_fair *fair);
