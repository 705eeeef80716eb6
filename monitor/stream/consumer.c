/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/assignment.h"
#include "stream/received.h"

#include <stdio.h>

#define BATCH_RECORDS 1024
#define PROBE_PERIOD IV_NS_PER_S
#define PROBE_MS 500 /* behind a fetch that waits, on the same connection */
#define COMMITTED_LATER "offsets are committed when what came of their records is on disk"

/* The library's defaults are made for other ends: they lose what is processed after an automatic commit, jump
 * over what the broker no longer has, do not check what they receive, and show aborted transactions.
 * queued.*: when the queue is full, fetching pauses for a second (librdkafka before 2.2 has no setting for
 * it), so the queue must hold more than a second's work; its size bounds our memory. */
static const struct iv_profile profile[] = {
    {"client.id", "invigil", NULL},
    {"group.id", "invigil", NULL},
    {"enable.auto.commit", "false", COMMITTED_LATER},
    {"enable.auto.offset.store", "false", COMMITTED_LATER},
    {"enable.partition.eof", "true",
     "a stream that was read to its end must be told from one that is waited for"},
    {"auto.offset.reset", "error", NULL}, /* see keep_from_jumping */
    {"isolation.level", "read_committed", "an aborted record never happened"},
    {"check.crcs", "true", "a record that was damaged is none that was written"},
    {"fetch.min.bytes", "1", NULL},
    {"fetch.wait.max.ms", "100", NULL},
    {"partition.assignment.strategy", "range", NULL},
    {"queued.min.messages", "1000000", NULL},
    {"queued.max.messages.kbytes", "262144", NULL},
    {"reconnect.backoff.max.ms", "3000", NULL},
    {"session.timeout.ms", "10000", NULL},
    {"socket.nagle.disable", "true", NULL},
    {"topic.metadata.refresh.interval.ms", "10000", NULL},
};

/* The library says so once, by a message or by its callback, and goes on as if it were nothing. */
static void end(struct iv_consumer *consumer)
{
    static const char fenced[] = "another process has joined the group with the same group.instance.id; each "
                                 "process needs one of its own";
    consumer->fatal = true;
    rd_kafka_resp_err_t why = rd_kafka_fatal_error(consumer->rk, consumer->trouble, sizeof consumer->trouble);
    if (why == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        (void)snprintf(consumer->trouble, sizeof consumer->trouble, "%s", fenced);
    }
}

static void client_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct iv_consumer *consumer = opaque;
    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        end(consumer);
        return;
    }
    bool all_down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    /* What went wrong with a broker says more than that all are down, which comes behind it. */
    if (!all_down || consumer->trouble[0] == '\0') {
        (void)snprintf(consumer->trouble, sizeof consumer->trouble, "%s", reason);
    }
    if (all_down && consumer->reachable) {
        LOG_WARN("kafka.unreachable", KV_TEXT("text", consumer->trouble));
        consumer->reachable = false;
    }
}

static void commit_answered(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                            rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    (void)rk;
    (void)offsets;
    (void)opaque;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        LOG_WARN("kafka.commit_failed", KV_TEXT("text", rd_kafka_err2str(error)));
    }
}

static iv_rc allocate(struct iv_consumer *consumer, const struct iv_consumer_options *options,
                      struct iv_err *err)
{
    consumer->hooks = options->hooks;
    consumer->alone = options->alone;
    consumer->lead = -1;
    consumer->reachable = true; /* until told otherwise */
    consumer->batch_records = options->batch_records == 0 ? BATCH_RECORDS : options->batch_records;
    consumer->messages = iv_calloc(consumer->batch_records, sizeof(rd_kafka_message_t *));
    consumer->records = iv_calloc(consumer->batch_records, sizeof *consumer->records);
    ENSURE(consumer->messages != NULL && consumer->records != NULL, err, IV_E_NOMEM,
           "cannot allocate batches of %zu records", consumer->batch_records);
    iv_arena_init(&consumer->arena, 0);
    for (size_t s = 0; s < IV_STREAMS; s++) {
        if (options->topics[s].n > 0) {
            consumer->names[s] = options->topics[s];
            consumer->topics[s] = iv_strndup(options->topics[s].p, options->topics[s].n);
            ENSURE(consumer->topics[s] != NULL, err, IV_E_NOMEM, "cannot allocate a topic's name");
        }
    }
    return IV_OK;
}

/* What has no position begins at the beginning, so "earliest" asks for nothing else; but the library would
 * also go there, without a word, from a position that the broker no longer has. */
