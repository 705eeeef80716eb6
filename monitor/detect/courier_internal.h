/* SPDX-License-Identifier: Apache-2.0 */
/* The courier's insides, shared by courier.c (there) and courier_fetch.c (and back). */
#pragma once

#include "base/clock.h"
#include "detect/courier.h"
#include "stream/producer.h"
#include "vault/folder.h"

#include <pthread.h>
#include <stdbool.h>

#define IV_COURIER_CELLS 1024
#define IV_COURIER_NAME_BYTES 64
#define IV_COURIER_ID_BYTES 40

/* A snapshot on the topic. */
struct iv_carried {
    char id[IV_COURIER_ID_BYTES]; /* PROGRESS-WRITER; the greater one has read further */
    uint32_t blocks;
};

/* What is known of one cell. */
struct iv_errand {
    char cell[IV_COURIER_NAME_BYTES];
    bool waits;      /* to be sent */
    uint64_t number; /* of the file */
    int64_t behind;  /* the newest entry of the outbox that must have left it; -1: not known yet */
    struct iv_carried carried[2 * IV_VAULT_KEPT_MAX];
    size_t carried_count;
};

struct iv_courier {
    struct iv_courier_options options;
    struct iv_clock clock;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stopping;             /* under lock */
    iv_ns deadline;            /* under lock; monotonic, once stopping */
    int32_t width;             /* under lock: of the topic; 0: not known yet */
    uint32_t writer;           /* in the names of what this process sends */
    struct iv_errand *errands; /* under lock */
    size_t errand_count;
    /* The thread's own. */
    struct iv_producer *producer;
    size_t undelivered;
    struct iv_err why;
};

/* The cell's, made where it is new; NULL when there are too many. Under the lock. */
struct iv_errand *iv_courier_errand(struct iv_courier *c, struct iv_str cell);
/* It stands on the topic; the list keeps the greatest. Under the lock. */
void iv_errand_note(struct iv_errand *e, const struct iv_carried *carried);
/* The partition of a cell's messages; makes the topic where it is missing. */
iv_rc iv_courier_partition(struct iv_courier *c, struct iv_str cell, int32_t *out, struct iv_err *err);
