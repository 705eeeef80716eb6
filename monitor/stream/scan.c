/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/scan.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "stream/client.h"

#include <stdio.h>

#define POLL_MS 100

static const struct iv_profile profile[] = {
    {"client.id", "invigil", NULL},
    {"group.id", "invigil", NULL},
    {"enable.auto.commit", "false", NULL},
    {"enable.auto.offset.store", "false", NULL},
    {"enable.partition.eof", "true", "the end must be told from a pause"},
    {"auto.offset.reset", "earliest", NULL},
    {"check.crcs", "true", NULL},
    {"allow.auto.create.topics", "false", NULL},
};

struct iv_scan {
    rd_kafka_t *rk;
    char *topic;
    int32_t partition;
};

void iv_scan_close(struct iv_scan *scan)
{
    if (scan != NULL) {
        if (scan->rk != NULL) {
            (void)rd_kafka_consumer_close(scan->rk);
            rd_kafka_destroy(scan->rk);
        }
        iv_free(scan->topic);
        iv_free(scan);
    }
}

void iv_scan_closep(struct iv_scan **scan)
{
    iv_scan_close(*scan);
}

iv_rc iv_scan_open(struct iv_scan **out, const struct iv_property *properties, size_t property_count,
                   struct iv_str topic, int32_t partition, struct iv_err *err)
{
    IV_AUTO(iv_scan_closep) struct iv_scan *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate the reading of a topic");
    s->topic = iv_strndup(topic.p, topic.n);
    s->partition = partition;
    ENSURE(s->topic != NULL, err, IV_E_NOMEM, "cannot allocate a topic's name");
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    TRY(iv_client_conf(&conf, profile, IV_COUNT(profile), properties, property_count, err));
    /* The properties are those of the group's members; what is as they want it is not of importance here. */
    char text[256];
    for (size_t i = 2; i < IV_COUNT(profile); i++) {
        (void)rd_kafka_conf_set(conf, profile[i].name, profile[i].value, text, sizeof text);
    }
    TRY(iv_client_new(&s->rk, RD_KAFKA_CONSUMER, &conf, err));
    (void)rd_kafka_poll_set_consumer(s->rk);
    *out = TAKE(s);
    return IV_OK;
}

static iv_rc assign(struct iv_scan *s, int64_t from, struct iv_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, s->topic, s->partition)->offset = from;
    rd_kafka_resp_err_t error = rd_kafka_assign(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_BROKER, "topic %s: partition %d cannot be read: %s",
           s->topic, (int)s->partition, rd_kafka_err2str(error));
    return IV_OK;
}

static bool is_the_end(const rd_kafka_message_t *m, iv_scan_fn visit, void *ctx)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return true;
    }
    const struct iv_scanned record = {.offset = m->offset,
                                      .key = {m->key == NULL ? "" : m->key, m->key_len},
                                      .value = {m->payload, m->len}};
    return !visit(ctx, &record);
}

static iv_rc run(struct iv_scan *s, iv_scan_fn visit, void *ctx, iv_ns patience, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns heard = iv_monotonic(&clock);
    char last[256] = "no broker answers";
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, POLL_MS);
        /* An error is of the moment; where it lasts, patience ends. */
        if (m == NULL ||
            (m->err != RD_KAFKA_RESP_ERR_NO_ERROR && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
            if (m != NULL) {
                (void)snprintf(last, sizeof last, "%s", rd_kafka_message_errstr(m));
                rd_kafka_message_destroy(m);
            }
            ENSURE(iv_monotonic(&clock) - heard < patience, err, IV_E_BROKER,
                   "topic %s: partition %d was not read to its end: %s", s->topic, (int)s->partition, last);
            continue;
        }
        heard = iv_monotonic(&clock);
        bool end = is_the_end(m, visit, ctx);
        rd_kafka_message_destroy(m);
        if (end) {
            return IV_OK;
        }
    }
}

iv_rc iv_scan_run(struct iv_scan *scan, int64_t from, iv_scan_fn visit, void *ctx, iv_ns patience,
                  struct iv_err *err)
{
    TRY(assign(scan, from, err));
    struct iv_rc_s rc = run(scan, visit, ctx, patience, err);
    (void)rd_kafka_assign(scan->rk, NULL);
    return rc;
}