static iv_rc keep_from_jumping(rd_kafka_conf_t *conf, struct iv_err *err)
{
    static const char *const same[] = {"error", "smallest", "earliest", "beginning"};
    static const struct iv_property error = {IV_STR_INIT("auto.offset.reset"), IV_STR_INIT("error")};
    char value[64] = "";
    size_t n = sizeof value;
    bool known = rd_kafka_conf_get(conf, "auto.offset.reset", value, &n) == RD_KAFKA_CONF_OK;
    bool fits = false;
    for (size_t i = 0; i < IV_COUNT(same); i++) {
        fits |= strcmp(value, same[i]) == 0;
    }
    ENSURE(known && fits, err, IV_E_REFUSED,
           "kafka: property 'auto.offset.reset' must be 'error' or 'earliest', not '%s': no record is jumped "
           "over",
           value);
    return iv_client_set(conf, &error, err);
}

static iv_rc configure(rd_kafka_conf_t **out, const struct iv_property *properties, size_t count,
                       struct iv_err *err)
{
    TRY(iv_client_conf(out, profile, IV_COUNT(profile), properties, count, err));
    return keep_from_jumping(*out, err);
}

/* The broker makes a member's name of its client's, and the strategy goes by the names: whoever is there
 * first keeps what he has when others come. */
static iv_rc stand_in_line(rd_kafka_conf_t *conf, struct iv_err *err)
{
    static const struct iv_property range = {IV_STR_INIT("partition.assignment.strategy"),
                                             IV_STR_INIT("range")};
    struct iv_clock clock = iv_clock_system();
    char client[256] = "";
    char name[288];
    size_t n = sizeof client;
    ENSURE(rd_kafka_conf_get(conf, "client.id", client, &n) == RD_KAFKA_CONF_OK, err, IV_E_REFUSED,
           "kafka: property 'client.id' is too long");
    (void)snprintf(name, sizeof name, "%016llx.%s", (unsigned long long)iv_wall(&clock), client);
    const struct iv_property id = {IV_STR("client.id"), iv_str_of(name)};
    TRY(iv_client_set(conf, &id, err));
    return iv_client_set(conf, &range, err);
}

bool iv_consumer_is_lost(const struct iv_consumer *consumer)
{
    return rd_kafka_assignment_lost(consumer->rk) != 0;
}

iv_rc iv_consumer_check(const struct iv_property *properties, size_t count, struct iv_err *err)
{
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    return configure(&conf, properties, count, err);
}

iv_rc iv_consumer_open(struct iv_consumer **out, const struct iv_consumer_options *options,
                       struct iv_err *err)
{
    IV_AUTO(iv_consumer_closep) struct iv_consumer *consumer = iv_calloc(1, sizeof *consumer);
    ENSURE(consumer != NULL, err, IV_E_NOMEM, "cannot allocate a Kafka consumer");
    TRY(allocate(consumer, options, err));
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    TRY(configure(&conf, options->properties, options->property_count, err));
    if (options->alone) {
        TRY(stand_in_line(conf, err));
    }
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_error_cb(conf, client_error);
    rd_kafka_conf_set_rebalance_cb(conf, iv_rebalance_note);
    rd_kafka_conf_set_offset_commit_cb(conf, commit_answered);
    TRY(iv_client_new(&consumer->rk, RD_KAFKA_CONSUMER, &conf, err));
    /* One queue for all: records, errors and rebalances in their order, served by
     * the polling thread alone. */
    (void)rd_kafka_poll_set_consumer(consumer->rk);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->rk);
    *out = TAKE(consumer);
    return IV_OK;
}

void iv_consumer_close(struct iv_consumer *consumer)
{
    if (consumer == NULL) {
        return;
    }
    if (consumer->rk != NULL) {
        iv_rebalance_drop_all(consumer);
        if (consumer->queue != NULL) {
            rd_kafka_queue_destroy(consumer->queue);
        }
        (void)rd_kafka_consumer_close(consumer->rk);
        /* After a fatal error the library does not close, and would wait for that for ever.
         */
        rd_kafka_destroy_flags(consumer->rk, consumer->fatal ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0);
    }
    for (size_t s = 0; s < IV_STREAMS; s++) {
        iv_free(consumer->topics[s]);
    }
    iv_free(consumer->partitions);
    iv_free(consumer->ends);
    iv_free(consumer->records);
    iv_free(consumer->messages);
    iv_arena_deinit(&consumer->arena);
    iv_free(consumer);
}

