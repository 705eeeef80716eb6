/* SPDX-License-Identifier: Apache-2.0 */
/* A real broker, which tests/broker/with_kafka has started: what a test does there that is no business of the
 * monitor's. Whatever fails fails the test. */
#pragma once

#include "stream/producer.h"
#include "support/overdue.h"

#include <librdkafka/rdkafka.h>

#define PATIENCE_MS ((int)(LONG_ENOUGH / IV_NS_PER_MS))

const char *kafka_env(const char *name);

/* A client of the library's own, with one property more (NULL: none). */
rd_kafka_t *kafka_client(const char *name, const char *value);
void kafka_create(const char *topic, int partitions);
void kafka_widen(const char *topic, int partitions);
/* It is gone when this returns, as far as the broker tells. */
void kafka_delete(const char *topic);
/* The broker forgets what lies before the offset, as it does when retention has passed. */
void kafka_delete_before(const char *topic, int64_t offset);
/* Records {"n":from} and so on, with keys that spread over the partitions. */
void kafka_produce(const char *topic, int from, int to);
/* So many records of a transaction that begins here; the client has a transactional.id, and is initialised.
 */
void kafka_in_transaction(rd_kafka_t *rk, const char *topic, int count);
/* A producer of the monitor's, which counts the reports of delivery. The caller closes it. */
struct iv_producer *kafka_producer(size_t *reports);
