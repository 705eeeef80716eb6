/* SPDX-License-Identifier: Apache-2.0 */
#include "support/kafka.h"

#include "base/log.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *kafka_env(const char *name)
{
    const char *value = getenv(name);
    cr_assert(value != NULL, "%s is not set: run this by tests/broker/with_kafka", name);
    return value;
}

rd_kafka_t *kafka_client(const char *name, const char *value)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    char text[256] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    cr_assert(
        eq(int,
           (int)rd_kafka_conf_set(conf, "bootstrap.servers", kafka_env("KAFKA_BOOTSTRAP"), text, sizeof text),
           0));
    if (name != NULL) {
        cr_assert(eq(int, (int)rd_kafka_conf_set(conf, name, value, text, sizeof text), 0));
    }
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cr_assert(rk != NULL, "%s", text);
    return rk;
}

/* Waits for the answer to an admin request, which must be a success. */
static void answered(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    cr_assert(event != NULL);
    cr_assert(eq(int, (int)rd_kafka_event_error(event), 0), "%s", rd_kafka_event_error_string(event));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

void kafka_create(const char *name, int partitions)
{
    rd_kafka_t *rk = kafka_client(NULL, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char text[256] = "";
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof text);
    cr_assert(topic != NULL, "%s", text);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    answered(queue);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_destroy(rk);
}

void kafka_widen(const char *name, int partitions)
{
    rd_kafka_t *rk = kafka_client(NULL, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char text[256] = "";
    rd_kafka_NewPartitions_t *wish = rd_kafka_NewPartitions_new(name, (size_t)partitions, text, sizeof text);
    cr_assert(wish != NULL, "%s", text);
    rd_kafka_CreatePartitions(rk, &wish, 1, NULL, queue);
    answered(queue);
    rd_kafka_NewPartitions_destroy(wish);
    rd_kafka_destroy(rk);
}

static bool is_there(rd_kafka_t *rk, const char *name)
{
    const struct rd_kafka_metadata *metadata = NULL;
    cr_assert(eq(int, (int)rd_kafka_metadata(rk, 1, NULL, &metadata, PATIENCE_MS), 0));
    bool found = false;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        found = found || strcmp(metadata->topics[i].topic, name) == 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

void kafka_delete(const char *name)
{
    rd_kafka_t *rk = kafka_client(NULL, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
    answered(queue);
    rd_kafka_DeleteTopic_destroy(topic);
    while (is_there(rk, name)) {
        cr_assert(not(overdue()), "the topic %s does not go", name);
    }
    rd_kafka_destroy(rk);
}

void kafka_delete_before(const char *topic, int64_t offset)
{
    rd_kafka_t *rk = kafka_client(NULL, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    answered(queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

static void count_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    (void)ticket;
    cr_expect(failure == NULL, "%s", failure == NULL ? "" : failure->text);
    ++*(size_t *)ctx;
}

struct iv_producer *kafka_producer(size_t *reports)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    const struct iv_property servers = {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_BOOTSTRAP"))};
    const struct iv_producer_options options = {
        .properties = &servers, .property_count = 1, .report = count_report, .ctx = reports};
    struct iv_producer *p = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_open(&p, &options, &err)), "%s", err.text);
    return p;
}

void kafka_produce(const char *topic, int from, int to)
{
    size_t reports = 0;
    struct iv_producer *p = kafka_producer(&reports);
    struct iv_err err;
    for (int i = from; i < to; i++) {
        char key[16];
        char value[32];
        struct iv_message message = {.topic = iv_str_of(topic)};
        message.key = (struct iv_str){key, (size_t)snprintf(key, sizeof key, "tenant-%d", i % 50)};
        message.value = (struct iv_str){value, (size_t)snprintf(value, sizeof value, "{\"n\":%d}", i)};
        cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    cr_expect(eq(sz, reports, (size_t)(to - from)));
    iv_producer_close(p);
}

void kafka_in_transaction(rd_kafka_t *rk, const char *topic, int count)
{
    cr_assert(rd_kafka_begin_transaction(rk) == NULL);
    for (int i = 0; i < count; i++) {
        cr_assert(eq(int,
                     (int)rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE("{\"n\":1}", 7),
                                            RD_KAFKA_V_END),
                     0));
    }
    cr_assert(eq(int, (int)rd_kafka_flush(rk, PATIENCE_MS), 0));
}