void iv_consumer_closep(struct iv_consumer **consumer)
{
    iv_consumer_close(*consumer);
}

/* What was fetched before a broker went away is handed out after it: it does not say that one is back. */
static void delivered(struct iv_consumer *consumer, const struct iv_partition *p)
{
    consumer->topic_trouble[p->at.stream][0] = '\0';
    if (consumer->reachable && !consumer->fatal) {
        consumer->trouble[0] = '\0';
    }
}

static void answered(struct iv_consumer *consumer)
{
    LOG_INFO("kafka.reachable", KV_I64("partitions", consumer->partition_count));
    consumer->reachable = true;
    consumer->trouble[0] = '\0';
}

static iv_rc take_record(struct iv_consumer *consumer, const struct iv_partition *p, struct iv_batch *out,
                         const rd_kafka_message_t *message, struct iv_err *err)
{
    const struct iv_origin origin = {.stream = p->at.stream,
                                     .partition = p->at.partition,
                                     .offset = message->offset,
                                     .topic = consumer->names[p->at.stream]};
    TRY(iv_received(&consumer->records[out->count], &consumer->arena, &origin, message, err));
    out->count++;
    return IV_OK;
}

/* Something about a partition or a topic that is no record. */
static void take_notice(struct iv_consumer *consumer, struct iv_partition *p,
                        const rd_kafka_message_t *message)
{
    const char *topic = message->rkt == NULL ? "" : rd_kafka_topic_name(message->rkt);
    enum iv_stream stream;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (p != NULL && message->offset >= p->at.offset) {
            /* An aborted transaction moves the end, and no record comes with that. */
            p->told_end = p->told_end && message->offset == p->at.offset;
            p->at.offset = message->offset;
            p->seen = p->at_end = true;
            delivered(consumer, p);
        }
    } else if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
        end(consumer);
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && p != NULL) {
        p->out_of_range = consumer->resets = true;
    } else if (iv_consumer_stream_of(&stream, consumer, topic)) {
        (void)snprintf(consumer->topic_trouble[stream], sizeof consumer->topic_trouble[stream],
                       "topic %s: %s", topic, rd_kafka_message_errstr(message));
        LOG_WARN("kafka.topic_trouble", KV_TEXT("topic", topic), KV_I64("partition", message->partition),
                 KV_TEXT("text", rd_kafka_message_errstr(message)));
    } else {
        (void)snprintf(consumer->trouble, sizeof consumer->trouble, "%s", rd_kafka_message_errstr(message));
        LOG_WARN("kafka.trouble", KV_TEXT("text", consumer->trouble));
    }
}

static iv_rc take(struct iv_consumer *consumer, struct iv_batch *out, const rd_kafka_message_t *message,
                  struct iv_err *err)
{
    struct iv_partition *p =
        message->rkt == NULL
            ? NULL
            : iv_consumer_find(consumer, rd_kafka_topic_name(message->rkt), message->partition);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_notice(consumer, p, message);
        return IV_OK;
    }
    /* What is no longer ours, or was handed out before it was assigned anew. */
    if (p == NULL || message->offset < p->at.offset) {
        return IV_OK;
    }
    TRY(take_record(consumer, p, out, message, err));
    p->at.offset = message->offset + 1;
    p->seen = true;
    p->at_end = false;
    delivered(consumer, p);
    return IV_OK;
}

/* Blocks for one message only, then takes what is there: the library's batch call waits for a full array. */
static size_t fetch(struct iv_consumer *consumer, iv_ns wait)
{
    consumer->messages[0] = rd_kafka_consumer_poll(consumer->rk, iv_client_milliseconds(wait));
    if (consumer->messages[0] == NULL || consumer->rebalance.kind != IV_REBALANCE_NONE) {
        return consumer->messages[0] == NULL ? 0 : 1;
    }
    ssize_t more =
        rd_kafka_consume_batch_queue(consumer->queue, 0, consumer->messages + 1, consumer->batch_records - 1);
    return 1 + (more > 0 ? (size_t)more : 0);
}

static void list_ends(struct iv_consumer *consumer, struct iv_batch *out)
{
    for (size_t i = 0; i < consumer->partition_count; i++) {
        struct iv_partition *p = &consumer->partitions[i];
        if (p->at_end && !p->told_end) {
            consumer->ends[out->end_count++] = p->at;
        }
        p->told_end = p->at_end;
    }
    out->ends = consumer->ends;
}

