/* SPDX-License-Identifier: Apache-2.0 */
/* Packets on their way to the exchange's topic.
 * Purpose: whoever keeps a position must know that all that was sent before it has been acknowledged; so what
 * is under way is counted, by the partition that it is of.
 * Owner/thread: one for each worker, whose thread makes all calls.
 * Guarantee: packets of one partition for one share arrive in order, each once as far as this process lives.
 * Where the broker is slow, sending waits; where it is away, it waits for it, as long as nobody wants to
 * stop. A packet that the broker refuses is told by every call from then on: what stood in it is lost to its
 * share, and only going back to the last position that was kept makes up for it. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/property.h"

#include <stdbool.h>

#define IV_EXCHANGE_TOPIC "invigil.exchange"

struct iv_post;

struct iv_post_options {
    const struct iv_property *kafka; /* used during the call only */
    size_t kafka_count;
    struct iv_str topic;         /* outlives the post */
    bool (*stopping)(void *ctx); /* asked while a call waits; may be NULL */
    void *ctx;
};

/* Makes the topic with that many partitions if it is missing. IV_E_REFUSED: it has others, or cannot be made.
 * IV_E_BROKER: nobody answered within `wait`. */
iv_rc iv_post_prepare(const struct iv_post_options *options, int32_t partitions, iv_ns wait,
                      struct iv_err *err);

/* Waits for no broker. */
iv_rc iv_post_open(struct iv_post **out, const struct iv_post_options *options, struct iv_err *err);
/* What is still under way may or may not arrive. NULL is fine. */
void iv_post_close(struct iv_post *post);
void iv_post_closep(struct iv_post **post);

/* IV_E_TIMEOUT: it waited for room, and somebody wants to stop. */
iv_rc iv_post_send(struct iv_post *post, int32_t source, uint32_t share, struct iv_str packet,
                   struct iv_err *err);
/* Takes what the broker has answered; without waiting, and often. */
iv_rc iv_post_poll(struct iv_post *post, struct iv_err *err);
/* Packets of the partition that are under way. */
size_t iv_post_pending(const struct iv_post *post, int32_t source);
/* Waits until there are none. IV_E_TIMEOUT: there still are some after `wait`. */
iv_rc iv_post_settle(struct iv_post *post, int32_t source, iv_ns wait, struct iv_err *err);
