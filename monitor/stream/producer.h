/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to Kafka: findings, dead letters, commands, simulated events.
 * Purpose: keyed messages by an idempotent producer with a bounded queue, each answered by a delivery
 * report.
 * Owner/thread: any thread may send; one calls poll, flush and close, and reports are called on it.
 * Guarantees: every accepted message gets exactly one report: delivered (acknowledged by all in-sync
 * replicas), or failed (message.timeout.ms passed, the broker refused it, or the producer was closed).
 * Accepted messages of one key keep their order.
 * Not here: durability before delivery; that is the store's outbox. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "event/event.h"
#include "stream/property.h"

#include <stddef.h>

struct iv_message {
    struct iv_str topic;
    struct iv_str key;        /* p NULL: none, any partition */
    const int32_t *partition; /* NULL: the key decides */
    struct iv_str value;      /* copied */
    const struct iv_header *headers;
    size_t header_count;
    void *ticket; /* the sender's own, given back with the report */
};

/* failure is NULL when the message was delivered; else its text says why, and its code's class whether
 * sending it again can help. */
typedef void (*iv_report_fn)(void *ctx, void *ticket, const struct iv_err *failure);

struct iv_producer_options {
    const struct iv_property *properties; /* win over the profile, but for what the guarantees stand on */
    size_t property_count;
    iv_report_fn report; /* may be NULL: failures are logged then */
    void *ctx;
};

struct iv_producer;

/* What iv_producer_open would refuse of the properties. */
iv_rc iv_producer_check(const struct iv_property *properties, size_t count, struct iv_err *err);
/* Does not wait for a broker. IV_E_REFUSED: a property is unknown, has a wrong value, or would break a
 * guarantee. */
iv_rc iv_producer_open(struct iv_producer **out, const struct iv_producer_options *options,
                       struct iv_err *err);
/* Messages that are still queued are reported as failed; flush first. */
void iv_producer_close(struct iv_producer *producer);
void iv_producer_closep(struct iv_producer **producer);

/* Accepts a message, or IV_E_BUSY: the queue is full, poll and try again. IV_E_LIMIT: larger than the broker
 * may take (message.max.bytes). IV_E_IO: the producer cannot go on and must be opened anew. */
iv_rc iv_producer_send(struct iv_producer *producer, const struct iv_message *message, struct iv_err *err);

/* Calls the reports that are due, waiting at most `wait` for the first. Answers how many there were. */
size_t iv_producer_poll(struct iv_producer *producer, iv_ns wait);

/* Sends everything that is queued and calls all reports. IV_E_TIMEOUT: some are still
 * under way after `wait`. */
iv_rc iv_producer_flush(struct iv_producer *producer, iv_ns wait, struct iv_err *err);

/* Accepted and not yet reported. */
size_t iv_producer_pending(const struct iv_producer *producer);

/* How many partitions a topic has; 0: it is not there, or nobody said so within wait. */
int32_t iv_producer_width(struct iv_producer *producer, const char *topic, iv_ns wait);
