/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/producer.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/client.h"

#include <stdatomic.h>
#include <stdio.h>

/* Idempotence gives order and no duplicates from the client's own retries; without it, or with fewer
 * acknowledgements, what was reported as delivered might be nowhere. The queue is small: back-pressure
 * belongs before it, in the outbox. A dead letter carries a whole record in base64, hence the size. Nagle
 * would add 40 ms. */
static const struct iv_profile profile[] = {
    {"acks", "-1", "that is 'all': what was acknowledged must stand on the brokers"},
    {"client.id", "invigil", NULL},
    {"enable.idempotence", "true", "messages of one key must keep their order, and none be doubled"},
    {"linger.ms", "1", NULL},
    {"message.max.bytes", "4194304", NULL},
    {"queue.buffering.max.messages", "100000", NULL},
    {"queue.buffering.max.kbytes", "65536", NULL},
    {"socket.nagle.disable", "true", NULL},
    {"topic.metadata.refresh.interval.ms", "10000", NULL},
};

struct iv_producer {
    rd_kafka_t *rk;
    struct iv_producer_options options;
    _Atomic size_t pending;
    size_t reported; /* by the calls that serve reports */
};

/* The library answers with what was fatal, which by itself may pass: its own word for it tells the two apart.
 */
static enum iv_code code_of(rd_kafka_t *rk, rd_kafka_resp_err_t error)
{
    return rd_kafka_fatal_error(rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR ? IV_E_IO : iv_client_code(error);
}

/* The broker's word on one message; what librdkafka still has in the queue when we close comes here as
 * purged. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct iv_producer *producer = opaque;
    atomic_fetch_sub(&producer->pending, 1);
    producer->reported++;
    struct iv_err failure = {.code = IV_CODE_OK};
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        failure.code = code_of(rk, message->err);
        (void)snprintf(failure.text, sizeof failure.text, "topic %s: the message was not delivered: %s",
                       message->rkt == NULL ? "?" : rd_kafka_topic_name(message->rkt),
                       rd_kafka_err2str(message->err));
    }
    if (producer->options.report != NULL) {
        producer->options.report(producer->options.ctx, message->_private,
                                 failure.code == IV_CODE_OK ? NULL : &failure);
    } else if (failure.code != IV_CODE_OK) {
        LOG_WARN("kafka.delivery_failed", KV_TEXT("text", failure.text));
    }
}

static iv_rc configure(rd_kafka_conf_t **out, const struct iv_property *properties, size_t count,
                       struct iv_err *err)
{
    return iv_client_conf(out, profile, IV_COUNT(profile), properties, count, err);
}

iv_rc iv_producer_check(const struct iv_property *properties, size_t count, struct iv_err *err)
{
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    return configure(&conf, properties, count, err);
}

iv_rc iv_producer_open(struct iv_producer **out, const struct iv_producer_options *options,
                       struct iv_err *err)
{
    IV_AUTO(iv_producer_closep) struct iv_producer *producer = iv_calloc(1, sizeof *producer);
    ENSURE(producer != NULL, err, IV_E_NOMEM, "cannot allocate a Kafka producer");
    producer->options = *options;
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    TRY(configure(&conf, options->properties, options->property_count, err));
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    TRY(iv_client_new(&producer->rk, RD_KAFKA_PRODUCER, &conf, err));
    *out = TAKE(producer);
    return IV_OK;
}

void iv_producer_close(struct iv_producer *producer)
{
    if (producer == NULL) {
        return;
    }
    if (producer->rk != NULL) {
        (void)rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        while (atomic_load(&producer->pending) > 0) {
            (void)rd_kafka_poll(producer->rk, 100);
        }
        rd_kafka_destroy(producer->rk);
    }
    iv_free(producer);
}

void iv_producer_closep(struct iv_producer **producer)
{
    iv_producer_close(*producer);
}

static iv_rc headers_of(rd_kafka_headers_t **out, const struct iv_message *message, struct iv_err *err)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
    ENSURE(headers != NULL, err, IV_E_NOMEM, "cannot allocate a message's headers");
    for (size_t i = 0; i < message->header_count; i++) {
        const struct iv_header *h = &message->headers[i];
        (void)rd_kafka_header_add(headers, h->name.p, (ssize_t)h->name.n, h->value.p, (ssize_t)h->value.n);
    }
    *out = headers;
    return IV_OK;
}

static iv_rc refused(const struct iv_producer *producer, const char *topic, rd_kafka_resp_err_t error,
                     const struct iv_message *message, struct iv_err *err)
{
    char why[256] = "";
    if (rd_kafka_fatal_error(producer->rk, why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return iv_err_set(err, IV_E_IO, "topic %s: the producer cannot go on: %s", topic, why);
    }
    return iv_err_set(err, iv_client_code(error), "topic %s: a message of %zu bytes was not accepted: %s",
                      topic, message->value.n, rd_kafka_err2str(error));
}

iv_rc iv_producer_send(struct iv_producer *producer, const struct iv_message *message, struct iv_err *err)
{
    IV_AUTO(iv_freep) char *topic = iv_strndup(message->topic.p, message->topic.n);
    ENSURE(topic != NULL, err, IV_E_NOMEM, "cannot allocate a topic's name");
    rd_kafka_headers_t *headers = NULL;
    if (message->header_count > 0) {
        TRY(headers_of(&headers, message, err));
    }
    rd_kafka_vu_t args[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)message->key.p, message->key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)message->value.p, message->value.n}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->ticket},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = message->partition == NULL ? RD_KAFKA_PARTITION_UA : *message->partition},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    /* Before the call: the report may come on another thread before it returns. */
    atomic_fetch_add(&producer->pending, 1);
    rd_kafka_error_t *error = rd_kafka_produceva(producer->rk, args, headers == NULL ? 6 : 7);
    if (error != NULL) {
        rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        atomic_fetch_sub(&producer->pending, 1);
        if (headers != NULL) {
            rd_kafka_headers_destroy(headers);
        }
        return refused(producer, topic, code, message, err);
    }
    return IV_OK;
}

size_t iv_producer_poll(struct iv_producer *producer, iv_ns wait)
{
    producer->reported = 0;
    (void)rd_kafka_poll(producer->rk, iv_client_milliseconds(wait));
    return producer->reported;
}

iv_rc iv_producer_flush(struct iv_producer *producer, iv_ns wait, struct iv_err *err)
{
    rd_kafka_resp_err_t error = rd_kafka_flush(producer->rk, iv_client_milliseconds(wait));
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_TIMEOUT,
           "%zu messages are still not acknowledged by the broker", iv_producer_pending(producer));
    return IV_OK;
}

size_t iv_producer_pending(const struct iv_producer *producer)
{
    return atomic_load(&producer->pending);
}

int32_t iv_producer_width(struct iv_producer *producer, const char *topic, iv_ns wait)
{
    int32_t width = 0;
    rd_kafka_resp_err_t error;
    (void)iv_client_width(producer->rk, topic, &width, &error, wait);
    return width;
}
