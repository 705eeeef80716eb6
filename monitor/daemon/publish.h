/* SPDX-License-Identifier: Apache-2.0 */
/* The publishing thread: from the store's outbox to Kafka.
 * Purpose: findings, dead letters, actions and commands reach their topics, each at least once and always
 * with the same key and value.
 * Owner/thread: started and stopped by one thread; iv_publish_wake from any.
 * Guarantee: an entry leaves the outbox only when the broker has acknowledged it, or has said that it is
 * larger than it ever takes, which is logged: the finding or dead letter itself stays in the store, a
 * command's step fails. Everything else that goes wrong is tried again, with growing pauses, and holds up
 * nothing else. A broker that is away is waited for. While the stop of respond/halt.h holds no command
 * leaves; what the client library has not sent by then is called back, and stays in the outbox. Not here:
 * what is in an entry. */
#pragma once

#include "base/err.h"
#include "daemon/config.h"
#include "detect/watch.h"
#include "evidence/store.h"

struct iv_publish;

struct iv_publish_options {
    struct iv_store *store;
    const struct iv_config *config; /* properties and topics; outlives the thread */
    struct iv_turns *turns;         /* NULL: nobody looks */
    void (*delivered)(void *ctx);   /* after acknowledgements became durable, from the thread; may be NULL */
    void *ctx;
};

iv_rc iv_publish_start(struct iv_publish **out, const struct iv_publish_options *options, struct iv_err *err);
/* Gives what is in the outbox this long to arrive; what does not stays there for the next start. NULL is
 * fine. */
void iv_publish_stop(struct iv_publish *publish, iv_ns grace);
/* Something was committed: look at once. */
void iv_publish_wake(struct iv_publish *publish);