/* A broker that is back has nothing to tell of a stream that is silent, so it is asked, now and then. */
static void probe(struct iv_consumer *consumer)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns now = iv_monotonic(&clock);
    if (consumer->reachable || now - consumer->probed < PROBE_PERIOD) {
        return;
    }
    consumer->probed = now;
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(consumer->rk, 0, NULL, &metadata, PROBE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        answered(consumer);
    }
}

iv_rc iv_consumer_poll(struct iv_consumer *consumer, struct iv_batch *out, iv_ns wait, struct iv_err *err)
{
    iv_arena_reset(&consumer->arena);
    *out = (struct iv_batch){.records = consumer->records};
    TRY(iv_topics_survey(consumer, err));
    TRY(iv_rebalance_settle(consumer, err));
    probe(consumer);
    size_t count = fetch(consumer, wait);
    struct iv_rc_s rc = IV_OK;
    for (size_t i = 0; i < count; i++) {
        if (iv_ok(rc)) {
            rc = take(consumer, out, consumer->messages[i], err);
        }
        rd_kafka_message_destroy(consumer->messages[i]);
    }
    TRY(rc);
    list_ends(consumer, out);
    ENSURE(!consumer->fatal || out->count > 0, err, IV_E_IO, "kafka: the consumer cannot go on: %s",
           consumer->trouble);
    return IV_OK;
}

iv_rc iv_consumer_commit(struct iv_consumer *consumer, const struct iv_cursor *next, size_t count, bool wait,
                         struct iv_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, consumer->topics[next[i].stream], next[i].partition)->offset =
            next[i].offset;
    }
    rd_kafka_resp_err_t error = rd_kafka_commit(consumer->rk, list, wait ? 0 : 1);
    rd_kafka_topic_partition_list_destroy(list);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_BROKER,
           "kafka: %zu offsets could not be committed: %s", count, rd_kafka_err2str(error));
    return IV_OK;
}

void iv_consumer_health(const struct iv_consumer *consumer, struct iv_consumer_health *out)
{
    *out = (struct iv_consumer_health){.reachable = consumer->reachable,
                                       .complete = consumer->surveyed,
                                       .assigned = consumer->assigned,
                                       .partitions = consumer->partition_count};
    const char *texts[] = {consumer->trouble, consumer->topic_trouble[IV_LEDGER],
                           consumer->topic_trouble[IV_TELEMETRY]};
    size_t n = 0;
    for (size_t i = 0; i < IV_COUNT(texts); i++) {
        if (texts[i][0] != '\0' && n < sizeof out->trouble) {
            int written =
                snprintf(out->trouble + n, sizeof out->trouble - n, "%s%s", n > 0 ? "; " : "", texts[i]);
            n += written > 0 ? (size_t)written : 0;
        }
    }
}

int32_t iv_consumer_width(const struct iv_consumer *consumer)
{
    return consumer->width;
}

/* The end of the log as of the last fetch; -1: nothing has been fetched yet. */
static int64_t end_of(const struct iv_consumer *consumer, const struct iv_partition *p)
{
    int64_t low = -1;
    int64_t high = -1;
    bool known = rd_kafka_get_watermark_offsets(consumer->rk, consumer->topics[p->at.stream], p->at.partition,
                                                &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR;
    return known && high >= 0 ? high : -1;
}

int64_t iv_consumer_held(const struct iv_consumer *consumer, enum iv_stream stream, int32_t partition)
{
    for (size_t i = 0; i < consumer->partition_count; i++) {
        const struct iv_partition *p = &consumer->partitions[i];
        if (p->at.stream == stream && p->at.partition == partition && p->at_end) {
            int64_t high = end_of(consumer, p);
            return high > p->at.offset ? high - p->at.offset : 0;
        }
    }
    return 0;
}

size_t iv_consumer_partitions(const struct iv_consumer *consumer, struct iv_partition_stats *out, size_t room)
{
    for (size_t i = 0; i < consumer->partition_count && i < room; i++) {
        const struct iv_partition *p = &consumer->partitions[i];
        int64_t high = end_of(consumer, p);
        int64_t behind = high >= 0 && p->seen && high > p->at.offset ? high - p->at.offset : 0;
        out[i] = (struct iv_partition_stats){.position = p->at,
                                             .high = high,
                                             .lag = high >= 0 && p->seen ? (p->at_end ? 0 : behind) : -1,
                                             .held = p->at_end ? behind : 0,
                                             .at_end = p->at_end};
    }
    return consumer->partition_count;
}
